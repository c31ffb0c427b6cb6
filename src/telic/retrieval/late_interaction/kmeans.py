"""Centroids of token vectors, found in two levels so that many stay affordable."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from telic.retrieval.late_interaction import kernels
from telic.retrieval.late_interaction.threads import over_chunks

_ONE_GROUP = 256
"""Up to so many centroids every row is compared with all of them."""
_COARSE_ROWS = 64
"""Rows for each group, at most, on which the groups are found."""
_COARSE_ROUNDS = 8
_FINE_ROUNDS = 5
_VISITS = 4
"""Groups that are searched for a row's nearest centroid."""


@dataclass(frozen=True, slots=True)
class Centroids:
    """Centroids in groups, so that the nearest is found without looking at all.

    Attributes:
        rows: group by group, float32 `(centroids, dim)`.
        group_starts: first centroid of each group, and the end of the last, int64 `(groups + 1,)`.
    """

    rows: np.ndarray
    group_starts: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    def nearest(self, rows: np.ndarray) -> np.ndarray:
        """The nearest centroid of each row (for all but a few in a hundred; of those, one nearly as near).

        Args:
            rows: float32 `(n, dim)`.

        Returns:
            int64 `(n,)`.
        """
        rows = np.ascontiguousarray(rows, np.float32)
        starts = self.group_starts
        sizes = np.maximum(np.diff(starts), 1)
        means = np.add.reduceat(self.rows, starts[:-1], axis=0) / sizes[:, None].astype(np.float32)
        found: np.ndarray = np.empty(len(rows), np.int64)
        half, half_means = _half_squares(self.rows), _half_squares(means)

        def part(first: int, end: int) -> None:
            kernels.assign(
                rows[first:end], self.rows, half, means, half_means, starts, _VISITS, found[first:end]
            )

        over_chunks(len(rows), len(rows) * (len(means) + _VISITS * int(sizes.mean())) * rows.shape[1], part)
        return found


def find_centroids(rows: np.ndarray, count: int, seed: int) -> Centroids:
    """Lloyd's k-means in two levels: groups first, then the centroids within each group, then one round over
    all.

    The same rows, count and seed give the same centroids.

    Args:
        rows: float32 `(n, dim)`, `n` at least 1.
        count: how many centroids; fewer where there are fewer rows.
        seed: of the random choice of first centroids.
    """
    rng = np.random.default_rng(seed)
    count = max(1, min(count, len(rows)))
    if count <= _ONE_GROUP:
        return _settled(rows, Centroids(_lloyd(rows, count, _COARSE_ROUNDS, rng), np.array([0, count])))
    groups = round(count**0.5)
    some = rng.choice(len(rows), min(len(rows), groups * _COARSE_ROWS), replace=False)
    coarse = _lloyd(rows[np.sort(some)], groups, _COARSE_ROUNDS, rng)
    group_of = _every(coarse).nearest(rows)
    sizes = np.bincount(group_of, minlength=groups)
    order, ends = np.argsort(group_of, kind="stable"), np.cumsum(sizes)
    parts = []
    for end, size, share in zip(ends, sizes, _shares(sizes, count), strict=True):
        if share:
            parts.append(_lloyd(rows[order[end - size : end]], int(share), _FINE_ROUNDS, rng))
    starts = np.concatenate([[0], np.cumsum([len(part) for part in parts])]).astype(np.int64)
    return _settled(rows, Centroids(np.concatenate(parts), starts))


def _shares(sizes: np.ndarray, count: int) -> np.ndarray:
    """How many of `count` centroids each group gets: by its size, at least one where it has a row."""
    shares = np.maximum(np.floor(sizes * (count / sizes.sum())), sizes > 0)
    fitting: np.ndarray = np.minimum(shares, sizes).astype(np.int64)
    return fitting


def _lloyd(rows: np.ndarray, count: int, rounds: int, rng: np.random.Generator) -> np.ndarray:
    centroids: np.ndarray = np.ascontiguousarray(
        rows[rng.choice(len(rows), count, replace=False)], np.float32
    )
    for _ in range(rounds if count > 1 else 1):
        centroids = _moved(rows, _every(centroids), rng)
    return centroids


def _settled(rows: np.ndarray, centroids: Centroids) -> Centroids:
    """One more round over everything, each centroid staying in its group."""
    sums, counts = _sums(rows, centroids)
    means = np.where(counts[:, None] > 0, sums / np.maximum(counts, 1)[:, None], centroids.rows)
    return Centroids(means.astype(np.float32), centroids.group_starts)


def _moved(rows: np.ndarray, centroids: Centroids, rng: np.random.Generator) -> np.ndarray:
    """The mean of each centroid's rows; a centroid that has none takes a row at random."""
    sums, counts = _sums(rows, centroids)
    empty = np.flatnonzero(counts == 0)
    sums[empty] = rows[rng.choice(len(rows), len(empty))]
    means: np.ndarray = np.asarray(sums / np.maximum(counts, 1)[:, None], np.float32)
    return means


def _sums(rows: np.ndarray, centroids: Centroids) -> tuple[np.ndarray, np.ndarray]:
    sums = np.zeros((len(centroids), rows.shape[1]), np.float32)
    counts: np.ndarray = np.zeros(len(centroids), np.int64)
    kernels.add_rows(rows, centroids.nearest(rows), sums, counts)
    return sums, counts


def _every(rows: np.ndarray) -> Centroids:
    return Centroids(rows, np.array([0, len(rows)], np.int64))


def _half_squares(rows: np.ndarray) -> np.ndarray:
    halves: np.ndarray = np.asarray((rows * rows).sum(axis=1) / 2, np.float32)
    return halves
