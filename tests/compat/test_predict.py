"""`Predict` in DSPy's terms: inputs, outputs, configuration, demos, traces, failures."""

import asyncio
from typing import Any, Literal

import pydantic
import pytest

from tests.compat.scripts import chat, dummy, limit, markers, section, sent, served
from tests.compat.target import dspy


def test_outputs_by_name() -> None:
    dummy({"answer": "blue"})
    prediction = dspy.Predict("question -> answer")(question="Which colour?")
    assert isinstance(prediction, dspy.Prediction)
    assert prediction.answer == "blue"


@pytest.mark.parametrize(
    ("kind", "written", "value"),
    [
        ("int", "5", 5),
        ("float", "2.5", 2.5),
        ("bool", "True", True),
        ("bool", "false", False),
        ("list[str]", '["a", "b"]', ["a", "b"]),
        ("list[int]", "[1, 2]", [1, 2]),
        ("dict[str, int]", '{"a": 1}', {"a": 1}),
        ("Literal['yes', 'no']", "yes", "yes"),
        ("Optional[int]", "3", 3),
        ("str", "5", "5"),
    ],
)
def test_outputs_have_their_types(kind: str, written: str, value: Any) -> None:
    dummy({"answer": written})
    assert dspy.Predict(f"question -> answer: {kind}")(question="?").answer == value


def test_outputs_may_be_models() -> None:
    class Person(pydantic.BaseModel):
        name: str
        age: int

    signature = dspy.Signature("text -> who: Person", custom_types={"Person": Person})
    dummy({"who": '{"name": "Ada", "age": 36}'})
    assert dspy.Predict(signature)(text="?").who == Person(name="Ada", age=36)


def test_positional_arguments_are_refused() -> None:
    dummy({"answer": "a"})
    with pytest.raises(ValueError, match="question"):
        dspy.Predict("question -> answer")("what?")


def test_no_lm_is_an_error_that_says_so() -> None:
    with pytest.raises(ValueError, match="configure"):
        dspy.Predict("question -> answer")(question="?")


def test_a_name_is_no_lm() -> None:
    with pytest.raises(ValueError), dspy.context(lm="openai/gpt-4o"):
        dspy.Predict("question -> answer")(question="?")


def test_a_missing_input_is_a_warning(said: Any) -> None:
    lm = dummy({"answer": "a"})
    assert dspy.Predict("question, hint -> answer")(question="?").answer == "a"
    assert "hint" in said()
    assert "hint" not in markers(sent(lm)[-1]["content"])


def test_an_unknown_input_is_a_warning(said: Any) -> None:
    lm = dummy({"answer": "a"})
    assert dspy.Predict("question -> answer")(question="?", extra="more").answer == "a"
    assert "extra" in said()
    assert "more" not in sent(lm)[-1]["content"]


def test_a_mistyped_input_is_a_warning(said: Any) -> None:
    dummy({"answer": "a"})
    assert dspy.Predict("count: int -> answer")(count="many").answer == "a"
    assert "count" in said()


def test_the_warning_about_types_can_be_switched_off(said: Any) -> None:
    dummy({"answer": "a"})
    with dspy.context(warn_on_type_mismatch=False):
        dspy.Predict("count: int -> answer")(count="many")
    assert "many" not in said()


# Configuration.


def test_config_of_the_constructor() -> None:
    predict = dspy.Predict("question -> answer", temperature=0.3, max_tokens=50)
    assert predict.config == {"temperature": 0.3, "max_tokens": 50}
    assert predict.get_config() == predict.config


def test_config_can_be_updated() -> None:
    predict = dspy.Predict("question -> answer", temperature=0.3)
    predict.update_config(max_tokens=5)
    assert predict.get_config() == {"temperature": 0.3, "max_tokens": 5}


def test_config_goes_into_the_request() -> None:
    with served(chat(answer="a")) as (server, _):
        dspy.Predict("question -> answer", temperature=0.3, max_tokens=50)(question="?")
    assert (server.bodies[0]["temperature"], limit(server.bodies[0])) == (0.3, 50)


def test_config_of_a_call_wins() -> None:
    with served(chat(answer="a")) as (server, _):
        predict = dspy.Predict("question -> answer", temperature=0.3)
        predict(question="?", config={"temperature": 0.9})
        predict(question="?")
    assert [body["temperature"] for body in server.bodies] == [0.9, 0.3]


def test_config_wins_over_the_lm() -> None:
    with served(chat(answer="a"), temperature=0.1, max_tokens=7) as (server, _):
        dspy.Predict("question -> answer", temperature=0.8)(question="?")
    assert (server.bodies[0]["temperature"], limit(server.bodies[0])) == (0.8, 7)


def test_lm_of_a_call() -> None:
    dummy({"answer": "a"})
    other = dspy.utils.DummyLM([{"answer": "b"}])
    assert dspy.Predict("question -> answer")(question="?", lm=other).answer == "b"


