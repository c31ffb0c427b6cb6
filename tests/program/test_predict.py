"""Predicting: typed outputs, overrides, repairs, errors that say where."""

from __future__ import annotations

import pytest

import telic
from telic.errors import AdapterParseError, InputError, LMNotConfiguredError
from tests.scripted import ScriptedLM, chat


def test_typed_outputs_and_trace():
    lm = ScriptedLM([chat(answer="42", sure="True")])
    predict = telic.Predict("question -> answer: int, sure: bool")
    with telic.context(lm=lm):
        prediction = predict(question="6 x 7?")
    assert prediction.answer == 42
    assert prediction.sure is True
    assert [m["role"] for m in lm.asked[0]] == ["system", "user"]
    assert "6 x 7?" in lm.asked[0][-1]["content"]


async def test_acall_is_the_same_pipeline():
    lm = ScriptedLM([chat(answer="42")])
    predict = telic.Predict("question -> answer: int")
    with telic.context(lm=lm):
        assert (await predict.acall(question="?")).answer == 42


def test_overrides_for_one_call():
    first, second = ScriptedLM([chat(a="x")]), ScriptedLM([chat(a="y"), chat(b="z")])
    predict = telic.Predict("q -> a")
    predict.demos = [telic.Example(q="demo question", a="demo answer")]
    with telic.context(lm=first):
        assert predict(q="1", lm=second, demos=[]).a == "y"
        assert predict(q="1", lm=second, signature="q -> b").b == "z"
        assert predict(q="1", config={"temperature": 0.5}).a == "x"
    assert "demo question" not in str(second.asked[0])
    assert "demo question" in str(first.asked[0])


def test_a_bad_answer_is_shown_to_the_model_once_and_mended():
    lm = ScriptedLM([chat(n="many"), chat(n="3")])
    with telic.context(lm=lm):
        assert telic.Predict("q -> n: int")(q="how many?").n == 3
    repair = lm.asked[1]
    assert [m["role"] for m in repair] == ["system", "user", "assistant", "user"]
    assert "many" in repair[2]["content"]
    assert "int" in repair[3]["content"]


def test_a_bad_answer_that_stays_bad_is_an_error_with_everything_in_it():
    class Program(telic.Module):
        def __init__(self):
            self.steps = [telic.Predict("q -> kind: Literal['a', 'b'], note")]

        def forward(self, q):
            return self.steps[0](q=q)

    lm = ScriptedLM(lambda _: chat(kind="zebra", note="a note"))
    with telic.context(lm=lm, max_repairs=2), pytest.raises(AdapterParseError) as caught:
        Program()(q="?")
    assert len(lm.asked) == 3
    error = caught.value
    assert error.program_path == "steps[0]"
    assert "steps[0]" in str(error)
    assert error.parsed_result == {"note": "a note"}
    assert error.missing == ("kind",)
    assert "zebra" in error.lm_response


def test_repairs_can_be_turned_off():
    lm = ScriptedLM(lambda _: chat(n="x"))
    with telic.context(lm=lm, max_repairs=0), pytest.raises(AdapterParseError):
        telic.Predict("q -> n: int")(q="?")
    assert len(lm.asked) == 1


def test_several_answers_become_completions():
    class Several(ScriptedLM):
        def forward(self, prompt=None, messages=None, **kwargs):
            self.seen = kwargs
            one = super().forward(prompt, messages)
            other = super().forward(prompt, messages)
            one.choices.append(other.choices[0])
            return one

    lm = Several([chat(a="1"), chat(a="2")])
    with telic.context(lm=lm):
        prediction = telic.Predict("q -> a", n=2)(q="?")
    assert prediction.completions.a == ["1", "2"]
    # Two greedy samples would be the same answer paid for twice.
    assert lm.seen == {"n": 2, "temperature": 0.7}


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda p: p("positional"), "keyword"),
        (lambda p: p(), "question"),
        (lambda p: p(question="?", colour="red"), "colour"),
        (lambda p: p(questoin="?"), "question"),
    ],
)
def test_bad_calls_name_the_field(call, said):
    predict = telic.Predict("question -> answer")
    with telic.context(lm=ScriptedLM([])), pytest.raises(InputError, match=said):
        call(predict)


def test_no_lm_says_how_to_set_one():
    with pytest.raises(LMNotConfiguredError, match=r"telic\.configure"):
        telic.Predict("q -> a")(q="?")
    with telic.context(lm=object()), pytest.raises(LMNotConfiguredError, match="BaseLM"):
        telic.Predict("q -> a")(q="?")


def test_a_bug_in_a_users_type_is_not_a_parse_failure():
    from pydantic import BaseModel, field_validator

    class Broken(BaseModel):
        x: int

        @field_validator("x")
        @classmethod
        def check(cls, value):
            raise ZeroDivisionError("a bug")

    lm = ScriptedLM(lambda _: chat(out='{"x": 1}'))
    predict = telic.Predict(
        telic.Signature({"q": (str, telic.InputField()), "out": (Broken, telic.OutputField())})
    )
    with telic.context(lm=lm), pytest.raises(ZeroDivisionError):
        predict(q="?")
    assert len(lm.asked) == 1


def test_preview_shows_the_prompt_and_asks_nothing():
    lm = ScriptedLM([])
    kind = telic.Predict("text -> kind: Literal['spam', 'ham']")
    kind.demos = [telic.Example(text="win money", kind="spam")]
    with telic.context(lm=lm):
        preview = kind.preview(text="hello there")
    assert lm.asked == []
    assert not preview.complete
    assert preview.tokens > 0
    assert "hello there" in str(preview)
    assert "win money" in str(preview)
    assert len(preview.calls) == 1
