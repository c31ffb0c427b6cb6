"""Scores by example, of which some may be missing because of an error."""

from __future__ import annotations

from collections.abc import Iterable


def present(scores: Iterable[float | None]) -> list[float]:
    """The scores there are."""
    return [score for score in scores if score is not None]


def mean(scores: Iterable[float | None]) -> float:
    """Mean of the scores there are; 0 where there is none."""
    known = present(scores)
    return sum(known) / len(known) if known else 0.0
