"""Bootstrapped demonstrations: the teacher answers training examples, and what the metric accepts is kept.

From the DSPy work (Khattab et al., 2023, arXiv:2310.03714, section 4): the trace of a good run gives every
predictor of the pipeline a demonstration, also where the data has no label for its step.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from telic.errors import BudgetExceededError
from telic.optimize.problem import Problem
from telic.optimize.strategy import Outcome, Result, Trial
from telic.program.state import ProgramState

_WAVE = 8
"""Least number of examples tried at once, so that a concurrent LM is kept busy."""


@dataclass
class Bootstrapped:
    """What a teacher's runs gave.

    Attributes:
        demos: predictor path to its demos, in the order of the examples.
        used: positions of the training examples they come from.
        tried: how many examples were run.
    """

    demos: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)
    used: list[int] = field(default_factory=list)
    tried: int = 0

    @property
    def said(self) -> str:
        """How many there were of how many, as a note."""
        return f"{len(self.used)} of {self.tried} runs of the teacher were good enough to learn from."


def bootstrap(
    problem: Problem, teacher: ProgramState, order: Sequence[int], *, count: int, rounds: int = 1
) -> Generator[Sequence[Trial], Sequence[Result], Bootstrapped]:
    """Run the teacher on training examples until `count` of them gave good runs; a part of strategies.

    Examples are run in waves, concurrently; within a wave those that come first in `order` are preferred, so
    the outcome does not depend on which answer arrived first. An example whose run was not good is tried
    again, up to `rounds` times, with other samples.

    A budget reached ends it with what was found before.

    Args:
        problem: what is compiled.
        teacher: the teacher's state.
        order: training examples to try, in this order.
        count: good examples wanted.
        rounds: tries of each example.
    """
    made = Bootstrapped({path: [] for path in problem.start.paths})
    waiting = list(order)
    while waiting and len(made.used) < count:
        wave, waiting = _next_wave(waiting, count - len(made.used))
        good: dict[int, Outcome] = {}
        for rollout in range(rounds):
            open_ = tuple(e for e in wave if e not in good)
            if not open_:
                break
            trial = Trial(
                teacher, open_, "train", teacher=True, rollout=rollout, keep_steps=True, why="bootstrap demos"
            )
            try:
                (result,) = yield [trial]
            except BudgetExceededError:
                return made
            good |= {o.example: o for o in result.outcomes if accepted(problem, o)}
        made.tried += len(wave)
        for example in wave:
            if example in good and len(made.used) < count:
                made.used.append(example)
                _collect(made, good[example], problem)
    return made


def _next_wave(waiting: list[int], wanted: int) -> tuple[list[int], list[int]]:
    size = max(_WAVE, 2 * wanted)
    return waiting[:size], waiting[size:]


def accepted(problem: Problem, outcome: Outcome) -> bool:
    """Whether a teacher's run is one to learn from: read, with steps, and good by the metric, if any."""
    if outcome.failure is not None or not outcome.steps:
        return False
    return problem.metric is None or problem.good(outcome.score)


def _collect(made: Bootstrapped, outcome: Outcome, problem: Problem) -> None:
    by_path: dict[str, list[Mapping[str, Any]]] = {}
    for path, values in outcome.steps:
        by_path.setdefault(path, []).append(values)
    for path, steps in by_path.items():
        if path not in made.demos:
            continue
        # A predictor called several times in one run gives one demo: the last half of the time, since it has
        # seen the most, else one of the others. (All of them would be near-copies of each other.)
        random_ = problem.rng("step", path, outcome.example)
        chosen = steps[-1] if len(steps) == 1 or random_.random() < 0.5 else random_.choice(steps[:-1])
        made.demos[path].append({"augmented": True, **chosen})
