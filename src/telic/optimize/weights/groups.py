"""Groups of rollouts, and how much better than its group each of their answers is.

Group-relative advantages: Shao et al. (2024), "DeepSeekMath" (arXiv:2402.03300), section 4.1. A program calls
a predictor once, several times or not at all, so groups are made for each call of each predictor.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, pstdev
from typing import Any, Literal, TypeAlias

from telic.finetune.data import TrainingExample
from telic.optimize.problem import Problem
from telic.optimize.strategy import Outcome
from telic.optimize.weights.parts import Part, Writer
from telic.program.predictor_state import demo_to_json

Grouping: TypeAlias = Literal["truncate", "fill", "ragged"]
Fill: TypeAlias = Literal["randint", "max"]

_LEAST_SPREAD = 1e-6
"""A group whose rewards differ by less teaches nothing."""


@dataclass(frozen=True, slots=True)
class Rewards:
    """What a run is rewarded with where the metric gives no score.

    Attributes:
        failure: of a run that ended in an error.
        unread: of a run with an answer that could not be read.
    """

    failure: float
    unread: float

    def of(self, outcome: Outcome) -> float:
        """The reward of a run."""
        if outcome.failure is not None:
            return self.unread
        return self.failure if outcome.score is None else outcome.score


@dataclass(frozen=True, slots=True)
class Shape:
    """How calls are put into groups where rollouts call a predictor unequally often.

    Attributes:
        grouping: take as many calls as the rollout with the fewest has, fill up those that have fewer, or
            leave groups of different sizes.
        fill: which call fills up: any, or the last.
    """

    grouping: Grouping = "truncate"
    fill: Fill | None = None


def advantages(
    problem: Problem,
    writer: Writer,
    part: Part,
    rollouts: Sequence[Outcome],
    rewards: Rewards,
    shape: Shape,
    dice: random.Random,
) -> list[TrainingExample]:
    """Training examples of the rollouts of one example, each with its advantage.

    Args:
        problem: whose example.
        writer: writes the examples.
        part: whose predictors.
        rollouts: runs of one example.
        rewards: of runs without a score.
        shape: of groups.
        dice: draws the calls that fill up.

    Returns:
        Nothing where all rewards are the same.
    """
    rows: list[TrainingExample] = []
    for path in part.paths:
        calls = [list(_calls(problem, writer, part, path, outcome)) for outcome in rollouts]
        for group in _groups(calls, shape, dice):
            scored = [(row, rewards.of(rollouts[number])) for number, row in group]
            values = [reward for _, reward in scored]
            spread = pstdev(values) if len(values) > 1 else 0.0
            if spread < _LEAST_SPREAD:
                continue
            mean = fmean(values)
            rows += [replace(row, advantage=round((value - mean) / spread, 6)) for row, value in scored]
    return rows


def _calls(
    problem: Problem, writer: Writer, part: Part, path: str, outcome: Outcome
) -> Iterator[TrainingExample]:
    """Calls of a predictor in a run, the one that could not be read last."""
    for called, values in outcome.steps:
        if called == path and (row := writer.example(part, path, values)) is not None:
            yield row
    if outcome.unread is not None and outcome.unread[0] == path:
        known: dict[str, Any] = demo_to_json(problem.trainset[outcome.example].inputs())
        for _, values in outcome.steps:
            known |= values
        row = writer.unread(part, path, known, outcome.unread[1])
        if row is not None:
            yield row


def _groups(
    calls: Sequence[Sequence[TrainingExample]], shape: Shape, dice: random.Random
) -> Iterator[list[tuple[int, TrainingExample]]]:
    """Of each call's number, the rollouts that have it."""
    counts = [len(each) for each in calls]
    if shape.grouping == "truncate":
        wanted = min((count for count in counts if count), default=0)
    else:
        wanted = max(counts, default=0)
    for number in range(wanted):
        group = []
        for rollout, each in enumerate(calls):
            if number < len(each):
                group.append((rollout, each[number]))
            elif shape.grouping == "fill" and each:
                group.append((rollout, each[-1] if shape.fill == "max" else dice.choice(list(each))))
        yield group


def by_example(outcomes: Sequence[Sequence[Outcome]]) -> list[list[Outcome]]:
    """Rollouts of each example, of results that have the same examples in the same order."""
    return [list(rollouts) for rollouts in zip(*outcomes, strict=True)]
