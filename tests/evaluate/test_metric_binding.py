"""How metrics are called, which are refused, and what they may return."""

from __future__ import annotations

import inspect
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from telic.data import Prediction
from telic.errors import MetricError
from telic.evaluate.metric import bind_metric, score_of


def two(example: Any, pred: Any) -> tuple[Any, ...]:
    return (example, pred)


def three(example: Any, pred: Any, trace: Any = None) -> tuple[Any, ...]:
    return (example, pred, trace)


def three_needed(example: Any, pred: Any, trace: Any) -> tuple[Any, ...]:
    return (example, pred, trace)


def five(gold: Any, pred: Any, trace: Any, pred_name: Any, pred_trace: Any) -> tuple[Any, ...]:
    return (gold, pred, trace, pred_name, pred_trace)


def five_optional(
    gold: Any, pred: Any, trace: Any = None, pred_name: Any = None, pred_trace: Any = None
) -> Any:
    return (gold, pred, trace, pred_name, pred_trace)


def threshold(example: Any, pred: Any, least: float = 0.5) -> tuple[Any, ...]:
    return (example, pred, least)


def keyword(example: Any, pred: Any, *, least: float) -> tuple[Any, ...]:
    return (example, pred, least)


class Judge:
    def forward(self, example: Any, pred: Any, trace: Any = None) -> tuple[Any, ...]:
        return (example, pred, trace)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.forward(*args, **kwargs)


@pytest.mark.parametrize(
    ("metric", "plain", "traced"),
    [
        (two, ("e", "p"), ("e", "p")),
        (three, ("e", "p", None), ("e", "p", "t")),
        (three_needed, ("e", "p", None), ("e", "p", "t")),
        (five, ("e", "p", None, None, None), ("e", "p", "t", None, None)),
        (five_optional, ("e", "p", None, None, None), ("e", "p", "t", None, None)),
        (threshold, ("e", "p", 0.5), ("e", "p", 0.5)),
        (partial(keyword, least=0.7), ("e", "p", 0.7), ("e", "p", 0.7)),
        (lambda *args: args, ("e", "p"), ("e", "p", "t")),
        (lambda e, p, t=None: (e, p, t), ("e", "p", None), ("e", "p", "t")),
        (Judge(), ("e", "p", None), ("e", "p", "t")),
    ],
)
def test_calling(metric: Any, plain: tuple[Any, ...], traced: tuple[Any, ...]) -> None:
    bound = bind_metric(metric)
    assert bound.plain("e", "p") == plain
    assert bound.traced("e", "p", "t") == traced
    assert bind_metric(bound) is bound


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        (None, "There is no metric"),
        ("answer_exact_match", "cannot be called"),
        (Judge, r"is a class. Make an instance: metric=Judge\(\)"),
        (lambda pred: True, r"<lambda>\(pred\) takes 1 positional argument; what is called is metric\("),
        (lambda: True, "takes 0 positional arguments"),
        (lambda a, b, c, d: True, r"takes 4 positional arguments"),
        (keyword, r"keyword\(.*\) needs least by name"),
    ],
)
def test_refused_before_anything_is_paid_for(metric: Any, message: str) -> None:
    with pytest.raises(MetricError, match=message):
        bind_metric(metric)


def test_async_metrics_are_known() -> None:
    async def metric(example: Any, pred: Any) -> bool:
        return True

    class Caller:
        async def __call__(self, example: Any, pred: Any) -> bool:
            return True

    for one in (metric, Caller(), partial(metric)):
        assert bind_metric(one).is_async
    assert not bind_metric(two).is_async
    coroutine = bind_metric(metric).plain("e", "p")
    assert inspect.iscoroutine(coroutine)
    coroutine.close()


@pytest.mark.parametrize(
    ("value", "score", "feedback"),
    [
        (True, 1.0, None),
        (0, 0.0, None),
        (0.25, 0.25, None),
        (Decimal("0.5"), 0.5, None),
        (Prediction(score=0.5, feedback="late"), 0.5, "late"),
        (Prediction(score=True), 1.0, None),
        ({"score": 1, "feedback": "good"}, 1.0, "good"),
    ],
)
def test_scores(value: Any, score: float, feedback: Any) -> None:
    assert score_of(value, bind_metric(two), 3) == (score, feedback)


def test_numpy_scores() -> None:
    numpy = pytest.importorskip("numpy")
    assert score_of(numpy.bool_(True), bind_metric(two), 0) == (1.0, None)
    assert score_of(numpy.float32(0.5), bind_metric(two), 0) == (0.5, None)


@pytest.mark.parametrize(
    "value", [None, "yes", "1.0", [1.0], {}, Prediction(answer="x"), Prediction(score="high")]
)
def test_what_is_no_score(value: Any) -> None:
    with pytest.raises(MetricError, match=r"metric 'two' returned .* for example 7. It must return a bool"):
        score_of(value, bind_metric(two), 7)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Prediction(score=float("nan"))])
def test_scores_are_finite(value: Any) -> None:
    with pytest.raises(MetricError, match="a score is finite"):
        score_of(value, bind_metric(two), 7)
