"""Is one program better than another? A paired comparison of their scores on the same examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from telic.errors import DataError
from telic.evaluate.significance import bonett_price, mean_difference, permutation_test, sign_test
from telic.evaluate.statistics import Interval


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a paired comparison of `b` against `a` found. Scores and differences are in percent.

    Attributes:
        score_a: mean score of the first, over the compared examples.
        score_b: mean score of the second.
        difference: `score_b - score_a`.
        interval: confidence interval of the difference.
        p: probability of a difference at least this large if the two were equally good (two-sided).
        n: examples compared.
        wins: examples on which `b` scored higher.
        losses: examples on which `a` scored higher.
        ties: examples on which both scored the same.
        dropped: examples left out because one of the two has no score for them.
        confidence: coverage of `interval`.
        test: name of the test behind `p`.
    """

    score_a: float
    score_b: float
    difference: float
    interval: Interval
    p: float
    n: int
    wins: int
    losses: int
    ties: int
    dropped: int = 0
    confidence: float = 0.95
    test: str = ""

    @property
    def significant(self) -> bool:
        """Whether `p` is below `1 - confidence`."""
        return self.p < 1.0 - self.confidence

    def to_json(self) -> dict[str, object]:
        """All of it as a JSON object."""
        row: dict[str, object] = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return row | {"interval": list(self.interval), "significant": self.significant}

    def __str__(self) -> str:
        verdict = (
            f"b is {'better' if self.difference > 0 else 'worse'} than a"
            if self.significant
            else "no difference shown"
        )
        left_out = f", {self.dropped} left out" if self.dropped else ""
        return (
            f"{verdict}: {self.score_a:.1f} % -> {self.score_b:.1f} %, difference "
            f"{self.difference:+.1f} points ({self.confidence:.0%} interval "
            f"{self.interval.low:+.1f} to {self.interval.high:+.1f}, "
            f"p {_p_text(self.p)}, {self.test}; "
            f"{self.wins} wins, {self.losses} losses, {self.ties} ties over {self.n} examples{left_out})"
        )

    summary = __str__


def _p_text(p: float) -> str:
    return "< 0.0001" if p < 0.0001 else f"= {p:.4f}" if p < 0.01 else f"= {p:.2f}"


def paired(
    a: Sequence[float | None], b: Sequence[float | None], *, confidence: float = 0.95, seed: int = 0
) -> Comparison:
    """Compare two lists of scores of the same examples, in the same order.

    Args:
        a: scores of the first program; `None` where an example has none.
        b: scores of the second.
        confidence: coverage of the interval of the difference.
        seed: of the random swaps, where there are too many to try all.

    Raises:
        DataError: the lists differ in length, or no example has both scores.
    """
    if len(a) != len(b):
        raise DataError(
            f"A paired comparison needs the same examples on both sides; got {len(a)} and {len(b)}."
        )
    pairs = [(float(x), float(y)) for x, y in zip(a, b, strict=True) if x is not None and y is not None]
    if not pairs:
        raise DataError("There is no example that both programs have a score for; nothing can be compared.")
    n = len(pairs)
    differences = [y - x for x, y in pairs]
    binary = all(value in (0.0, 1.0) for pair in pairs for value in pair)
    unit = all(0.0 <= value <= 1.0 for pair in pairs for value in pair)
    wins, losses = sum(d > 0 for d in differences), sum(d < 0 for d in differences)
    if binary:
        p, test = sign_test(wins, losses), "exact McNemar test"
        interval = bonett_price(wins, losses, n, confidence)
    else:
        p, test = permutation_test(differences, seed=seed), "paired permutation test"
        interval = mean_difference(differences, confidence, bounded=unit)
    score_a, score_b = sum(x for x, _ in pairs) / n, sum(y for _, y in pairs) / n
    return Comparison(
        score_a=round(100 * score_a, 2),
        score_b=round(100 * score_b, 2),
        difference=round(100 * (score_b - score_a), 2),
        interval=interval.percent(),
        p=p,
        n=n,
        wins=wins,
        losses=losses,
        ties=n - wins - losses,
        dropped=len(a) - n,
        confidence=confidence,
        test=test,
    )
