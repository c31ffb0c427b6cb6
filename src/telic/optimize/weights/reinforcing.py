"""The strategy of reinforcement: sample runs, reward them, train, and again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from telic.errors import BudgetExceededError
from telic.finetune.data import TrainingExample, TrainingSet
from telic.finetune.lengths import fitting
from telic.lm.base import BaseLM
from telic.optimize.problem import Problem
from telic.optimize.strategy import Choice, Evaluating, Outcome, Ranked, Strategy, Trial
from telic.optimize.weights.groups import Rewards, Shape, advantages, by_example
from telic.optimize.weights.optimizer import AS_GIVEN
from telic.optimize.weights.parts import Part, Writer, with_trained
from telic.optimize.weights.training import Diary, Planned, spec_of, trained_by, training_asks
from telic.program.state import ProgramState

if TYPE_CHECKING:
    from telic.finetune.backend import Backend


@dataclass(frozen=True)
class Course:
    """How a program is reinforced.

    Attributes:
        writer: writes the training examples.
        parts: what is trained, and by whom.
        steps: trainings.
        examples: training examples in each.
        rollouts: runs of each of these.
        measure_every: steps between two measurements on the validation examples; the last step is always
            measured.
        measured: measure at all, and keep the best.
        rewards: of runs without a score.
        shape: of groups.
        diary: where it is noted what was trained.
    """

    writer: Writer
    parts: Sequence[tuple[Part, Backend]]
    steps: int
    examples: int
    rollouts: int
    measure_every: int
    measured: bool
    rewards: Rewards
    shape: Shape
    diary: Diary = field(default_factory=Diary)


@dataclass
class _Progress:
    """Where a course is."""

    state: ProgramState
    ranking: list[Ranked] = field(default_factory=list)
    lms: dict[str, BaseLM] = field(default_factory=dict)
    folders: dict[tuple[str, ...], Path | None] = field(default_factory=dict)
    trained: int = 0
    idle: int = 0


def reinforced(problem: Problem, course: Course) -> Strategy:
    """Sample, reward, train; the best that was measured, else the last."""
    at = _Progress(problem.start)
    try:
        if course.measured:
            at.ranking.append((yield from _measured(problem, at.state, AS_GIVEN)))
        for number in range(course.steps):
            yield from _step(problem, course, at, number)
            due = (number + 1) % course.measure_every == 0 or number + 1 == course.steps
            if course.measured and due and at.ranking[-1].candidate != at.state:
                at.ranking.append((yield from _measured(problem, at.state, f"after step {number + 1}")))
    except BudgetExceededError:
        return _choice(course, at, "A budget ended the training early.")
    return _choice(course, at)


def _step(problem: Problem, course: Course, at: _Progress, number: int) -> Any:
    examples = drawn(problem, number, course.examples)
    first = 1 + number * course.rollouts
    trials = [
        Trial(
            at.state, examples, "train", rollout=first + n, keep_steps=True, why=f"step {number + 1}, rollout"
        )
        for n in range(course.rollouts)
    ]
    results = yield trials
    groups = by_example([result.outcomes for result in results])
    worth = False
    for part, backend in course.parts:
        rows = _rows(problem, course, part, groups, number)
        data, _ = fitting(TrainingSet("reinforce", tuple(rows), {"step": number + 1}), part.lm)
        if not data.rows:
            continue
        worth = True
        spec = spec_of(part, data, start=at.folders.get(part.paths))
        planned = Planned(part, backend, spec)
        course.diary.planned.append(planned)
        (reply,) = yield training_asks([planned], f"step {number + 1}, train")
        trained, lm = trained_by(planned, reply)
        course.diary.trained.append((part, trained))
        at.folders[part.paths] = trained.folder
        at.lms |= dict.fromkeys(part.paths, lm)
    at.trained += worth
    at.idle += not worth
    dropped = tuple(at.lms) if course.writer.exclude_demos else ()
    at.state = with_trained(problem.start, at.lms, without_demos=dropped)


def drawn(problem: Problem, number: int, count: int) -> tuple[int, ...]:
    """The training examples of a step: each comes once before any comes again, in another order each time."""
    size = len(problem.trainset)
    chosen = []
    for place in range(number * count, (number + 1) * count):
        order = list(range(size))
        problem.rng("epoch", place // size).shuffle(order)
        chosen.append(order[place % size])
    return tuple(dict.fromkeys(chosen))


def _rows(
    problem: Problem, course: Course, part: Part, groups: Sequence[Sequence[Outcome]], number: int
) -> list[TrainingExample]:
    rows = []
    for rollouts in groups:
        dice = problem.rng("fill", number, part.label, rollouts[0].example)
        rows += advantages(problem, course.writer, part, rollouts, course.rewards, course.shape, dice)
    return rows


def _measured(problem: Problem, state: ProgramState, label: str) -> Evaluating[Ranked]:
    (result,) = yield [Trial(state, problem.validation, why=label)]
    return Ranked(state, label, {o.example: o.score for o in result.outcomes})


def _choice(course: Course, at: _Progress, *more: str) -> Choice:
    notes = [
        f"{at.trained} steps trained on rollouts whose rewards differ; {at.idle} had none to learn from."
    ]
    if not at.trained and not more:
        notes.append(
            "In every group all runs were rewarded alike. More rollouts for each example, or a metric with "
            "values between 0 and 1, may tell them apart."
        )
    ranking = sorted(at.ranking, key=lambda ranked: -ranked.mean)
    best = ranking[0].candidate if ranking else at.state
    return Choice(best, tuple(ranking), (*notes, *more))
