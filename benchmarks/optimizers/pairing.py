"""What the repeats of a task and an optimizer say together. Pure; a *pair* is both sides of one repeat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, log
from statistics import fmean
from typing import Any

from telic.evaluate.pairing import paired
from telic.evaluate.significance import mean_difference
from telic.evaluate.statistics import Interval, mean_interval

_CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its 95 % interval; no interval where there is one repeat and nothing to take it from."""

    value: float
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """telic beside DSPy, over the repeats that both sides finished.

    Attributes:
        pairs: how many these are.
        failed: repeats whose compile failed, by side.
        scores: mean test score by side, in percent.
        difference: telic - DSPy, in points.
        spent: means of `calls`, `seconds` and `cpu_seconds` of a compile, by side.
        ratios: telic / DSPy of each of them.
        unread: unreadable answers on the test rows of all these repeats, by side.
        rows: how many test rows these are.
        refused: requests of all these repeats that the server refused, and programs' errors, by side.
    """

    pairs: int
    failed: dict[str, int]
    scores: dict[str, Estimate]
    difference: Estimate
    spent: dict[str, dict[str, float]]
    ratios: dict[str, Estimate]
    unread: dict[str, int]
    rows: int
    refused: dict[str, int]


SPENT = ("calls", "seconds", "cpu_seconds")
Found = Mapping[str, Any]


def verdict(repeats: Sequence[Mapping[str, Found]]) -> Verdict | None:
    """Sum up.

    Args:
        repeats: of each repeat, what was found by side (see `running.measured`).

    Returns:
        `None` where no repeat was finished by both sides.
    """
    sides = ("telic", "dspy")
    pairs = [repeat for repeat in repeats if not any("failed" in repeat[side] for side in sides)]
    if not pairs:
        return None
    scores = {side: [pair[side]["scores"] for pair in pairs] for side in sides}
    spent = {side: {what: [float(p[side][what]) for p in pairs] for what in SPENT} for side in sides}
    return Verdict(
        len(pairs),
        {side: sum("failed" in repeat[side] for repeat in repeats) for side in sides},
        {side: score(scores[side]) for side in sides},
        difference(scores["telic"], scores["dspy"]),
        {side: {what: fmean(values) for what, values in spent[side].items()} for side in sides},
        {what: ratio(spent["telic"][what], spent["dspy"][what]) for what in SPENT},
        {side: sum(pair[side]["unread"] for pair in pairs) for side in sides},
        sum(len(rows) for rows in scores["telic"]),
        {side: sum(pair[side]["refused"] + pair[side]["errors"] for pair in pairs) for side in sides},
    )


def score(repeats: Sequence[Sequence[float]]) -> Estimate:
    """The mean test score in percent; the interval is over repeats, or over the rows where they all agree."""
    means = [fmean(rows) for rows in repeats]
    if _vary(means):
        interval = mean_difference(means, _CONFIDENCE, bounded=False)
        interval = Interval(max(0.0, interval.low), min(1.0, interval.high))
    else:
        interval = mean_interval([score for rows in repeats for score in rows], _CONFIDENCE)
    return Estimate(100 * fmean(means), interval.percent())


def difference(ours: Sequence[Sequence[float]], theirs: Sequence[Sequence[float]]) -> Estimate:
    """telic - DSPy in points; each repeat is a pair. Where all repeats agree, each row is."""
    moved = [fmean(a) - fmean(b) for a, b in zip(ours, theirs, strict=True)]
    if _vary(moved):
        interval = mean_difference(moved, _CONFIDENCE, bounded=True).percent()
    else:
        rows = [[score for repeat in side for score in repeat] for side in (theirs, ours)]
        interval = paired(*rows, confidence=_CONFIDENCE).interval
    return Estimate(100 * fmean(moved), interval)


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Estimate:
    """The geometric mean of telic / DSPy."""
    logs = [log(a / b) for a, b in zip(ours, theirs, strict=True)]
    interval = None
    if len(logs) > 1:
        low, high = mean_difference(logs, _CONFIDENCE, bounded=False)
        interval = Interval(exp(low), exp(high))
    return Estimate(exp(fmean(logs)), interval)


def _vary(values: Sequence[float]) -> bool:
    return max(values) - min(values) > 1e-9
