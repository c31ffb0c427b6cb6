"""Whatever a grammar lets a model write can be read and is valid."""

import datetime
import decimal
import json
import pathlib
import random
import uuid
from typing import Annotated, Any, Literal

import pydantic
import pytest

from telic.adapters import CompletionAdapter, JSONAdapter
from telic.adapters.gbnf import integer
from telic.adapters.schema_grammar import grammar_of_schema
from telic.types import Capabilities

from .declared import Cat, Color, Dog, Level, Person, Point, Row, Tree, signature_of
from .gbnf_sampler import Grammar

TYPES = [
    str,
    int,
    float,
    bool,
    Literal["a", "b c", 'd"e', "f\\g", "été", "two\nlines"],
    Literal[1, 2, -3],
    Literal[True, "maybe"],
    Color,
    Level,
    int | None,
    str | None,
    Color | None,
    bool | None,
    list[str],
    list[int],
    dict[str, int],
    dict[str, list[float]],
    dict[Literal["one", "two"], int],
    Person,
    list[Person],
    Person | None,
    list[str] | None,
    Tree,
    Cat | Dog,
    list[Cat | Dog],
    int | str,
    Row,
    Point,
    datetime.date,
    datetime.datetime,
    datetime.time,
    datetime.timedelta,
    datetime.date | None,
    list[datetime.date],
    decimal.Decimal,
    decimal.Decimal | None,
    uuid.UUID,
    list[uuid.UUID],
    pathlib.Path,
    tuple[int, str],
    tuple[int, ...],
    set[str],
    frozenset[int],
    Any,
    dict,
    list,
    dict[str, Any],
    list[list[int]],
    (list[int], {"min_length": 2, "max_length": 3}),
    Annotated[list[int], pydantic.Field(min_length=1)],
    (str, {"max_length": 10}),
    (str, {"min_length": 0, "max_length": 5}),
    (int, {"ge": 10, "le": 20}),
    (int, {"gt": 0}),
    (int, {"ge": 0}),
    (int, {"gt": -3, "lt": 3}),
]
COMPLETION = Capabilities(completion=True, grammar=True)
CHAT = Capabilities(grammar=True)
ADAPTERS = [
    (CompletionAdapter(), COMPLETION),
    (CompletionAdapter(multiline=True), COMPLETION),
    (CompletionAdapter(), CHAT),
    (JSONAdapter(), CHAT),
]


@pytest.mark.parametrize("kind", TYPES, ids=str)
def test_every_sentence_of_a_grammar_is_a_valid_answer(kind):
    chance = random.Random(str(kind))
    signature = signature_of({"out": kind, "after": (int, {"ge": 0, "le": 9}), "last": kind})
    for adapter, capabilities in ADAPTERS:
        rendered = adapter.render(signature, [], {"question": "?"}, capabilities)
        grammar = Grammar(rendered.constraint.grammar)
        for _ in range(40):
            text = grammar.sample(chance)
            values = adapter.read(signature, text)
            assert list(values) == ["out", "after", "last"], text
            assert 0 <= values["after"] <= 9


def test_a_prompt_is_continued_with_a_space_and_a_chat_is_not():
    signature = signature_of({"n": int, "m": int})
    continued = CompletionAdapter().render(signature, [], {"question": "?"}, COMPLETION).constraint.grammar
    answered = CompletionAdapter().render(signature, [], {"question": "?"}, CHAT).constraint.grammar
    assert Grammar(continued).sample(random.Random(1)).startswith(" ")
    assert not Grammar(answered).sample(random.Random(1)).startswith(" ")
    assert "\nM: " in Grammar(answered).sample(random.Random(1))


def test_one_text_is_left_free_until_demos_have_shown_its_form():
    signature = signature_of({"answer": str})
    adapter = CompletionAdapter()
    assert adapter.render(signature, [], {"question": "?"}, COMPLETION).constraint is None
    demo = {"question": "1", "answer": "one"}
    line = Grammar(adapter.render(signature, [demo], {"question": "?"}, COMPLETION).constraint.grammar)
    assert all("\n" not in line.sample(random.Random(n)).rstrip("\n") for n in range(50))
    demo = {"question": "1", "answer": "one\ntwo"}
    block = Grammar(adapter.render(signature, [demo], {"question": "?"}, COMPLETION).constraint.grammar)
    assert any("\n  " in block.sample(random.Random(n)) for n in range(50))


@pytest.mark.parametrize(
    ("kind", "open_ended"),
    [
        (str, True), (int, True), (float, True), (Literal["card", "card lost"], True),
        (Literal["card", "lost"], False), (bool, False), (list[int], False),
    ],
)  # fmt: skip
def test_what_may_go_on_can_be_ended_by_a_line_break(kind, open_ended):
    demo = {"question": "1", "out": [1] if kind == list[int] else "card" if kind not in (int, float) else 1}
    rendered = CompletionAdapter().render(signature_of({"out": kind}), [demo], {"question": "?"}, COMPLETION)
    sampled = [Grammar(rendered.constraint.grammar).sample(random.Random(n)) for n in range(40)]
    assert any(text.endswith("\n") for text in sampled) is open_ended


