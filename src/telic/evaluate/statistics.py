"""How sure a score is: confidence intervals for a mean score.

Scores that are all 0 or 1 get Wilson's interval (Wilson 1927; recommended for every n by Brown, Cai and
DasGupta, "Interval estimation for a binomial proportion", 2001): it stays inside [0, 1] and is honest at 0 %,
at 100 % and for a handful of examples. Graded scores get Student's t interval of the mean, cut to [0, 1]
where all scores lie in it. Where graded scores do not vary at all, t would claim certainty; Wilson's interval
for the same mean is then used, since no distribution on [0, 1] with that mean varies more than it assumes.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import inf, nan, sqrt
from typing import NamedTuple

from telic.evaluate.distributions import normal_quantile, standard_error, student_quantile


class Interval(NamedTuple):
    """A confidence interval, in the unit of what it is of.

    Attributes:
        low: lower end.
        high: upper end.
    """

    low: float
    high: float

    def percent(self) -> Interval:
        """The same in percent, rounded to two decimals."""
        return Interval(round(100.0 * self.low, 2), round(100.0 * self.high, 2))

    def __str__(self) -> str:
        return f"[{self.low:.1f}, {self.high:.1f}]"


def wilson(successes: float, count: int, confidence: float = 0.95) -> Interval:
    """Wilson's score interval of a proportion, as fractions of 1.

    Args:
        successes: how many of `count` succeeded (a sum of scores in [0, 1] gives a cautious interval).
        count: number of trials; for 0 nothing is known and the interval is [0, 1].
        confidence: coverage, between 0 and 1.
    """
    if count == 0:
        return Interval(0.0, 1.0)
    z = normal_quantile(0.5 + confidence / 2.0)
    share = successes / count
    centre = share + z * z / (2 * count)
    half = z * sqrt(share * (1.0 - share) / count + z * z / (4.0 * count * count))
    scale = 1.0 + z * z / count
    # At both ends the formula is exact; rounding must not move it past them.
    low = 0.0 if successes <= 0 else max(0.0, (centre - half) / scale)
    high = 1.0 if successes >= count else min(1.0, (centre + half) / scale)
    return Interval(low, high)


class ScoreSummary:
    """Mean and interval of scores that arrive one by one, in constant memory (Welford's recurrence).

    Attributes:
        count: number of scores.
        total: their sum.
        binary: all of them are 0 or 1.
        unit: all of them lie in [0, 1].
    """

    __slots__ = ("_mean", "_spread", "binary", "count", "total", "unit")

    def __init__(self, scores: Iterable[float] = ()) -> None:
        self.count = 0
        self.total = 0.0
        self.binary = True
        self.unit = True
        self._mean = 0.0
        self._spread = 0.0
        for score in scores:
            self.add(score)

    def add(self, score: float) -> None:
        """Take in one score."""
        self.count = count = self.count + 1
        self.total += score
        if score != 0.0 and score != 1.0:
            self.binary = False
            if not 0.0 <= score <= 1.0:
                self.unit = False
        step = score - self._mean
        self._mean += step / count
        self._spread += step * (score - self._mean)

    @property
    def mean(self) -> float:
        """The mean score; NaN where there is none."""
        return self.total / self.count if self.count else nan

    def interval(self, confidence: float = 0.95) -> Interval:
        """Confidence interval of the mean, by the rules at the head of this module."""
        flat = self._spread <= 1e-12 * max(1.0, abs(self._mean)) or self.count < 2
        if self.unit and (self.binary or flat):
            return wilson(self.total, self.count, confidence)
        if self.count < 2:
            return Interval(-inf, inf)
        half = student_quantile(0.5 + confidence / 2.0, self.count - 1) * standard_error(
            self._spread, self.count
        )
        low, high = self._mean - half, self._mean + half
        return Interval(max(0.0, low), min(1.0, high)) if self.unit else Interval(low, high)


def mean_interval(scores: Iterable[float], confidence: float = 0.95) -> Interval:
    """Confidence interval of the mean of `scores`, in their own unit (see the head of this module)."""
    return ScoreSummary(scores).interval(confidence)
