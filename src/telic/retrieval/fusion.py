"""Several rankings made one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

from telic.retrieval.passage import Passage

Method: TypeAlias = Literal["ranks", "scores"]


def by_ranks(
    rankings: Sequence[Sequence[Passage]], weights: Sequence[float], constant: float = 60.0
) -> list[Passage]:
    """Reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009): the sum of
    `weight / (constant + rank)`.

    Args:
        rankings: the best first; an id stands in each at most once.
        weights: of each ranking.
        constant: the greater, the less the first places count before the next.
    """
    points = [
        {passage.id: weight / (constant + rank) for rank, passage in enumerate(ranking, 1)}
        for ranking, weight in zip(rankings, weights, strict=True)
    ]
    return _summed(rankings, points)


def by_scores(rankings: Sequence[Sequence[Passage]], weights: Sequence[float]) -> list[Passage]:
    """The weighted sum of scores, each ranking's own brought to 0 (its last passage) … 1 (its first).

    A ranking whose scores are all equal gives each of its passages 1. What a ranking lacks gets 0.
    """
    points = [
        {passage.id: weight * score for passage, score in zip(ranking, _unit(ranking), strict=True)}
        for ranking, weight in zip(rankings, weights, strict=True)
    ]
    return _summed(rankings, points)


def _unit(ranking: Sequence[Passage]) -> list[float]:
    scores = [passage.score for passage in ranking]
    low, high = min(scores, default=0.0), max(scores, default=0.0)
    return [(score - low) / (high - low) if high > low else 1.0 for score in scores]


def _summed(rankings: Sequence[Sequence[Passage]], points: Sequence[Mapping[str, float]]) -> list[Passage]:
    """Each passage once, with the sum of its points, best first, equal ones by id."""
    known: dict[str, Passage] = {}
    for ranking in rankings:
        for passage in ranking:
            known.setdefault(passage.id, passage)
    fused = [
        passage.scored(sum(ranking.get(identity, 0.0) for ranking in points))
        for identity, passage in known.items()
    ]
    return sorted(fused, key=lambda passage: (-passage.score, passage.id))
