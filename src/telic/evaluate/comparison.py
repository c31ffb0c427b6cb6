"""`telic.compare`: two programs, or two evaluations, on the same examples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from telic.errors import DataError
from telic.evaluate.evaluate import Evaluate
from telic.evaluate.metric import Metric
from telic.evaluate.pairing import Comparison, paired
from telic.evaluate.result import EvaluationResult


def compare(
    a: Any,
    b: Any,
    metric: Metric | None = None,
    devset: Sequence[Any] | None = None,
    *,
    confidence: float = 0.95,
    **options: Any,
) -> Comparison:
    """Is `b` better than `a`? A paired test over the same examples.

    Args:
        a: a program, or its `EvaluationResult`.
        b: a program, or its `EvaluationResult`.
        metric: needed where one of them is a program.
        devset: needed where one of them is a program and the other is no result to take the examples from.
        confidence: coverage of the interval of the difference.
        **options: of `Evaluate`, for the programs.

    Raises:
        DataError: no devset is known, the results are of different examples, or no example has two scores.
    """
    if devset is None:
        known = next((side for side in (a, b) if isinstance(side, EvaluationResult)), None)
        devset = [outcome.example for outcome in known.outcomes] if known is not None else []
    first, second = (
        side
        if isinstance(side, EvaluationResult)
        else Evaluate(devset=devset, metric=metric, **options)(side)
        for side in (a, b)
    )
    return compare_results(first, second, confidence=confidence)


def compare_results(a: EvaluationResult, b: EvaluationResult, *, confidence: float = 0.95) -> Comparison:
    """A paired test of two evaluations.

    Raises:
        DataError: they are of different examples, or no example has two scores.
    """
    if len(a) != len(b):
        raise DataError(
            f"The two results are of {len(a)} and {len(b)} examples; a paired test needs the same ones."
        )
    for one, other in zip(a.outcomes, b.outcomes, strict=True):
        if one.example is not other.example and one.example != other.example:
            raise DataError(
                f"The two results are of different examples: at {one.index} and {other.index} they are "
                f"{one.example!r:.200} and {other.example!r:.200}."
            )
    return paired(a.scores, b.scores, confidence=confidence)
