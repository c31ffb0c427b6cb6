"""Finding the best passages in stages: each looks at fewer passages, more closely (PLAID, arXiv:2205.09707).

1. Each query token's best centroids say which passages may match at all, through their inverted lists.
2. Those are scored as if their tokens were their centroids: one row of ready products a token.
3. The best of them are scored with their residuals, and the best of these with the finer copy, if there is
one.

A stage that would have little to leave out is left out itself: a collection, or what a filter admits of it,
that is no larger than what stage 3 takes is scored whole, so the answer is exact for what is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from telic.errors import InputError
from telic.retrieval.late_interaction import kernels, lists
from telic.retrieval.late_interaction.codec import Codec, Residuals
from telic.retrieval.late_interaction.segments import Segment
from telic.retrieval.late_interaction.threads import over_chunks

_HALF_SCALE = np.float32(2.0**112)


@dataclass(frozen=True, slots=True)
class Stages:
    """How much each stage looks at.

    Attributes:
        probes: centroids of each query token whose lists are read; doubled until enough passages are found.
        listed: passages up to which no lists are read, since scoring all by centroids costs less.
        fine: passages that are scored with their residuals, at least; or four times as many as are wanted.
        growth: so many are for each root of the number of passages, if that is more.
        rescored: passages that are scored with the finer copy, or twice as many as are wanted.
    """

    probes: int = 4
    listed: int = 4096
    fine: int = 128
    growth: float = 5.0
    rescored: int = 64

    def __post_init__(self) -> None:
        if min(self.probes, self.fine, self.rescored) < 1 or self.listed < 0:
            raise InputError(f"Stages: each must look at one passage at least, not {self}.")


EXACT = Stages(probes=1, listed=2**62, fine=2**62, rescored=2**62)
"""Leaves nothing out."""


@dataclass(frozen=True, slots=True)
class Hits:
    """Passages with their scores, best first.

    Attributes:
        scores: float32 `(n,)`.
        segments: which segment each is in.
        places: where in it.
    """

    scores: np.ndarray
    segments: np.ndarray
    places: np.ndarray

    def __len__(self) -> int:
        return len(self.scores)

    def best(self, count: int) -> Hits:
        """The first `count`, and those that score the same as the last of them; best first."""
        if len(self) > count:
            least = np.partition(self.scores, len(self) - count)[len(self) - count]
            return self._taken(np.flatnonzero(self.scores >= least))
        return self._taken(np.arange(len(self)))

    def _taken(self, chosen: np.ndarray) -> Hits:
        order = chosen[np.argsort(-self.scores[chosen], kind="stable")]
        return Hits(self.scores[order], self.segments[order], self.places[order])


class Query:
    """A query, made ready for the kernels of one codec.

    Args:
        vectors: its tokens, `(tokens, dim)`.
        codec: of the index.

    Attributes:
        count: its tokens.
        centroid_scores: product of each centroid with each token, float32 `(centroids, padded)`.
    """

    def __init__(self, vectors: np.ndarray, codec: Codec) -> None:
        self.count = len(vectors)
        self._rows: np.ndarray = np.zeros((_up(self.count, kernels.ROWS), codec.dim), np.float32)
        self._rows[: self.count] = vectors
        centroids = codec.centroids.rows
        scores: np.ndarray = np.zeros((len(centroids), _up(self.count, kernels.LANES)), np.float32)
        if not codec.plain:
            over_chunks(
                len(centroids),
                centroids.size * len(self._rows),
                lambda first, end: kernels.products(centroids[first:end], self._rows, scores[first:end]),
            )
        self.centroid_scores = scores
        self._scaled: dict[int, np.ndarray] = {}

    def scaled(self, residuals: Residuals) -> np.ndarray:
        """The query as residuals are to be multiplied by."""
        found = self._scaled.get(residuals.bits)
        if found is None:
            rows = self._rows * residuals.spread
            if residuals.bits == 16:
                found = rows * _HALF_SCALE
            else:
                found = np.zeros((len(rows), residuals.width * (8 // residuals.bits)), np.float32)
                found[:, : residuals.dim] = rows
            self._scaled[residuals.bits] = found
        return found


def _up(count: int, step: int) -> int:
    """The next multiple of `step`, at least one."""
    return -(-max(1, count) // step) * step


def find(
    query: Query, segments: Sequence[Segment], admitted: Sequence[np.ndarray], n: int, stages: Stages
) -> Hits:
    """The best `n` of the admitted passages, and those that score the same as the last; best first.

    Args:
        query: made for the segments' codec.
        segments: all of an index.
        admitted: for each segment 1 for each passage that may be found, uint8.
        n: how many.
        stages: how much each stage looks at.
    """
    if not query.count or not segments:
        return _hits([])
    codec = segments[0].codec
    total = sum(int(mask.sum()) for mask in admitted)
    # One centroid for all tells nothing apart.
    fine = total if codec.plain else max(stages.fine, 4 * n, int(stages.growth * total**0.5))
    hits = _coarse(query, segments, admitted, fine, stages)
    hits = scored(query, segments, hits, finest=codec.rescoring is None)
    if codec.rescoring is not None:
        hits = scored(query, segments, hits.best(max(stages.rescored, 2 * n)), finest=True)
    matched = np.flatnonzero(np.isfinite(hits.scores))
    return Hits(hits.scores[matched], hits.segments[matched], hits.places[matched]).best(n)


def _coarse(
    query: Query, segments: Sequence[Segment], admitted: Sequence[np.ndarray], wanted: int, stages: Stages
) -> Hits:
    total = sum(int(mask.sum()) for mask in admitted)
    if total <= max(stages.listed, wanted):
        found: list[np.ndarray] = [np.flatnonzero(mask).astype(np.uint32) for mask in admitted]
    else:
        found = _probed(query, segments, admitted, wanted, stages.probes)
    if sum(map(len, found)) <= wanted:
        return _hits([(np.zeros(len(picked), np.float32), picked) for picked in found])
    parts = []
    for segment, picked in zip(segments, found, strict=True):
        scores: np.ndarray = np.empty(len(picked), np.float32)

        def part(
            first: int, end: int, s: Segment = segment, p: np.ndarray = picked, o: np.ndarray = scores
        ) -> None:
            kernels.coarse_scores(
                p[first:end], s.starts, s.centroid_of, query.centroid_scores, query.count, o[first:end]
            )

        # A look-up and a comparison of many lanes at once is worth a few dozen multiplications.
        over_chunks(len(picked), len(picked) * _mean_length(segment) * query.count * 4, part)
        parts.append((scores, picked))
    return _hits(parts).best(wanted)


def _probed(
    query: Query, segments: Sequence[Segment], admitted: Sequence[np.ndarray], wanted: int, probes: int
) -> list[np.ndarray]:
    """Passages in the lists of the query tokens' best centroids, of more of them until there are enough."""
    centroids = len(query.centroid_scores)
    while True:
        probes = min(probes, centroids)
        best: np.ndarray = np.empty((query.count, probes), np.int64)
        kernels.best_centroids(query.centroid_scores, query.count, best)
        chosen = np.unique(best)
        found = []
        for segment, mask in zip(segments, admitted, strict=True):
            out: np.ndarray = np.empty(len(segment), np.uint32)
            seen: np.ndarray = np.zeros(len(segment), np.uint8)
            size = lists.collect(segment.lists, segment.list_ends, chosen, mask, seen, out)
            found.append(out[:size])
        if probes == centroids or sum(map(len, found)) >= wanted:
            return found
        probes *= 2


