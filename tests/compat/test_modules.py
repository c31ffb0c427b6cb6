"""Modules built on `Predict`, and decisions, in DSPy's terms."""

import asyncio
from typing import Any

import pytest

from tests.compat.scripts import chat, dummy, markers, section, sent, served
from tests.compat.target import dspy

# Chain of thought.


def test_chain_of_thought_reasons_first() -> None:
    lm = dummy({"reasoning": "because", "answer": "a"})
    think = dspy.ChainOfThought("question -> answer")
    prediction = think(question="?")
    assert (prediction.reasoning, prediction.answer) == ("because", "a")
    assert list(think.predict.signature.output_fields) == ["reasoning", "answer"]
    asked = markers(sent(lm)[-1]["content"])
    assert asked == ["question", "reasoning", "answer", "completed"]


def test_chain_of_thought_with_a_field_of_ones_own() -> None:
    think = dspy.ChainOfThought("question -> answer", rationale_field=dspy.OutputField(desc="step by step"))
    assert think.predict.signature.fields["reasoning"].json_schema_extra["desc"] == "step by step"


def test_chain_of_thought_takes_config() -> None:
    assert dspy.ChainOfThought("question -> answer", temperature=0.2).predict.config == {"temperature": 0.2}


def test_chain_of_thought_acall() -> None:
    dummy({"reasoning": "r", "answer": "a"})
    assert asyncio.run(dspy.ChainOfThought("question -> answer").acall(question="?")).answer == "a"


# Voting and comparing.


def test_majority_of_completions() -> None:
    dummy({"answer": "2"}, {"answer": "3"}, {"answer": "2"})
    prediction = dspy.Predict("question -> answer", n=3)(question="?")
    assert dspy.majority(prediction).answer == "2"
    assert dspy.majority(prediction.completions).answer == "2"


def test_majority_normalises() -> None:
    rows = [{"answer": "The cat."}, {"answer": "dog"}, {"answer": "cat"}]
    assert dspy.majority(dspy.Prediction.from_completions(rows)).answer == "The cat."


def test_majority_by_field() -> None:
    rows = [{"a": "1", "b": "x"}, {"a": "2", "b": "x"}, {"a": "2", "b": "y"}]
    assert dspy.majority(dspy.Prediction.from_completions(rows), field="a").b == "x"


def test_majority_of_a_tie_is_the_first() -> None:
    assert dspy.majority(dspy.Prediction.from_completions([{"a": "1"}, {"a": "2"}])).a == "1"


def test_multi_chain_comparison() -> None:
    lm = dummy({"rationale": "better", "answer": "blue"})
    completions = [
        dspy.Prediction(rationale="I recall", answer="blue"),
        dspy.Prediction(rationale="I think", answer="green"),
        dspy.Prediction(rationale="I guess", answer="red"),
    ]
    prediction = dspy.MultiChainComparison("question -> answer")(completions, question="Colour?")
    assert (prediction.rationale, prediction.answer) == ("better", "blue")
    asked = markers(sent(lm)[-1]["content"])
    assert asked[:4] == ["question", "reasoning_attempt_1", "reasoning_attempt_2", "reasoning_attempt_3"]
    assert "green" in section(sent(lm)[-1]["content"], "reasoning_attempt_2")


def test_multi_chain_comparison_of_another_number() -> None:
    with pytest.raises((AssertionError, ValueError)):
        dspy.MultiChainComparison("question -> answer", M=3)([dspy.Prediction(rationale="r", answer="a")])


def test_best_of_n_stops_at_the_threshold() -> None:
    dummy({"answer": "long answer"}, {"answer": "short"}, {"answer": "never"})
    best = dspy.BestOfN(
        module=dspy.Predict("question -> answer"),
        N=3,
        reward_fn=lambda args, pred: 1.0 if len(pred.answer.split()) == 1 else 0.0,
        threshold=1.0,
    )
    assert best(question="?").answer == "short"


def test_best_of_n_returns_the_best() -> None:
    dummy({"answer": "1"}, {"answer": "3"}, {"answer": "2"})
    best = dspy.BestOfN(
        module=dspy.Predict("question -> answer"), N=3, reward_fn=lambda a, p: float(p.answer), threshold=9.0
    )
    assert best(question="?").answer == "3"


def test_reward_sees_the_inputs() -> None:
    seen: list[Any] = []
    dummy({"answer": "a"})

    def reward(args: Any, pred: Any) -> float:
        seen.append((args["question"], pred.answer))
        return 1.0

    dspy.BestOfN(module=dspy.Predict("question -> answer"), N=1, reward_fn=reward, threshold=1.0)(
        question="?"
    )
    assert seen == [("?", "a")]


