"""Asking a metric about one predictor: `metric(gold, pred, trace, pred_name, pred_trace)`.

The score of a run is what the metric says when asked plainly, so that runs with and without feedback can be
compared; what it says when asked about a predictor by name is taken for its feedback alone.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

from telic.evaluate.metric import BoundMetric, score_of
from telic.signatures.validation import to_jsonable


@dataclass(frozen=True, slots=True)
class Told:
    """What a metric said of a run.

    Attributes:
        score: the plain score.
        feedback: what it said with it.
        by: predictor path to what it said of that predictor.
    """

    score: float
    feedback: Any
    by: Mapping[str, Any]


def asking_about(metric: BoundMetric, wanted: Sequence[str], paths: Mapping[int, str]) -> BoundMetric:
    """A metric that is asked plainly, and then about each of some predictors that were called in the run.

    Args:
        metric: what is asked; one that does not take a predictor is asked plainly alone.
        wanted: predictor paths.
        paths: `id` of a live predictor to its path.

    Returns:
        A metric that needs the trace, and gives a `Told`.
    """

    def questions(example: Any, prediction: Any, trace: Sequence[Any]) -> Iterator[tuple[str, Any]]:
        if not metric.takes_predictor:
            return
        for path in wanted:
            calls = [step for step in trace if paths.get(id(step[0])) == path]
            if calls:
                yield (
                    path,
                    lambda calls=calls, path=path: metric.metric(example, prediction, trace, path, calls),
                )

    def told(values: Sequence[Any], names: Sequence[str]) -> Told:
        score, feedback = score_of(values[0], metric, 0)
        read = [score_of(value, metric, 0) for value in values[1:]]
        by = {
            name: to_jsonable(said) for name, (_, said) in zip(names, read, strict=True) if said is not None
        }
        return Told(score, feedback, by)

    def asked(example: Any, prediction: Any, trace: Sequence[Any]) -> Any:
        about = list(questions(example, prediction, trace))
        names = [path for path, _ in about]
        calls: list[Callable[[], Any]] = [lambda: metric.plain(example, prediction), *(q for _, q in about)]
        first = calls[0]()
        if inspect.isawaitable(first):
            return _awaited(first, calls[1:], lambda values: told(values, names))
        return told([first, *(call() for call in calls[1:])], names)

    made = copy(metric)
    made.traced = asked
    return made


async def _awaited(first: Any, calls: Sequence[Callable[[], Any]], told: Callable[[list[Any]], Told]) -> Told:
    return told([await first, *[await call() for call in calls]])
