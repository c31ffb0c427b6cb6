"""Paired tests: p values and intervals for the difference of two programs' scores on the same examples.

*p value.* Scores that are all 0 or 1: McNemar's test in its exact form, a two-sided sign test over the
examples on which the two differ. Graded scores: the Fisher-Pitman permutation test, which asks how often a
difference as large would come out if the two names were swapped at random in each pair: all swaps up to 16
differing pairs, 10,000 random ones (fixed seed) up to 1,000 pairs, and beyond that its normal limit.

*Interval of the difference.* 0/1 scores: the adjusted Wald interval of Bonett and Price (2012), recommended
by Fagerland, Lydersen and Laake (2014): one pair is added to each side. Graded scores: Student's t interval
of the mean difference; where the differences do not vary, the same two added pairs keep it from claiming
certainty.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress
from math import sqrt
from random import Random

from telic.evaluate.distributions import (
    fair_coin_tail,
    normal_quantile,
    normal_tail,
    standard_error,
    student_quantile,
)
from telic.evaluate.statistics import Interval

_ALL_SWAPS = 16
_RANDOM_SWAPS = 10_000
_MANY_PAIRS = 1_000


def sign_test(wins: int, losses: int) -> float:
    """Two-sided exact sign test: p of a split at least this uneven if both sides were equally likely."""
    return min(1.0, 2.0 * fair_coin_tail(min(wins, losses), wins + losses))


def bonett_price(wins: int, losses: int, n: int, confidence: float = 0.95) -> Interval:
    """Interval of the difference of two paired proportions (Bonett and Price 2012), as fractions of 1."""
    z = normal_quantile(0.5 + confidence / 2.0)
    up, down = (wins + 1) / (n + 2), (losses + 1) / (n + 2)
    half = z * sqrt((up + down - (up - down) ** 2) / (n + 2))
    return Interval(max(-1.0, up - down - half), min(1.0, up - down + half))


def permutation_test(differences: Sequence[float], *, seed: int = 0) -> float:
    """Two-sided paired permutation test that the mean difference is 0."""
    moving = [abs(d) for d in differences if d != 0.0]
    if not moving:
        return 1.0
    # A swap that gives the same sum up to rounding counts as equally large.
    target = abs(sum(differences)) - 1e-9 * sum(moving)
    if len(moving) <= _ALL_SWAPS:
        sums = [0.0]
        for d in moving:
            sums = [s + d for s in sums] + [s - d for s in sums]
        return sum(abs(s) >= target for s in sums) / len(sums)
    if len(moving) <= _MANY_PAIRS:
        return _random_swaps(moving, target, seed)
    return min(1.0, 2.0 * normal_tail(abs(sum(differences)) / sqrt(sum(d * d for d in moving))))


def _random_swaps(moving: list[float], target: float, seed: int) -> float:
    random = Random(seed)
    # One random byte a pair, of which the lowest bit says whether it is swapped: all in C.
    lowest_bit = bytes(byte & 1 for byte in range(256))
    total, hits = sum(moving), 0
    for _ in range(_RANDOM_SWAPS):
        kept = sum(compress(moving, random.randbytes(len(moving)).translate(lowest_bit)))
        hits += abs(2.0 * kept - total) >= target
    return (hits + 1) / (_RANDOM_SWAPS + 1)


def mean_difference(differences: Sequence[float], confidence: float, *, bounded: bool) -> Interval:
    """Interval of a mean difference (Student's t); `bounded`: the scores lie in [0, 1]."""
    values = list(differences)
    if bounded and max(values) - min(values) < 1e-12:
        values += [1.0, -1.0]
    if len(values) < 2:
        return Interval(float("-inf"), float("inf"))
    mean = sum(values) / len(values)
    spread = sum((d - mean) ** 2 for d in values)
    half = student_quantile(0.5 + confidence / 2.0, len(values) - 1) * standard_error(spread, len(values))
    low, high = mean - half, mean + half
    return Interval(max(-1.0, low), min(1.0, high)) if bounded else Interval(low, high)
