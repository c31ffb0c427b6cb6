"""Hard caps on a compile: never passed by a call, and what was paid for is not lost."""

from __future__ import annotations

import threading
from typing import Any

import pytest

import telic
from telic.errors import BudgetExceededError
from telic.optimize.optimizer import Optimizer
from telic.optimize.problem import Problem, make_problem
from telic.optimize.strategy import Ask, Choice, Strategy, Trial
from tests.optimize.planted import Colour, exact, planted_lm, rows
from tests.scripted import RecordedLM, chat


class CrowdedLM(RecordedLM):
    """Answers only once so many callers wait, or after a moment: calls pile up at the cap."""

    def __init__(self, crowd: int) -> None:
        super().__init__(lambda text: chat(colour="red"))
        self.crowd = crowd
        self.arrived = threading.Event()
        self._waiting = 0
        self._guard = threading.Lock()

    def arrive(self) -> None:
        with self._guard:
            self._waiting += 1
            if self._waiting == self.crowd:
                self.arrived.set()

    def forward(self, prompt: str | None = None, messages: Any = None, **kwargs: Any) -> Any:
        self.arrive()
        self.arrived.wait(1.0)
        return super().forward(prompt, messages, **kwargs)


class CrowdedLoopLM(CrowdedLM):
    """The same on the event loop."""

    native_async = True

    async def aforward(self, prompt: str | None = None, messages: Any = None, **kwargs: Any) -> Any:
        import asyncio

        self.arrive()
        for _ in range(200):
            if self.arrived.is_set():
                break
            await asyncio.sleep(0.005)
        return RecordedLM.forward(self, prompt, messages, **kwargs)


@pytest.mark.parametrize("kind", [CrowdedLM, CrowdedLoopLM])
@pytest.mark.parametrize("cap", [1, 63, 64, 65, 130])
def test_a_cap_on_calls_holds_at_concurrency_64(kind: Any, cap: int) -> None:
    lm = kind(min(cap, 64))
    with telic.context(lm=lm), telic.budget(calls=cap) as budget:
        optimizer = telic.BootstrapRS(metric=exact, num_threads=64, racing=False)
        compiled = optimizer.compile(
            telic.Predict(Colour), trainset=rows(90), valset=rows(90, 100), restrict=[-2]
        )
    assert len(lm.asked) == cap == budget.spent.calls
    assert compiled.report.stopped
    assert compiled.report.spent.calls == cap
    assert lm.arrived.is_set()


def test_tokens_and_money_hold_too() -> None:
    lm = CrowdedLM(1)
    lm.kwargs["max_tokens"] = 3
    with telic.context(lm=lm), telic.budget(tokens=2000) as budget:
        telic.BootstrapRS(metric=exact, num_candidate_programs=3, num_threads=64).compile(
            telic.Predict(Colour), trainset=rows(90), valset=rows(90, 100)
        )
    assert 0 < budget.spent.tokens <= 2000


def test_a_budget_can_be_given_to_compile() -> None:
    lm = planted_lm()
    with telic.context(lm=lm):
        compiled = telic.BootstrapRS(metric=exact).compile(
            telic.Predict(Colour), trainset=rows(40), valset=rows(40, 100), budget=telic.budget(calls=30)
        )
        assert len(lm.asked) == 30
        assert "30 calls" in compiled.report.stopped
        telic.BootstrapFewShot(metric=exact).compile(
            telic.Predict(Colour), trainset=rows(40, 500), budget=telic.budget(calls=3)
        )
    assert len(lm.asked) == 33


def test_demos_found_before_the_cap_are_kept() -> None:
    lm = planted_lm()
    with telic.context(lm=lm, num_threads=1), telic.budget(calls=20):
        compiled = telic.BootstrapFewShot(
            metric=exact, max_bootstrapped_demos=8, max_labeled_demos=0
        ).compile(telic.Predict(Colour), trainset=rows(64))
    assert compiled.report.stopped
    assert [demo.colour for demo in compiled.demos] == ["red"] * 4


class Stepwise(Optimizer):
    """Runs a strategy given as a function."""

    def __init__(self, strategy: Any) -> None:
        self.metric = exact
        self.strategy = strategy

    def get_params(self) -> dict[str, Any]:
        return {}

    def compile(self, student: Any, *, trainset: Any) -> Any:
        problem = make_problem(student, trainset=trainset, valset=None, metric=self.metric)
        return self.run(problem, self.strategy(problem))


def test_a_few_lucky_examples_do_not_make_a_winner() -> None:
    def two(problem: Problem) -> Strategy:
        good = problem.start.with_demos({"self": [{"word": "a", "colour": c} for c in "abcd"]})
        lucky = problem.start.with_instructions({"self": "Say red."})
        labels = [{"word": f"{c}-0", "colour": c} for c in ("red", "green", "blue")]
        good = problem.start.with_demos({"self": labels})
        yield [Trial(good, tuple(range(20)), why="good")]
        yield [Trial(lucky, (0,), why="lucky")]
        yield [Trial(lucky, tuple(range(20)), why="lucky, all")]
        raise AssertionError("the cap comes before")

    with telic.context(lm=planted_lm(), num_threads=1), telic.budget(calls=21):
        compiled = Stepwise(two).compile(telic.Predict(Colour), trainset=rows(20))
    assert [ranked.label for ranked in compiled.report.ranking] == ["good", "lucky"]
    assert compiled.report.ranking[1].mean == 1.0
    assert len(compiled.demos) == 3


def test_what_an_unfinished_step_scored_counts() -> None:
    def one(problem: Problem) -> Strategy:
        yield [Trial(problem.start, tuple(range(20)), why="start")]
        raise AssertionError("the cap comes before")

    with telic.context(lm=planted_lm(), num_threads=1), telic.budget(calls=12):
        compiled = Stepwise(one).compile(telic.Predict(Colour), trainset=rows(20))
    scores = [score for score in compiled.report.ranking[0].scores.values() if score is not None]
    assert len(scores) == 12


def test_a_strategy_may_end_with_what_it_has_and_the_run_can_go_on() -> None:
    told: list[int] = []

    def asking(problem: Problem) -> Strategy:
        best = problem.start
        proposer = telic.Predict("task -> colour")
        for number in range(6):
            try:
                (reply,) = yield [Ask(proposer, {"task": f"red-{number}"})]
            except BudgetExceededError:
                break
            told.append(number)
            best = best.with_instructions({"self": f"{number}: {reply.value['colour']}"})
        return Choice(best, notes=("mine",))

    lm = planted_lm()
    with telic.context(lm=lm):
        with telic.budget(calls=4):
            first = Stepwise(asking).compile(telic.Predict(Colour), trainset=rows(4))
        assert first.signature.instructions == "3: red"
        assert first.report.notes[0] == "mine"
        assert "budget" in first.report.notes[1]
        second = Stepwise(asking).compile(telic.Predict(Colour), trainset=rows(4))
    assert second.signature.instructions == "5: red"
    assert second.report.run_id == first.report.run_id
    assert len(lm.asked) == 6