def test_lm_of_the_predictor_wins_over_the_settings() -> None:
    dummy({"answer": "a"})
    predict = dspy.Predict("question -> answer")
    predict.lm = dspy.utils.DummyLM([{"answer": "b"}])
    assert predict(question="?").answer == "b"


def test_lm_of_a_context() -> None:
    dummy({"answer": "a"})
    with dspy.context(lm=dspy.utils.DummyLM([{"answer": "b"}])):
        assert dspy.Predict("question -> answer")(question="?").answer == "b"
    assert dspy.Predict("question -> answer")(question="?").answer == "a"


def test_signature_of_a_call() -> None:
    dummy({"other": "x"})
    assert dspy.Predict("question -> answer")(question="?", signature="question -> other").other == "x"


def test_demos_of_a_call() -> None:
    lm = dummy({"answer": "a"})
    demo = dspy.Example(question="1+1", answer="2")
    dspy.Predict("question -> answer")(question="?", demos=[demo])
    assert [message["role"] for message in sent(lm)] == ["system", "user", "assistant", "user"]


# Several answers.


def test_n_answers() -> None:
    dummy({"answer": "a"}, {"answer": "b"})
    prediction = dspy.Predict("question -> answer", n=2)(question="?")
    assert prediction.answer == "a"
    assert prediction.completions.answer == ["a", "b"]


def test_n_answers_of_a_call() -> None:
    dummy({"answer": "a"}, {"answer": "b"}, {"answer": "c"})
    prediction = dspy.Predict("question -> answer")(question="?", config={"n": 3})
    assert len(prediction.completions) == 3


@pytest.mark.parametrize("temperature", [None, 0.0, 0.05])
def test_several_answers_are_sampled(temperature: float | None) -> None:
    with served(chat(answer="a"), temperature=temperature) as (server, _):
        dspy.Predict("question -> answer", n=2)(question="?")
    assert server.bodies[0]["temperature"] == 0.7


def test_a_temperature_of_ones_own_is_kept_for_several_answers() -> None:
    with served(chat(answer="a")) as (server, _):
        dspy.Predict("question -> answer", n=2, temperature=0.9)(question="?")
    assert server.bodies[0]["temperature"] == 0.9


# Demos.


def test_a_demo_is_a_pair_of_turns() -> None:
    lm = dummy({"answer": "a"})
    predict = dspy.Predict("question -> answer")
    predict.demos = [dspy.Example(question="1+1", answer="2"), {"question": "2+2", "answer": "4"}]
    predict(question="3+3")
    messages = sent(lm)
    assert [message["role"] for message in messages] == ["system", *["user", "assistant"] * 2, "user"]
    assert section(messages[1]["content"], "question") == "1+1"
    assert section(messages[2]["content"], "answer") == "2"
    assert section(messages[3]["content"], "question") == "2+2"
    assert section(messages[5]["content"], "question").startswith("3+3\n")


def test_demos_end_like_answers() -> None:
    lm = dummy({"answer": "a"})
    predict = dspy.Predict("question -> answer")
    predict.demos = [dspy.Example(question="1+1", answer="2")]
    predict(question="?")
    assert markers(sent(lm)[2]["content"]) == ["answer", "completed"]


def test_incomplete_demos_come_first() -> None:
    lm = dummy({"answer": "a", "why": "b"})
    predict = dspy.Predict("question -> why, answer")
    predict.demos = [
        dspy.Example(question="whole", why="w", answer="x"),
        dspy.Example(question="part", answer="y"),
    ]
    predict(question="?")
    messages = sent(lm)
    assert section(messages[1]["content"], "question") == "part"
    assert section(messages[3]["content"], "question") == "whole"
    assert markers(messages[2]["content"]) == ["why", "answer", "completed"]


@pytest.mark.parametrize("demo", [{"question": "only"}, {"answer": "only"}, {}])
def test_demos_without_inputs_or_outputs_are_left_out(demo: dict[str, str]) -> None:
    lm = dummy({"answer": "a"})
    predict = dspy.Predict("question -> answer")
    predict.demos = [dspy.Example(**demo)]
    predict(question="?")
    assert [message["role"] for message in sent(lm)] == ["system", "user"]


def test_reset_forgets_what_was_learnt() -> None:
    predict = dspy.Predict("question -> answer")
    predict.demos, predict.lm = [dspy.Example(question="1", answer="2")], dspy.utils.DummyLM([])
    predict.reset()
    assert (predict.demos, predict.lm) == ([], None)


# Async.


def test_acall() -> None:
    dummy({"answer": "a"})
    assert asyncio.run(dspy.Predict("question -> answer").acall(question="?")).answer == "a"


def test_acall_refuses_positional_arguments() -> None:
    dummy({"answer": "a"})
    with pytest.raises(ValueError):
        asyncio.run(dspy.Predict("question -> answer").acall("?"))


