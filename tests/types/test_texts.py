"""Code, reasoning and history."""

from __future__ import annotations

import copy
import pickle
from types import SimpleNamespace
from typing import Any

import pydantic
import pytest

import telic
from telic.types import Code, History, Reasoning

# Code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("x = 1", "x = 1"),
        ("```python\nx = 1\n```", "x = 1"),
        ("```py\nx = 1\ny = 2\n```", "x = 1\ny = 2"),
        ("```\nx = 1\n```", "x = 1"),
        ("Here it is:\n```python\nx = 1\n```\nDone.", "x = 1"),
        ("```bash\npip install x\n```\nthen\n```python\nimport x\n```", "import x"),
        ("```text\nfirst\n```\n```text\nsecond\n```", "first"),
        ("```python\n\n  x = 1\n\n```", "  x = 1"),
        ("```python\nx = 1", "x = 1"),
        ("```x=1```", "x=1"),
        ("```python\r\nx = 1\r\n```", "x = 1"),
        ("s = '`tick`'", "s = '`tick`'"),
        ('{"code": "x = 1"}', "x = 1"),
        ('{"code": "```python\\nx = 1\\n```"}', "x = 1"),
        ('{"code": 3}', '{"code": 3}'),
        ("", ""),
    ],
)
def test_code_is_read_with_and_without_fences(text: str, code: str) -> None:
    assert Code["python"].model_validate(text).code == code
    assert Code(code=text).code == code or text.startswith("{")


def test_code_of_a_language() -> None:
    sql = Code["sql"]
    assert sql is Code["sql"]
    assert issubclass(sql, Code)
    assert (Code.language, sql.language, sql.__name__) == ("python", "sql", "Code_sql")
    assert "```sql" in sql.description()
    value = sql(code="SELECT 1")
    assert value.format() == value.model_dump() == "SELECT 1"
    assert value == sql.model_validate({"code": "SELECT 1"}) == pickle.loads(pickle.dumps(value))
    assert Code.model_validate(value).code == "SELECT 1"
    assert type(pickle.loads(pickle.dumps(value))) is sql
    assert pickle.loads(pickle.dumps(Code(code="x"))) == Code(code="x")
    assert pydantic.TypeAdapter(sql).json_schema()["type"] == "string"


@pytest.mark.parametrize("value", [3, None, {"cod": "x"}, ["x"]])
def test_what_is_no_code(value: Any) -> None:
    with pytest.raises(ValueError, match="Code"):
        Code.model_validate(value)


# Reasoning


def test_reasoning_behaves_like_its_text() -> None:
    r = Reasoning(content="because of x")
    assert r == "because of x" == str(r)
    assert r != "other"
    assert r == Reasoning("because of x")
    assert repr(r) == repr("because of x")
    assert (len(r), r[0], r[:7], list(r)[-1]) == (12, "b", "because", "x")
    assert "of" in r
    assert r + "!" == "because of x!"
    assert "So " + r == "So because of x"
    assert r + r == Reasoning("because of xbecause of x")
    assert f"{r:>14}" == "  because of x"
    assert r.upper() == "BECAUSE OF X"
    assert r.split() == ["because", "of", "x"]
    assert r.startswith("be")
    assert sorted([Reasoning("b"), Reasoning("a")]) == ["a", "b"]
    assert {r: 1}["because of x"] == 1  # type: ignore[index]
    assert not Reasoning("")
    assert r.model_dump() == r.format() == "because of x"
    assert copy.deepcopy(r) == pickle.loads(pickle.dumps(r)) == r


def test_reasoning_has_no_other_attributes() -> None:
    with pytest.raises(AttributeError, match="content"):
        _ = Reasoning("x").answer
    with pytest.raises(TypeError):
        _ = Reasoning("x") + 3


def test_reasoning_is_read_from_text_and_dicts() -> None:
    assert Reasoning.model_validate("x") == Reasoning.model_validate({"content": "x"}) == "x"
    assert Reasoning.model_validate('{"content": "x"}') == "x"
    assert Reasoning.model_validate('{"a": 1}') == '{"a": 1}'
    for wrong in (3, None, {"c": "x"}):
        with pytest.raises(ValueError, match="Reasoning"):
            Reasoning.model_validate(wrong)


def test_native_reasoning() -> None:
    assert Reasoning.parse_lm_response({"reasoning_content": "x", "text": "y"}) == "x"
    assert Reasoning.parse_lm_response({"text": "y"}) is None
    assert Reasoning.parse_lm_response("y") is None
    delta = SimpleNamespace(content=None, reasoning_content="hm")
    assert Reasoning.parse_stream_chunk(SimpleNamespace(choices=[SimpleNamespace(delta=delta)])) == "hm"
    assert Reasoning.parse_stream_chunk(SimpleNamespace(reasoning="hm", text="")) == "hm"
    assert Reasoning.parse_stream_chunk(SimpleNamespace(choices=[])) is None
    assert Reasoning.is_streamable()


@pytest.mark.parametrize(
    ("own", "asked", "able", "native"),
    [
        ({}, {}, True, False),
        ({"reasoning_effort": "low"}, {}, True, True),
        ({}, {"reasoning_effort": "high"}, True, True),
        ({"reasoning_effort": "low"}, {"reasoning_effort": None}, True, False),
        ({"reasoning_effort": "low"}, {}, False, False),
    ],
)
def test_reasoning_leaves_the_prompt_where_it_is_native(
    own: dict[str, Any], asked: dict[str, Any], able: bool, native: bool
) -> None:
    signature = telic.Signature(
        {
            "q": (str, telic.InputField()),
            "why": (Reasoning, telic.OutputField()),
            "a": (str, telic.OutputField()),
        },
        "Answer.",
    )
    lm = SimpleNamespace(kwargs=own, supports_reasoning=able)
    adapted = Reasoning.adapt_to_native_lm_feature(signature, "why", lm, asked)
    assert ("why" not in adapted.output_fields) is native
    assert ("why" in signature.output_fields) is True
    if native:
        assert asked["reasoning_effort"] in ("low", "high")


# History


def test_history_of_dicts_examples_and_predictions() -> None:
    turn = {"question": "a", "answer": "b"}
    history = History(messages=[turn, telic.Example(**turn), telic.Prediction(**turn)])
    assert history.messages == [turn] * 3
    assert history == History.model_validate(history.model_dump())
    assert history.model_dump() == {"messages": [turn] * 3}


def test_history_is_frozen_and_strict() -> None:
    history = History(messages=[])
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        history.messages = []  # type: ignore[misc]
    for wrong in ({}, {"messages": ["x"]}, {"messages": [], "more": 1}, {"messages": "x"}):
        with pytest.raises(pydantic.ValidationError):
            History(**wrong)