def test_refine_asks_for_advice_between_tries() -> None:
    replies = [
        chat(answer="long answer"),
        chat(discussion="too long", advice='{"self": "be short"}'),
        chat(answer="short"),
    ]
    with served(replies) as (server, _):
        refine = dspy.Refine(
            module=dspy.Predict("question -> answer"),
            N=3,
            reward_fn=lambda args, pred: 1.0 if len(pred.answer.split()) == 1 else 0.0,
            threshold=1.0,
        )
        assert refine(question="?").answer == "short"
    assert server.count == 3
    assert "be short" in server.bodies[2]["messages"][-1]["content"]


# What the options of a decision mean.


def test_criteria_of_a_literal() -> None:
    predict = dspy.Predict("text -> label: Literal['a', 'b'], flag: bool")
    assert predict.get_criteria("label") == {"a": None, "b": None}
    assert predict.get_criteria("flag") is None
    predict.set_criteria("label", {"a": "is a", "b": "is b"})
    assert predict.get_criteria("label") == {"a": "is a", "b": "is b"}


@pytest.mark.parametrize(
    ("field", "criteria"), [("label", {"a": "x"}), ("label", "x"), ("nothing", {"a": "x"})]
)
def test_criteria_that_do_not_fit(field: str, criteria: Any) -> None:
    with pytest.raises(ValueError):
        dspy.Predict("text -> label: Literal['a', 'b']").set_criteria(field, criteria)


def test_criteria_are_saved() -> None:
    predict = dspy.Predict("text -> label: Literal['a', 'b']")
    predict.set_criteria("label", {"a": "is a", "b": "is b"})
    state = predict.dump_state()
    assert state["fields"] == {"label": {"criteria": {"a": "is a", "b": "is b"}}}
    loaded = dspy.Predict("text -> label: Literal['a', 'b']").load_state(state)
    assert loaded.get_criteria("label") == {"a": "is a", "b": "is b"}


def test_criteria_of_decisions() -> None:
    kinds = dspy.experimental

    class Sort(dspy.Signature):
        """Sort."""

        text: str = dspy.InputField()
        kind: kinds.Choice[("a", "is a"), ("b", "is b")] = dspy.OutputField()
        level: kinds.Score["low", "high"] = dspy.OutputField()
        spam: kinds.Noul[(True, "yes"), (False, "no")] = dspy.OutputField()

    predict = dspy.Predict(Sort)
    assert predict.get_criteria("kind") == {"a": "is a", "b": "is b"}
    assert predict.get_criteria("level") == ["low", "high"]
    assert predict.get_criteria("spam") == {"true": "yes", "false": "no"}
    predict.set_criteria("level", ["poor", "good"])
    assert predict.get_criteria("level") == ["poor", "good"]


# Tries that fail.


class Fragile(dspy.Module):  # type: ignore[misc,unused-ignore]
    def __init__(self, failures: int) -> None:
        super().__init__()
        self.answer = dspy.Predict("question -> answer")
        self.failures = failures

    def forward(self, **inputs: Any) -> Any:
        FAILURES.append(None)
        if len(FAILURES) <= self.failures:
            raise ValueError("deliberately")
        return self.answer(**inputs)


FAILURES: list[None] = []


@pytest.mark.parametrize("kind", ["BestOfN", "Refine"])
@pytest.mark.parametrize(
    ("failures", "fail_count", "answered"),
    [(1, None, True), (2, None, True), (3, None, False), (1, 1, True), (2, 1, False), (2, 2, True)],
)
def test_tries_may_raise(kind: str, failures: int, fail_count: int | None, answered: bool) -> None:
    FAILURES.clear()
    dummy(*[{"answer": "a"}] * 3)
    program = getattr(dspy, kind)(
        module=Fragile(failures), N=3, reward_fn=lambda args, pred: 1.0, threshold=0.5, fail_count=fail_count
    )
    if answered:
        assert program(question="?").answer == "a"
        assert len(FAILURES) == failures + 1
    else:
        with pytest.raises(ValueError, match="deliberately"):
            program(question="?")


@pytest.mark.parametrize("kind", ["BestOfN", "Refine"])
def test_every_try_is_sampled(kind: str) -> None:
    with served(chat(answer="two words")) as (server, _):
        tries = getattr(dspy, kind)(
            module=dspy.Predict("question -> answer"), N=2, reward_fn=lambda args, pred: 0.0, threshold=1.0
        )
        assert tries(question="?").answer == "two words"
    asked = [body for body in server.bodies if "discussion" not in str(body["messages"][0])]
    assert [body["temperature"] for body in asked] == [1.0, 1.0]


def test_only_the_best_try_is_traced() -> None:
    dummy({"answer": "x"}, {"answer": "yyy"}, {"answer": "zz"})
    best = dspy.BestOfN(
        module=dspy.Predict("question -> answer"),
        N=3,
        reward_fn=lambda args, pred: len(pred.answer),
        threshold=9,
    )
    with dspy.context(trace=[]):
        best(question="?")
        assert [prediction.answer for _, _, prediction in dspy.settings.trace] == ["yyy"]
