"""Intervals and tests against an independent implementation and against what they promise."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, strategies as st

from telic.errors import DataError
from telic.evaluate import distributions
from telic.evaluate.pairing import paired
from telic.evaluate.significance import permutation_test, sign_test
from telic.evaluate.statistics import ScoreSummary, mean_interval, wilson


def test_wilson_known_values() -> None:
    # Newcombe (1998), table I, method 3.
    for successes, count, low, high in [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (29, 29, 0.8830, 1.0),
    ]:
        got = wilson(successes, count)
        assert got.low == pytest.approx(low, abs=5e-5)
        assert got.high == pytest.approx(high, abs=5e-5)


@given(st.integers(0, 400), st.integers(1, 400), st.sampled_from([0.8, 0.95, 0.99]))
def test_wilson_holds_the_share_and_stays_inside(successes: int, count: int, confidence: float) -> None:
    successes = min(successes, count)
    low, high = wilson(successes, count, confidence)
    assert 0.0 <= low <= successes / count <= high <= 1.0
    assert low < high


def test_nothing_known_is_said_so() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    assert mean_interval([]) == (0.0, 1.0)
    assert mean_interval([3.5]) == (-math.inf, math.inf)
    assert math.isnan(ScoreSummary().mean)


def test_equal_graded_scores_do_not_claim_certainty() -> None:
    low, high = mean_interval([0.5] * 10)
    assert low < 0.3
    assert high > 0.7


def test_wilson_covers_about_as_often_as_it_says() -> None:
    rng = random.Random(7)
    for share in (0.1, 0.5, 0.9):
        hits = 0
        for _ in range(1_500):
            low, high = wilson(sum(rng.random() < share for _ in range(40)), 40)
            hits += low <= share <= high
        assert 0.92 < hits / 1_500 < 0.99


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=60))
def test_summary_equals_the_textbook(scores: list[float]) -> None:
    summary = ScoreSummary(scores)
    assert summary.count == len(scores)
    assert summary.mean == pytest.approx(sum(scores) / len(scores), abs=1e-12)
    low, high = summary.interval()
    assert low <= summary.mean + 1e-9
    assert summary.mean - 1e-9 <= high


def test_t_interval_against_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    rng = random.Random(1)
    for n in (2, 3, 10, 200):
        scores = [rng.gauss(2, 3) for _ in range(n)]
        mean, error = sum(scores) / n, stats.sem(scores)
        low, high = stats.t.interval(0.95, n - 1, loc=mean, scale=error)
        assert mean_interval(scores) == pytest.approx((low, high), rel=1e-9)


def test_distributions_against_scipy() -> None:
    stats, special = pytest.importorskip("scipy.stats"), pytest.importorskip("scipy.special")
    for a, b, x in [(0.5, 0.5, 0.1), (3, 7, 0.6), (200, 0.5, 0.999), (5e4, 5e4 + 1, 0.5), (2, 900, 0.01)]:
        assert distributions.beta_fraction(a, b, x) == pytest.approx(special.betainc(a, b, x), rel=1e-9)
    for freedom in (1, 2, 5, 30, 999, 1_001, 1e6):
        for p in (0.0005, 0.025, 0.5, 0.9, 0.975, 0.9995):
            expected = stats.t.ppf(p, freedom)
            assert distributions.student_quantile(p, freedom) == pytest.approx(expected, rel=1e-8, abs=1e-12)
        assert distributions.student_tail(1.7, freedom) == pytest.approx(stats.t.sf(1.7, freedom), rel=1e-8)
    for heads, trials in [(0, 1), (3, 11), (480, 1_000), (4_900, 10_000), (7, 7)]:
        expected = stats.binom.cdf(heads, trials, 0.5)
        assert distributions.fair_coin_tail(heads, trials) == pytest.approx(expected, rel=1e-9)


def test_sign_test_by_hand() -> None:
    assert sign_test(0, 0) == 1.0
    assert sign_test(3, 3) == 1.0
    assert sign_test(5, 0) == 2 / 32
    assert sign_test(9, 1) == pytest.approx(22 / 1024)


def test_permutation_test_by_hand() -> None:
    assert permutation_test([0.0, 0.0]) == 1.0
    assert permutation_test([0.25, 0.5, 0.125]) == 2 / 8
    assert permutation_test([0.5, -0.5]) == 1.0


def test_permutation_test_against_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    rng = random.Random(3)
    for n in (8, 40, 1_500):
        differences = [rng.gauss(0.12, 1.0) for _ in range(n)]
        expected = stats.permutation_test(
            (differences,), lambda d, axis: d.mean(axis), permutation_type="samples",
            vectorized=True, n_resamples=1_999, rng=0,
        ).pvalue  # fmt: skip
        assert permutation_test(differences) == pytest.approx(expected, abs=0.04)


def test_paired_binary() -> None:
    a = [1, 1, 0, 0, 0, 0, 0, 0, 0, 0]
    b = [1, 0, 1, 1, 1, 1, 1, 1, 1, None]
    found = paired(a, b)
    assert (found.n, found.dropped) == (9, 1)
    assert (found.wins, found.losses, found.ties) == (7, 1, 1)
    assert found.p == pytest.approx(sign_test(7, 1))
    assert found.interval.low < found.difference < found.interval.high
    assert found.difference == round(100 * 6 / 9, 2)
    assert "7 wins, 1 losses, 1 ties over 9 examples, 1 left out" in str(found)
    assert found.to_json()["interval"] == list(found.interval)


def test_paired_graded_against_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    rng = random.Random(5)
    a = [rng.random() for _ in range(30)]
    b = [min(1.0, x + rng.random() * 0.4) for x in a]
    found = paired(a, b)
    expected = stats.ttest_rel(b, a).confidence_interval()
    assert found.interval == pytest.approx((100 * expected.low, 100 * expected.high), abs=0.01)
    assert found.significant
    assert "b is better than a" in str(found)


def test_a_program_against_itself() -> None:
    for scores in ([1.0, 0.0, 1.0], [0.3, 0.4, 0.9]):
        found = paired(scores, scores)
        assert found.p == 1.0
        assert found.interval.low < 0 < found.interval.high
        assert "no difference shown" in str(found)


def test_swapping_the_sides_mirrors_the_result() -> None:
    rng = random.Random(11)
    a, b = [rng.random() for _ in range(25)], [rng.random() for _ in range(25)]
    there, back = paired(a, b), paired(b, a)
    assert there.difference == -back.difference
    assert there.p == back.p
    assert there.interval == pytest.approx((-back.interval.high, -back.interval.low))


def test_what_cannot_be_compared() -> None:
    with pytest.raises(DataError, match="got 1 and 2"):
        paired([1.0], [1.0, 0.0])
    with pytest.raises(DataError, match="no example that both"):
        paired([None, 1.0], [1.0, None])
