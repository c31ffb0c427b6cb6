"""Runs of teachers to learn from: those that the metric accepts, or all where there is none."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Any

from telic.errors import BudgetExceededError, TrainingError
from telic.optimize.demos.bootstrap import accepted
from telic.optimize.problem import Problem
from telic.optimize.strategy import Outcome, Result, Trial
from telic.program.state import ProgramState

_WAVE = 32
"""Examples asked for at once: what a budget that ends leaves is at most so few short."""


@dataclass
class Runs:
    """What the teachers did.

    Attributes:
        good: runs to learn from, by teacher and then by example.
        tried: how many there were.
        unread: of these, answers that could not be read.
        stopped: a budget ended them.
    """

    good: list[Outcome] = field(default_factory=list)
    tried: int = 0
    unread: int = 0
    stopped: bool = False

    @property
    def said(self) -> str:
        """In a sentence."""
        return f"{len(self.good)} of {self.tried} runs of the teacher were good enough to learn from."


def teacher_runs(
    problem: Problem, teachers: Sequence[Any], rounds: int, *, by_answer: bool = False
) -> Generator[Sequence[Trial], Sequence[Result], Runs]:
    """Run each teacher on every training example; a part of strategies.

    Args:
        problem: what is compiled.
        teachers: the problem's teacher, and its further ones.
        rounds: tries of each example by each teacher, after the first at temperature 1, until one is good.
        by_answer: the answers are learnt, not the steps to them.
    """
    runs = Runs()
    everything = range(len(problem.trainset))
    try:
        for teacher in teachers:
            state = ProgramState.of(teacher)
            for start in range(0, len(everything), _WAVE):
                wave = everything[start : start + _WAVE]
                yield from _wave(problem, runs, state, wave, rounds, by_answer=by_answer)
    except BudgetExceededError:
        runs.stopped = True
    return runs


def _wave(
    problem: Problem, runs: Runs, state: ProgramState, wave: Sequence[int], rounds: int, *, by_answer: bool
) -> Generator[Sequence[Trial], Sequence[Result], None]:
    good: dict[int, Outcome] = {}
    for rollout in range(rounds):
        open_ = tuple(example for example in wave if example not in good)
        if not open_:
            break
        trial = Trial(
            state, open_, "train", teacher=True, rollout=rollout, keep_steps=True, why="run the teacher"
        )
        (result,) = yield [trial]
        runs.tried += len(open_)
        runs.unread += sum(outcome.failure is not None for outcome in result.outcomes)
        taken = answered if by_answer else accepted
        good |= {o.example: o for o in result.outcomes if taken(problem, o)}
    runs.good += [good[example] for example in wave if example in good]


def answered(problem: Problem, outcome: Outcome) -> bool:
    """Whether a run is one whose answer is to be learnt, however it came to it."""
    if outcome.failure is not None or outcome.output is None:
        return False
    return problem.metric is None or problem.good(outcome.score)


def nothing_to_learn_from(problem: Problem, runs: Runs) -> TrainingError:
    """The error where no run is left, with what to do about it."""
    unread = f", {runs.unread} of them with answers that could not be read" if runs.unread else ""
    if problem.metric is None:
        advice = "Look at what the teacher answers: telic.inspect_history()."
    else:
        advice = (
            "Look at what the metric says of the teacher's answers, as with telic.Evaluate(devset=trainset, "
            "metric=metric)(teacher). A metric that rejects everything often compares with a label that is "
            "not there, or is stricter when it is given a trace; a better teacher, metric_threshold=…, or "
            "max_rounds=… for more tries of each example may help; metric=None takes every answer."
        )
    return TrainingError(
        f"There is nothing to train on: none of the {runs.tried} runs of the teacher was accepted{unread}. "
        f"{advice}"
    )