async def test_many_at_once() -> None:
    with dspy.context(lm=dspy.utils.DummyLM([{"answer": str(n)} for n in range(10)])):
        predict = dspy.Predict("question -> answer")
        found = await asyncio.gather(*(predict.acall(question=str(n)) for n in range(10)))
    assert sorted(p.answer for p in found) == [str(n) for n in range(10)]


# Traces.


def test_calls_are_traced() -> None:
    dummy({"answer": "a"}, {"answer": "b"})
    predict = dspy.Predict("question -> answer")
    predict(question="one")
    predict(question="two")
    trace = dspy.settings.trace
    assert [(p is predict, inputs, prediction.answer) for p, inputs, prediction in trace] == [
        (True, {"question": "one"}, "a"),
        (True, {"question": "two"}, "b"),
    ]


def test_a_trace_of_a_context() -> None:
    dummy({"answer": "a"}, {"answer": "b"})
    predict = dspy.Predict("question -> answer")
    predict(question="before")
    with dspy.context(trace=[]):
        predict(question="inside")
        assert [inputs["question"] for _, inputs, _ in dspy.settings.trace] == ["inside"]


def test_no_trace_where_none_is_wanted() -> None:
    dummy({"answer": "a"})
    with dspy.context(trace=None):
        dspy.Predict("question -> answer")(question="?")
        assert dspy.settings.trace is None


def test_the_trace_is_bounded() -> None:
    dummy(*[{"answer": str(n)} for n in range(6)])
    with dspy.context(trace=[], max_trace_size=3):
        predict = dspy.Predict("question -> answer")
        for n in range(6):
            predict(question=str(n))
        assert [inputs["question"] for _, inputs, _ in dspy.settings.trace] == ["3", "4", "5"]


# Failures.


def test_an_unreadable_answer_is_asked_for_as_json() -> None:
    lm = dummy({"nothing": "x"}, {"nothing": "x"})
    with pytest.raises(dspy.AdapterParseError):
        dspy.Predict("question -> answer, why")(question="?")
    assert len(lm.history) == 2


def test_a_second_answer_as_json_is_taken() -> None:
    with served(["no markers here", '{"answer": "a", "why": "b"}']) as (server, _):
        prediction = dspy.Predict("question -> answer, why")(question="?")
    assert (prediction.answer, prediction.why) == ("a", "b")
    assert server.count == 2
    assert "JSON" in server.bodies[1]["messages"][-1]["content"]


def test_no_second_try_where_the_fallback_is_off() -> None:
    with (
        served("no markers here") as (server, _),
        dspy.context(adapter=dspy.ChatAdapter(use_json_adapter_fallback=False)),
        pytest.raises(dspy.AdapterParseError),
    ):
        dspy.Predict("question -> answer, why")(question="?")
    assert server.count == 1


def test_the_error_carries_what_was_written() -> None:
    with served("nonsense"), pytest.raises(dspy.AdapterParseError) as caught:
        dspy.Predict("question -> answer: int, why")(question="?")
    assert caught.value.lm_response == "nonsense"
    assert caught.value.signature.output_fields.keys() == {"answer", "why"}


@pytest.mark.parametrize("value", ["maybe", "YES and no"])
def test_a_value_outside_of_a_literal_is_an_error(value: str) -> None:
    dummy({"answer": value}, {"answer": value})
    with pytest.raises(dspy.AdapterParseError):
        dspy.Predict("question -> answer: Literal['yes', 'no']")(question="?")


def test_literal_of_a_class() -> None:
    class Sort(dspy.Signature):
        text: str = dspy.InputField()
        label: Literal["spam", "ham"] = dspy.OutputField()

    dummy({"label": "spam"})
    assert dspy.Predict(Sort)(text="x").label == "spam"


def test_config_may_turn_the_cache_off() -> None:
    with served(chat(answer="x"), cache=True) as (server, lm):
        predict = dspy.Predict("question -> answer")
        for _ in range(2):
            predict(question="?", config={"cache": False})
        assert server.count == 2
        assert "cache" not in server.bodies[0]
        assert len(lm.history) == 2


def test_modules_have_histories() -> None:
    class Two(dspy.Module):  # type: ignore[misc,unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.first = dspy.Predict("question -> answer")
            self.second = dspy.ChainOfThought("question -> answer")

        def forward(self, question: str) -> Any:
            return self.second(question=self.first(question=question).answer)

    dummy({"answer": "a"}, {"reasoning": "r", "answer": "b"})
    program = Two()
    program(question="?")
    assert [len(part.history) for part in (program, program.first, program.second.predict)] == [2, 1, 1]
    assert "[[ ## answer ## ]]\nb" in program.second.history[0]["outputs"][0]


def test_a_module_may_have_a_history_of_its_own() -> None:
    class Chat(dspy.Module):  # type: ignore[misc,unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.history = dspy.History(messages=[])

        def forward(self, question: str) -> str:
            self.history.messages.append({"question": question})
            return question

    chat_program = Chat()
    chat_program("hi")
    assert chat_program.history.messages == [{"question": "hi"}]
