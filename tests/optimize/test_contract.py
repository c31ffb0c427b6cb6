"""The contract of optimizers: who keeps it, and that breaking it is noticed."""

from __future__ import annotations

import os
from typing import Any

import pytest

import telic
from telic.optimize.optimizer import Optimizer
from telic.optimize.problem import Problem, make_problem
from telic.optimize.strategy import Ask, Choice, Strategy, Trial
from telic.testing import check_deterministic, check_resume
from tests.optimize.planted import Colour, exact, planted_lm, rows

MAKERS = {
    "labelled": lambda: telic.LabeledFewShot(k=4),
    "bootstrap": lambda: telic.BootstrapFewShot(metric=exact, max_bootstrapped_demos=3),
    "rounds": lambda: telic.BootstrapFewShot(metric=exact, max_bootstrapped_demos=4, max_rounds=2),
    "search": lambda: telic.BootstrapRS(metric=exact, num_candidate_programs=2, max_labeled_demos=6),
    "one by one": lambda: telic.BootstrapRS(metric=exact, num_candidate_programs=1, stop_at_score=90.0),
}


@pytest.mark.parametrize("name", MAKERS)
def test_a_killed_compile_goes_on_to_the_same_result_without_paying_twice(name: str) -> None:
    with telic.context(lm=planted_lm()):
        check = check_resume(MAKERS[name], telic.Predict(Colour), trainset=rows(20), most=25)
    expected = {"started", "finished"} if name == "labelled" else {"started", "proposed", "scored", "told"}
    assert expected <= set(check.kinds)
    assert check.deaths > len(check.kinds)
    assert (check.calls > 0) is (check.metric_calls > 0) is (name != "labelled")


def searched() -> Any:
    with telic.context(lm=planted_lm()):
        return telic.BootstrapRS(metric=exact, num_candidate_programs=3, max_labeled_demos=6).compile(
            telic.Predict(Colour), trainset=rows(20), valset=rows(24, 100)
        )


def by_hash_seed() -> Any:
    program = telic.Predict(Colour)
    program.demos = rows(1, abs(hash("seed")) % 1000)
    return program


def test_equal_seeds_give_equal_candidates_in_every_process() -> None:
    assert '"shuffle 2"' in check_deterministic(searched)


def test_what_depends_on_the_process_is_noticed() -> None:
    with pytest.raises(AssertionError, match="different results"):
        check_deterministic(by_hash_seed)


class Custom(Optimizer):
    """Runs a strategy given as a function."""

    def __init__(self, strategy: Any, metric: Any = exact) -> None:
        self.strategy = strategy
        self.metric = metric

    def get_params(self) -> dict[str, Any]:
        return {}

    def compile(self, student: Any, *, trainset: Any) -> Any:
        problem = make_problem(student, trainset=trainset, valset=None, metric=self.metric)
        return self.run(problem, self.strategy(problem))


def check(strategy: Any) -> None:
    with telic.context(lm=planted_lm()):
        check_resume(lambda: Custom(strategy), telic.Predict(Colour), trainset=rows(6))


def test_chance_that_is_not_the_problems_own_is_noticed() -> None:
    def random(problem: Problem) -> Strategy:
        (result,) = yield [Trial(problem.start, problem.validation)]
        text = f"{result.mean} {os.urandom(4).hex()}"
        return Choice(problem.start.with_instructions({"self": text}))

    with pytest.raises(AssertionError, match="another result"):
        check(random)


def test_a_strategy_that_asks_behind_the_engines_back_is_noticed() -> None:
    def sly(problem: Problem) -> Strategy:
        telic.settings.lm.copy(cache=False)("blue-1")
        yield [Trial(problem.start, (0, 1))]
        return Choice(problem.start)

    with pytest.raises(AssertionError, match="1 made once more"):
        check(sly)


def test_asks_are_part_of_the_contract() -> None:
    def asking(problem: Problem) -> Strategy:
        proposer = telic.Predict("task -> colour")
        replies = yield [Ask(proposer, {"task": f"red-{n}"}, why="colours") for n in range(3)]
        told = " ".join(str(reply.value["colour"]) for reply in replies)
        yield [Trial(problem.start.with_instructions({"self": told}), (0, 1))]
        return Choice(problem.start.with_instructions({"self": told}))

    check(asking)