def scored(query: Query, segments: Sequence[Segment], hits: Hits, *, finest: bool) -> Hits:
    """The same passages with the scores that their residuals give; in another order.

    Args:
        query: made for the segments' codec.
        segments: all of an index.
        hits: of which passages.
        finest: whether the finer copy is read, where there is one.
    """
    parts = []
    for number, segment in enumerate(segments):
        picked = hits.places[hits.segments == number].astype(np.uint32)
        best = maxima(query, segment, picked, finest=finest)
        parts.append((best[:, : query.count].sum(axis=1), picked))
    return _hits(parts)


def maxima(query: Query, segment: Segment, picked: np.ndarray, *, finest: bool) -> np.ndarray:
    """Best match of each query token in each passage: float32 `(passages, padded query tokens)`.

    Args:
        query: made for the segment's codec.
        segment: where the passages are.
        picked: their places, uint32.
        finest: whether the finer copy is read, where there is one.
    """
    codec = segment.codec
    residuals = codec.finest if finest else codec.residuals
    rows = segment.finest if finest else segment.residuals
    scaled = query.scaled(residuals)
    out: np.ndarray = np.empty((len(picked), len(scaled)), np.float32)
    run: Callable[[np.ndarray, np.ndarray], None]
    known = (segment.starts, segment.centroid_of, query.centroid_scores)
    if residuals.bits == 16:
        halves: np.ndarray = rows.view("<u2").reshape(len(rows), codec.dim)

        def run(part: np.ndarray, result: np.ndarray) -> None:
            kernels.half_maxima(part, *known, halves, scaled, result)
    else:
        levels = residuals.by_byte

        def run(part: np.ndarray, result: np.ndarray) -> None:
            kernels.packed_maxima(part, *known, rows, levels, scaled, result)

    work = len(picked) * _mean_length(segment) * scaled.size
    over_chunks(len(picked), work, lambda first, end: run(picked[first:end], out[first:end]))
    return out


def _mean_length(segment: Segment) -> int:
    return segment.entry.tokens // max(1, len(segment)) + 1


def _hits(parts: list[tuple[np.ndarray, np.ndarray]]) -> Hits:
    """Of each segment the scores and the places."""
    scores = [np.zeros(0, np.float32), *(scores for scores, _ in parts)]
    numbers: list[np.ndarray] = [
        np.full(len(places), number, np.int64) for number, (_, places) in enumerate(parts)
    ]
    places = [np.zeros(0, np.uint32), *(places for _, places in parts)]
    return Hits(
        np.concatenate(scores), np.concatenate([np.zeros(0, np.int64), *numbers]), np.concatenate(places)
    )
