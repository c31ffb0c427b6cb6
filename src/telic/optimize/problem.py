"""What a compile is about: programs, data, metric, seed; and the fingerprint that tells one problem from
another.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from telic._json import stable_hash
from telic.errors import CompileError, DataError
from telic.evaluate.metric import BoundMetric, bind_metric
from telic.optimize.fingerprint import code_fingerprint
from telic.program.state import ProgramState
from telic.runtime.rng import rng
from telic.runtime.settings import settings


@dataclass(frozen=True)
class Problem:
    """A program to compile, with everything a strategy may look at.

    Attributes:
        student: the program to compile; never changed.
        teacher: the program that makes demonstrations; its predictors have the student's paths and
            signatures.
        trainset: examples to learn from.
        valset: examples to choose by.
        metric: how an answer is scored; `None` where nothing is scored.
        seed: of every random choice.
        teacher_settings: settings the teacher runs under.
        threshold: the score from which a teacher's answer is good enough to learn from; `None`: any score
            above 0.
        failure_score: score of an answer that could not be read.
        further_teachers: more teachers, told from each other by their states.
    """

    student: Any
    teacher: Any
    trainset: Sequence[Any]
    valset: Sequence[Any]
    metric: BoundMetric | None
    seed: int = 0
    teacher_settings: Mapping[str, Any] = field(default_factory=dict)
    threshold: float | None = None
    failure_score: float = 0.0
    further_teachers: tuple[Any, ...] = ()

    def teacher_of(self, candidate: ProgramState) -> Any:
        """The teacher whose state a candidate is, or is but for its demos; else the first."""
        for teacher in self.further_teachers:
            if _same_but_demos(ProgramState.of(teacher), candidate):
                return teacher
        return self.teacher

    @property
    def start(self) -> ProgramState:
        """The student's state as it was given."""
        return ProgramState.of(self.student)

    @property
    def validation(self) -> tuple[int, ...]:
        """Positions of all validation examples."""
        return tuple(range(len(self.valset)))

    def rng(self, *purpose: Any) -> random.Random:
        """A random generator of its own for each purpose, the same in every process."""
        return rng(self.seed, *purpose)

    def good(self, score: float | None) -> bool:
        """Whether a teacher's answer is good enough to learn from."""
        if score is None:
            return False
        return score > 0 if self.threshold is None else score >= self.threshold

    def fingerprints(self) -> dict[str, str]:
        """What the outcome depends on, each part hashed by itself, so that a change can be named."""
        return {
            "program": stable_hash(
                [code_fingerprint(type(self.student)), self.start.hash, _lms(self.student)]
            ),
            "teacher": stable_hash(
                [
                    part
                    for teacher in (self.teacher, *self.further_teachers)
                    for part in (
                        code_fingerprint(type(teacher)),
                        ProgramState.of(teacher).hash,
                        _lms(teacher),
                    )
                ]
            ),
            "trainset": stable_hash([_row(example) for example in self.trainset]),
            "valset": stable_hash([_row(example) for example in self.valset]),
            "metric": code_fingerprint(self.metric.metric) if self.metric else "none",
            "settings": stable_hash(
                [_lm(settings.lm), _adapter(settings.adapter), self.threshold, self.seed]
            ),
        }


def make_problem(
    student: Any,
    *,
    trainset: Sequence[Any],
    valset: Sequence[Any] | None,
    metric: Any,
    teacher: Any = None,
    seed: int = 0,
    teacher_settings: Mapping[str, Any] | None = None,
    threshold: float | None = None,
    failure_score: float = 0.0,
) -> Problem:
    """Check everything that can be checked before a call is paid for.

    Raises:
        CompileError: the student has no predictors, or the teacher's do not match them.
        DataError: an empty set, or an example without inputs.
        MetricError: the metric cannot be called.
    """
    if not hasattr(student, "named_predictors"):
        raise CompileError(f"The student must be a telic.Module, not {type(student).__name__}.")
    if not student.named_predictors():
        raise CompileError(
            f"{type(student).__name__} has no predictors to compile. Make them attributes in __init__ "
            f"(self.answer = telic.Predict(…)); a module that is already compiled is left as it is."
        )
    teacher = teacher if teacher is not None else student
    _check_pair(student, teacher)
    valset = trainset if valset is None else valset
    _check_examples(trainset, "trainset")
    _check_examples(valset, "valset")
    return Problem(
        student,
        teacher,
        list(trainset),
        list(valset),
        bind_metric(metric) if metric is not None else None,
        seed,
        dict(teacher_settings or {}),
        threshold,
        failure_score,
    )


def kept_back(
    trainset: Sequence[Any], valset: Sequence[Any] | None, share: Callable[[int], int], who: str
) -> tuple[Sequence[Any], Sequence[Any]]:
    """Examples to learn from and to choose by; without the latter, the last of the trainset are kept back.

    Args:
        trainset: examples to learn from.
        valset: examples to choose by, if there are any.
        share: how many to keep back of so many.
        who: the optimizer, for the message.

    Raises:
        DataError: a single example cannot be split in two.
    """
    if valset is not None or not trainset:
        return trainset, trainset if valset is None else valset
    if len(trainset) < 2:
        raise DataError(f"{who} splits the trainset where there is no valset; it needs at least 2 examples.")
    count = share(len(trainset))
    return trainset[:-count], trainset[-count:]


def _check_pair(student: Any, teacher: Any) -> None:
    mine = {path: list(p.signature.output_fields) for path, p in student.named_predictors()}
    theirs = {path: list(p.signature.output_fields) for path, p in teacher.named_predictors()}
    if mine.keys() != theirs.keys():
        raise CompileError(
            f"Student and teacher must have the same predictors. Only the student has "
            f"{sorted(mine.keys() - theirs.keys())}, only the teacher {sorted(theirs.keys() - mine.keys())}."
        )
    for path, fields in mine.items():
        if fields != theirs[path]:
            raise CompileError(
                f"{path}: the student gives {fields}, the teacher {theirs[path]}; they must agree."
            )


def _same_but_demos(one: ProgramState, other: ProgramState) -> bool:
    bare = [state.with_demos(dict.fromkeys(state.paths, ())) for state in (one, other)]
    return bare[0] == bare[1]


def _check_examples(examples: Sequence[Any], name: str) -> None:
    if not examples:
        raise DataError(f"The {name} is empty: a compile needs examples.")
    for index, example in enumerate(examples):
        if not hasattr(example, "inputs"):
            raise DataError(f"{name}[{index}] is a {type(example).__name__}; make it a telic.Example.")
        try:
            example.inputs()
        except ValueError as error:
            raise DataError(
                f"{name}[{index}] does not say which fields are inputs: call .with_inputs('question', …) on "
                "it."
            ) from error


def _row(example: Any) -> Any:
    return [example.toDict(), sorted(example.inputs().keys())]


def _lms(program: Any) -> list[Any]:
    return [_lm(predictor.lm) for _, predictor in program.named_predictors()]


def _lm(lm: Any) -> Any:
    return None if lm is None else [lm.dump_state(), lm.endpoint]


def _adapter(adapter: Any) -> Any:
    return adapter.to_json() if hasattr(adapter, "to_json") else repr(adapter) if adapter else None
