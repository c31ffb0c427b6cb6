"""Forecasts: nothing is asked, and what then happens lies within them."""

from __future__ import annotations

from typing import Any

import pytest

import telic
from telic.errors import CompileError, LMNotConfiguredError
from telic.optimize.forecast import Forecast
from telic.optimize.optimizer import Optimizer
from telic.optimize.problem import Problem, make_problem
from telic.optimize.strategy import Ask, Choice, Strategy, Trial
from telic.store.default import default_store
from telic.store.memory import MemoryStore
from tests.optimize.planted import Colour, exact, planted_lm, rows
from tests.scripted import RecordedLM, chat

TRAIN, VAL = rows(40), rows(40, 100)


class Proposing(Optimizer):
    """Asks for instructions, then tries each, `rounds` times over."""

    def __init__(self, metric: Any, rounds: int = 2) -> None:
        self.metric = metric
        self.rounds = rounds

    def compile(self, student: Any, *, trainset: Any) -> Any:
        problem = make_problem(student, trainset=trainset, valset=None, metric=self.metric)
        return self.run(problem, self.strategy(problem))

    def strategy(self, problem: Problem) -> Strategy:
        proposer = telic.Predict("task -> colour")
        like = {"colour": "Name the colour that comes before the dash."}
        best = problem.start
        for number in range(self.rounds):
            asks = [Ask(proposer, {"task": f"red-{number}{n}"}, like=like) for n in range(3)]
            replies = yield asks
            texts = [reply.value["colour"] for reply in replies if reply.value]
            told = [best.with_instructions({"self": text}) for text in texts] or [best]
            results = yield [Trial(state, problem.validation) for state in told]
            best = max(results, key=lambda result: result.mean).trial.candidate
        return Choice(best)


CASES: dict[str, tuple[Any, dict[str, Any]]] = {
    "labelled": (lambda: telic.LabeledFewShot(k=4), {}),
    "bootstrap": (lambda: telic.BootstrapFewShot(metric=exact), {}),
    "bootstrap, no luck": (lambda: telic.BootstrapFewShot(metric=lambda e, p, t=None: False), {}),
    "bootstrap, rounds": (lambda: telic.BootstrapFewShot(metric=exact, max_rounds=3), {}),
    "search": (lambda: telic.BootstrapRS(metric=exact, num_candidate_programs=6), {"valset": VAL}),
    "search, one set": (lambda: telic.BootstrapRS(metric=exact, num_candidate_programs=4), {}),
    "search, no racing": (
        lambda: telic.BootstrapRS(metric=exact, num_candidate_programs=5, racing=False),
        {"valset": VAL},
    ),
    "search, one by one": (
        lambda: telic.BootstrapRS(metric=exact, num_candidate_programs=5, stop_at_score=99.0),
        {"valset": VAL},
    ),
    "proposing": (lambda: Proposing(exact), {}),
}


def forecast_and_spent(name: str) -> tuple[Forecast, Any]:
    make, more = CASES[name]
    lm = planted_lm()
    with telic.context(lm=lm):
        found = make().forecast(telic.Predict(Colour), trainset=TRAIN, **more)
        assert lm.asked == []
        assert list(default_store().scan("runs")) == []
        compiled = make().compile(telic.Predict(Colour), trainset=TRAIN, **more)
    assert len(lm.asked) == compiled.report.spent.calls
    return found, compiled.report.spent


@pytest.mark.parametrize("name", CASES)
def test_what_is_spent_lies_within_the_forecast(name: str) -> None:
    forecast, spent = forecast_and_spent(name)
    assert forecast.calls.low <= spent.calls <= forecast.calls.worst
    assert forecast.calls.low <= forecast.calls.expected <= forecast.calls.worst
    assert forecast.scores.low <= spent.scores <= forecast.scores.worst
    # A range that says nothing would always hold.
    assert forecast.calls.worst <= 10 * forecast.calls.expected


def test_an_unreadable_answer_that_is_asked_for_again_is_within_the_worst_case() -> None:
    lm = RecordedLM(lambda text: "no idea")
    with telic.context(lm=lm):
        optimizer = telic.BootstrapFewShot(metric=exact)
        forecast = optimizer.forecast(telic.Predict(Colour), trainset=TRAIN)
        optimizer.compile(telic.Predict(Colour), trainset=TRAIN)
    assert len(lm.asked) == forecast.calls.worst == 80


