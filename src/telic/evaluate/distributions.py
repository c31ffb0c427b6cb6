"""The few distribution functions that intervals and tests need, from the standard library alone.

The incomplete beta function is evaluated by the continued fraction of DLMF 8.17.22 with Lentz's algorithm;
Student's t and the binomial distribution follow from it (DLMF 8.17.5; Abramowitz and Stegun 26.5.24, 26.7.1).
Good to eight digits or more, which the tests check against an independent implementation.
"""

from __future__ import annotations

from math import comb, exp, inf, lgamma, log, log1p, sqrt
from statistics import NormalDist

_TINY = 1e-300
_EPSILON = 1e-15
_NORMAL = NormalDist()
_EXACT_TRIALS = 1_000
"""Up to here the binomial tail is summed in whole numbers."""
_SERIES_FREEDOM = 1_000.0
"""From here the expansion of the t quantile around the normal one is exact to ten digits."""


def beta_fraction(a: float, b: float, x: float) -> float:
    """Regularised incomplete beta function I_x(a, b) for a, b > 0 and 0 <= x <= 1."""
    if x <= 0.0 or x >= 1.0:
        return 0.0 if x <= 0.0 else 1.0
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x))
    # The fraction converges fast on the left of the mean only; the other side is its mirror image.
    if x < (a + 1.0) / (a + b + 2.0):
        return front * _lentz(a, b, x) / a
    return 1.0 - front * _lentz(b, a, 1.0 - x) / b


def _lentz(a: float, b: float, x: float) -> float:
    c, d = 1.0, 1.0 / _away_from_zero(1.0 - (a + b) * x / (a + 1.0))
    value = d
    for m in range(1, 10_000):
        even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
        for term in (even, odd):
            d = 1.0 / _away_from_zero(1.0 + term * d)
            c = _away_from_zero(1.0 + term / c)
            value *= c * d
        if abs(c * d - 1.0) < _EPSILON:
            break
    return value


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def student_tail(t: float, freedom: float) -> float:
    """P(T > t) for Student's t with `freedom` degrees of freedom."""
    tail = 0.5 * beta_fraction(freedom / 2.0, 0.5, freedom / (freedom + t * t))
    return tail if t >= 0 else 1.0 - tail


def student_quantile(p: float, freedom: float) -> float:
    """The t with P(T <= t) = p, for 0 < p < 1."""
    if p < 0.5:
        return -student_quantile(1.0 - p, freedom)
    z = _NORMAL.inv_cdf(p)
    if freedom > _SERIES_FREEDOM:
        # Abramowitz and Stegun 26.7.5.
        first = (z**3 + z) / 4.0
        second = (5.0 * z**5 + 16.0 * z**3 + 3.0 * z) / 96.0
        third = (3.0 * z**7 + 19.0 * z**5 + 17.0 * z**3 - 15.0 * z) / 384.0
        return z + first / freedom + second / freedom**2 + third / freedom**3
    low, high = 0.0, max(2.0 * z, 1.0)
    while student_tail(high, freedom) > 1.0 - p and high < inf:
        low, high = high, 2.0 * high
    for _ in range(200):
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        low, high = (middle, high) if student_tail(middle, freedom) > 1.0 - p else (low, middle)
    return 0.5 * (low + high)


def normal_quantile(p: float) -> float:
    """The z with P(Z <= z) = p for the standard normal distribution."""
    return _NORMAL.inv_cdf(p)


def normal_tail(z: float) -> float:
    """P(Z > z) for the standard normal distribution."""
    return _NORMAL.cdf(-z)


def fair_coin_tail(heads: int, trials: int) -> float:
    """P(at most `heads` heads in `trials` tosses of a fair coin), exact up to rounding."""
    if heads >= trials:
        return 1.0
    if trials <= _EXACT_TRIALS:
        # int / int divides to the nearest float, however large both are.
        return sum(comb(trials, k) for k in range(heads + 1)) / (1 << trials)
    return beta_fraction(float(trials - heads), heads + 1.0, 0.5)


def standard_error(spread: float, count: int) -> float:
    """Standard error of a mean, from the sum of squared deviations and the number of values (>= 2)."""
    return sqrt(spread / (count - 1) / count)
