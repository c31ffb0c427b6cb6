"""Runs of one example, by how much they differ: where there is most to learn."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from telic.optimize.strategy import Outcome


@dataclass(frozen=True)
class Bucket:
    """Several runs of one example.

    Attributes:
        example: its position in the training set.
        runs: best first; among equals the earlier one.
    """

    example: int
    runs: tuple[Outcome, ...]

    @property
    def best(self) -> Outcome:
        """The best run."""
        return self.runs[0]

    @property
    def worst(self) -> Outcome:
        """The worst run."""
        return self.runs[-1]

    @property
    def spread(self) -> tuple[float, float, float]:
        """Best minus worst score, the best score, and best minus mean."""
        scores = [score_of(run) for run in self.runs]
        return scores[0] - scores[-1], scores[0], scores[0] - sum(scores) / len(scores)


def sorted_buckets(outcomes: Iterable[Outcome]) -> list[Bucket]:
    """Runs by example, those examples first whose runs differ most."""
    by_example: dict[int, list[Outcome]] = {}
    for outcome in outcomes:
        by_example.setdefault(outcome.example, []).append(outcome)
    buckets = [Bucket(e, tuple(sorted(runs, key=lambda r: -score_of(r)))) for e, runs in by_example.items()]
    return sorted(buckets, key=lambda bucket: bucket.spread, reverse=True)


def score_of(run: Outcome) -> float:
    """The score; 0 where an error left none."""
    return run.score or 0.0