def test_a_long_text_before_other_fields_has_an_end():
    signature = signature_of({"reasoning": str, "answer": int})
    grammar = CompletionAdapter(max_text=20).render(signature, [], {"question": "?"}, COMPLETION).constraint
    assert "[^\\r\\n]{0,19}" in grammar.grammar
    unbounded = CompletionAdapter(max_text=None).render(signature, [], {"question": "?"}, COMPLETION)
    assert "[^\\r\\n]*" in unbounded.constraint.grammar


def test_texts_may_be_empty_once_a_demo_shows_an_empty_one():
    signature = signature_of({"order": str, "date": str, "product": (str, {"min_length": 1})})
    demo = {"question": "1", "order": "", "date": "Monday", "product": "kettle"}
    adapter = CompletionAdapter()
    full = {**demo, "order": "A1"}
    for demos, empty in (([], False), ([full], False), ([full, demo], True)):
        grammar = Grammar(adapter.render(signature, demos, {"question": "?"}, COMPLETION).constraint.grammar)
        read = [adapter.read(signature, grammar.sample(random.Random(n))) for n in range(60)]
        for name in ("order", "date"):
            assert any(values[name] == "" for values in read) is empty
            assert any(values[name] for values in read)
        assert all(values["product"] for values in read)


def test_the_json_adapter_prefers_a_schema_to_a_grammar():
    signature = signature_of({"name": str, "level": Level})
    both = Capabilities(json_schema=True, grammar=True)
    constraint = JSONAdapter().render(signature, [], {"question": "?"}, both).constraint
    assert constraint.grammar is None
    assert list(constraint.json_schema["properties"]) == ["name", "level"]
    assert JSONAdapter().render(signature, [], {"question": "?"}).constraint is None
    assert JSONAdapter(constrain=False).render(signature, [], {"question": "?"}, both).constraint is None
    assert (
        CompletionAdapter(constrain=False).render(signature, [], {"question": "?"}, both).constraint is None
    )


def sentences(schema, number=60):
    grammar = Grammar(grammar_of_schema(schema))
    return [json.loads(grammar.sample(random.Random(n))) for n in range(number)]


def test_optional_members_may_be_left_out_in_order_with_the_right_commas():
    inner = {"type": "integer"}
    schema = {"type": "object", "properties": {"a": inner, "b": inner, "c": inner}, "required": ["b"]}
    found = {tuple(value) for value in sentences(schema)}
    assert found == {("a", "b", "c"), ("a", "b"), ("b", "c"), ("b",)}
    none_required = {"type": "object", "properties": {"a": inner, "b": inner}}
    assert {tuple(value) for value in sentences(none_required)} == {(), ("a",), ("b",), ("a", "b")}


def test_schemas_beyond_what_signatures_make():
    assert set(sentences({"type": ["integer", "null"], "minimum": 1, "maximum": 2})) == {1, 2, None}
    assert set(map(str, sentences({"const": {"a": 1}}))) == {"{'a': 1}"}
    assert all(len(value) <= 2 for value in sentences({"type": "array", "maxItems": 2}))
    assert sentences({"type": "array", "maxItems": 0})[0] == []
    merged = {"allOf": [{"$ref": "#/$defs/x"}, {"properties": {"b": {"type": "null"}}, "required": ["b"]}]}
    merged["$defs"] = {"x": {"type": "object", "properties": {"a": {"type": "boolean"}}, "required": ["a"]}}
    assert all(list(value) == ["a", "b"] for value in sentences(merged))
    assert all(
        value is None
        for value in sentences({"anyOf": [{"type": "null"}, {"$ref": "#/x"}], "x": {"type": "null"}})
    )
    assert all(isinstance(v, str) for v in sentences({"type": "string", "pattern": "^a$"}))
    assert sentences({"type": "object", "additionalProperties": False})[0] == {}
    assert len({type(value) for value in sentences({"title": "anything"})}) > 3


def test_names_that_look_alike_do_not_share_a_rule():
    class Holder(pydantic.BaseModel):
        a_b: Literal["x"]
        a: Literal["y"]

    signature = signature_of({"value": int, "number": Literal["n"], "string": Any, "line": Holder})
    adapter = CompletionAdapter()
    grammar = Grammar(adapter.render(signature, [], {"question": "?"}, COMPLETION).constraint.grammar)
    for n in range(30):
        values = adapter.read(signature, grammar.sample(random.Random(n)))
        assert values["number"] == "n"
        assert (values["line"].a_b, values["line"].a) == ("x", "y")


def test_integers_by_their_bounds():
    assert integer(1, 3) == '("1" | "2" | "3")'
    assert integer(0, None) == '("0" | [1-9] [0-9]{0,14})'
    assert '"-"?' in integer(None, 5)
