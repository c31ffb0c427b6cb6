"""What a metric is, checked before anything is paid for, and what it may return.

A metric is a callable of `(example, prediction)` or `(example, prediction, trace)`, sync or async: a
function, a `functools.partial`, an object with `__call__`, a module. `trace` is `None` in an evaluation and
the list of predictor calls while demonstrations are bootstrapped, where metrics are often stricter. The form
with five arguments, `(gold, pred, trace, pred_name, pred_trace)`, is accepted too; the last two are `None`,
but where an optimizer asks for feedback on one predictor: its path, and its calls in that run.

It returns a bool, a number, or anything with a `.score` (and maybe a `.feedback`), such as
`Prediction(score=0.5, feedback="the date is missing")`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from math import isfinite
from typing import Any, TypeAlias

from telic.data.example import Example
from telic.errors import MetricError

_EXPECTED = "metric(example, prediction) or metric(example, prediction, trace=None)"
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


class BoundMetric:
    """A metric whose way of being called is known.

    Attributes:
        metric: what the user gave.
        name: how messages call it.
        is_async: calling it gives a coroutine.
        plain: `plain(example, prediction)` calls it without a trace.
        traced: `traced(example, prediction, trace)` calls it with one, where it takes one.
        takes_predictor: it takes a predictor's path and calls as fourth and fifth argument.
    """

    __slots__ = ("is_async", "metric", "name", "plain", "takes_predictor", "traced")

    def __init__(
        self, metric: Callable[..., Any], *, takes_trace: bool, needs: int, takes_predictor: bool = False
    ) -> None:
        self.metric = metric
        self.name = metric_name(metric)
        self.is_async = _is_async(metric)
        self.takes_predictor = takes_predictor
        self.plain: Callable[[Any, Any], Any] = metric
        self.traced: Callable[[Any, Any, Any], Any] = metric
        if needs > 2:
            absent = (None,) * (needs - 3)
            self.plain = lambda example, prediction: metric(example, prediction, None, *absent)
            self.traced = lambda example, prediction, trace: metric(example, prediction, trace, *absent)
        elif not takes_trace:
            self.traced = lambda example, prediction, trace: metric(example, prediction)

    def __repr__(self) -> str:
        return f"BoundMetric({self.name})"


Metric: TypeAlias = Callable[..., Any] | BoundMetric


def bind_metric(metric: Any) -> BoundMetric:
    """Find out how to call a metric.

    Raises:
        MetricError: it cannot be called, or not with `(example, prediction[, trace])`.
    """
    if isinstance(metric, BoundMetric):
        return metric
    if metric is None:
        raise MetricError(
            f"There is no metric. Give one: Evaluate(devset=..., metric=...), where {_EXPECTED}."
        )
    if not callable(metric):
        raise MetricError(f"The metric {metric!r} cannot be called. It must be a function: {_EXPECTED}.")
    if isinstance(metric, type):
        raise MetricError(
            f"The metric {metric.__name__} is a class. Make an instance: metric={metric.__name__}()."
        )
    try:
        signature = inspect.signature(_entry(metric))
    except (TypeError, ValueError):
        # Functions written in C may not tell; they are taken at their word.
        return BoundMetric(metric, takes_trace=False, needs=2)
    return _fitted(metric, signature)


def _fitted(metric: Callable[..., Any], signature: inspect.Signature) -> BoundMetric:
    parameters = list(signature.parameters.values())
    positional = [p for p in parameters if p.kind in _POSITIONAL]
    any_number = any(p.kind is inspect.Parameter.VAR_POSITIONAL for p in parameters)
    needs = sum(p.default is p.empty for p in positional)
    named = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is p.empty]
    bare = [p.replace(annotation=p.empty) for p in parameters]
    text = f"{metric_name(metric)}{signature.replace(parameters=bare, return_annotation=signature.empty)}"
    if named:
        raise MetricError(
            f"The metric {text} needs {', '.join(named)} by name, which nobody gives. Fix it with "
            f"functools.partial(metric, {named[0]}=...), or write {_EXPECTED}."
        )
    if needs not in (0, 1, 2, 3, 5) or (len(positional) < 2 and not any_number):
        raise MetricError(
            f"The metric {text} takes {_count(needs, len(positional))}; what is called is {_EXPECTED}."
        )
    third = positional[2] if len(positional) > 2 else None
    # A third parameter with a default of its own, such as a threshold, is not the trace.
    takes_trace = (
        any_number if third is None else third.name == "trace" or third.default in (third.empty, None)
    )
    about = needs == 5 or (len(positional) > 4 and positional[3].name == "pred_name")
    return BoundMetric(metric, takes_trace=takes_trace, needs=needs, takes_predictor=about)


def _count(needs: int, most: int) -> str:
    number = str(needs) if needs == most else f"{needs} to {most}"
    return f"{number} positional argument{'' if most == 1 else 's'}"


def _entry(metric: Any) -> Any:
    """Where a metric's parameters are written: a module's `forward`, else the callable itself."""
    for name in ("forward", "aforward"):
        method = getattr(metric, name, None)
        if inspect.ismethod(method):
            return method
    return metric


def _is_async(metric: Any) -> bool:
    inner = metric.func if isinstance(metric, partial) else metric
    return inspect.iscoroutinefunction(inner) or inspect.iscoroutinefunction(type(inner).__call__)


def metric_name(metric: Any) -> str:
    """How messages call a metric: a function's name, an object's class."""
    inner = metric.func if isinstance(metric, partial) else metric
    return str(getattr(inner, "__name__", None) or type(inner).__name__)


def score_of(value: Any, metric: BoundMetric, index: int) -> tuple[float, Any]:
    """Read what a metric returned for example `index`: `(score, feedback or None)`.

    Raises:
        MetricError: it is not a finite number, nor an object with such a `.score`.
    """
    kind = type(value)
    if kind is bool or kind is int or kind is float:
        score, feedback = float(value), None
    else:
        score, feedback = _from_object(value, metric, index)
    if not isfinite(score):
        raise MetricError(
            f"The metric '{metric.name}' returned {_shown(value)} for example {index}; a score is finite."
        )
    return score, feedback


def _from_object(value: Any, metric: BoundMetric, index: int) -> tuple[float, Any]:
    if isinstance(value, (Mapping, Example)):
        score, feedback = value.get("score"), value.get("feedback")
    elif hasattr(value, "score"):
        score, feedback = value.score, getattr(value, "feedback", None)
    else:
        score, feedback = value, None
    # Numbers of other libraries (numpy's, Decimal, Fraction) know __float__; texts and None do not.
    if isinstance(score, (bool, int, float)) or (
        hasattr(score, "__float__") and not isinstance(score, Example)
    ):
        return float(score), feedback  # type: ignore[arg-type]
    raise MetricError(
        f"The metric '{metric.name}' returned {_shown(value)} ({type(value).__name__}) for example {index}. "
        "It must return a bool, a number, or an object with a numeric .score."
    )


def _shown(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 200 else f"{text[:200]}…"