def test_tokens_are_counted_in_the_prompts_that_would_be_sent() -> None:
    def reply(text: str) -> str:
        return chat(colour="red")

    lm = RecordedLM(reply)
    with telic.context(lm=lm):
        student = telic.Predict(Colour)
        student.demos = rows(8)
        found = telic.BootstrapFewShot(metric=exact, max_labeled_demos=0).forecast(student, trainset=TRAIN)
        each = student.preview(word="red-1").tokens
    per_call = found.prompt_tokens.expected / found.calls.expected
    assert 0.8 * each < per_call < 1.25 * each


def test_a_budget_is_the_most_that_is_forecast() -> None:
    search = telic.BootstrapRS(metric=exact, num_candidate_programs=6)
    sets = {"trainset": TRAIN, "valset": VAL}
    with telic.context(lm=planted_lm()):
        free = search.forecast(telic.Predict(Colour), **sets)
        given = search.forecast(telic.Predict(Colour), budget=telic.budget(calls=50), **sets)
        with telic.budget(calls=50, seconds=1000):
            around = search.forecast(telic.Predict(Colour), **sets)
    assert free.calls.low > 50
    assert given.calls == around.calls
    assert given.calls.ends == pytest.approx((50, 50, 50))
    assert given.prompt_tokens.worst < free.prompt_tokens.worst


def test_loops_and_judges_are_counted() -> None:
    judge = telic.Predict("question, answer -> score: float")

    class Judge(telic.Module):
        def __init__(self) -> None:
            self.judge = judge

        def forward(self, example: Any, pred: Any, trace: Any = None) -> float:
            return float(self.judge(question=example.question, answer=pred.answer).score)

    trainset = [telic.Example(question=f"q{n}", answer="a").with_inputs("question") for n in range(10)]
    agent = telic.ReAct("question -> answer", tools=[], max_iters=5)
    with telic.context(lm=planted_lm(), max_repairs=0):
        plain = telic.BootstrapRS(metric=exact, racing=False, num_candidate_programs=0)
        alone = plain.forecast(telic.Predict("question -> answer"), trainset=trainset)
        judged = telic.BootstrapRS(metric=Judge(), racing=False, num_candidate_programs=0)
        beside = judged.forecast(telic.Predict("question -> answer"), trainset=trainset)
        looping = plain.forecast(agent, trainset=trainset)
    assert beside.calls.expected == pytest.approx(alone.calls.expected + beside.scores.expected)
    assert looping.calls.worst >= 6 * alone.calls.low


def test_money_and_time_are_known_or_unknown_but_never_guessed() -> None:
    optimizer = telic.BootstrapFewShot(metric=exact)
    with telic.context(lm=planted_lm()):
        first = optimizer.forecast(telic.Predict(Colour), trainset=TRAIN)
        assert first.cost is None
        assert first.seconds is None
        assert "scripted/model is not known" in str(first)
        optimizer.compile(telic.Predict(Colour), trainset=TRAIN)
        assert optimizer.forecast(telic.Predict(Colour), trainset=TRAIN).seconds is not None
    with telic.context(lm=telic.LM("openai/gpt-4o-mini", api_key="none"), store=MemoryStore()):
        priced = optimizer.forecast(telic.Predict(Colour), trainset=TRAIN)
    assert priced.cost is not None
    assert 0 < priced.cost.low <= priced.cost.expected <= priced.cost.worst < 0.05


def test_a_strategy_that_asks_by_itself_cannot_be_forecast() -> None:
    class Sly(Proposing):
        def strategy(self, problem: Problem) -> Strategy:
            telic.settings.lm("red-1")
            return (yield from super().strategy(problem))

    lm = planted_lm()
    with telic.context(lm=lm), pytest.raises(CompileError, match="Yield an Ask"):
        Sly(exact).forecast(telic.Predict(Colour), trainset=TRAIN)
    assert lm.asked == []


def test_no_lm_no_forecast() -> None:
    with pytest.raises(LMNotConfiguredError):
        telic.BootstrapFewShot(metric=exact).forecast(telic.Predict(Colour), trainset=TRAIN)


def test_it_is_json_and_a_table() -> None:
    with telic.context(lm=planted_lm()):
        found = telic.BootstrapFewShot(metric=exact).forecast(telic.Predict(Colour), trainset=TRAIN)
    row = found.to_json()
    assert row["calls"]["low"] <= row["calls"]["worst"]
    assert row["cost"] is None
    assert [name for name, *_ in found.rows()][:2] == ["LM calls", "prompt tokens"]
    assert "at most" in str(found)
