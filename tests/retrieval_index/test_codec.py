"""Centroids, levels and threads."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from telic.retrieval.late_interaction import threads
from telic.retrieval.late_interaction.codec import Codec, centroid_count, plain_codec, train_codec
from telic.retrieval.late_interaction.kernels import products
from telic.retrieval.late_interaction.kmeans import find_centroids
from tests.retrieval_index.clusters import ClusterEncoder, texts


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    return np.concatenate(ClusterEncoder(dim=32).encode_passages(texts(250)))


def nearest(rows: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    return np.asarray(((rows[:, None] - centroids[None]) ** 2).sum(axis=2).argmin(axis=1))


def test_few_centroids_are_compared_with_every_row(rows: np.ndarray) -> None:
    found = find_centroids(rows, 60, seed=1)
    assert len(found) == 60
    assert (found.nearest(rows) == nearest(rows, found.rows)).all()


def test_many_centroids_are_found_in_groups_and_nearly_always_the_nearest(rows: np.ndarray) -> None:
    found = find_centroids(rows, 400, seed=1)
    assert 350 <= len(found) <= 400
    assert len(found.group_starts) > 10
    assert (found.nearest(rows[:2000]) == nearest(rows[:2000], found.rows)).mean() > 0.95


def test_a_seed_decides_the_centroids(rows: np.ndarray) -> None:
    one, same, other = (find_centroids(rows, 300, seed=seed).rows for seed in (1, 1, 2))
    assert (one == same).all()
    assert one.shape != other.shape or (one != other).any()


def test_there_are_no_more_centroids_than_rows() -> None:
    assert len(find_centroids(np.eye(3, dtype=np.float32), 50, seed=0)) == 3
    assert centroid_count(0, 4) == 1
    assert centroid_count(10**6, 4) == 16_000
    assert centroid_count(10**6, 2) == 6_000
    assert centroid_count(10**12, 4) == 2**16


def test_more_bits_lose_less(rows: np.ndarray) -> None:
    losses = []
    for bits in (1, 2, 4, 8, 16):
        codec = train_codec(rows, len(rows), bits=bits)
        near = codec.centroids.nearest(rows)
        packed = codec.residuals.packed(rows, near, codec.centroids.rows)
        back = codec.residuals.unpacked(packed) + codec.centroids.rows[near]
        losses.append(float(((rows - back) ** 2).sum(axis=1).mean()))
        assert packed.shape == (len(rows), codec.residuals.width)
    for less, more in pairwise(losses):
        assert more < less / 2
    assert losses[-1] < 1e-6


def test_levels_lose_less_than_quantiles(rows: np.ndarray) -> None:
    codec = train_codec(rows, len(rows), bits=2)
    near = codec.centroids.nearest(rows)
    left = rows - codec.centroids.rows[near]
    back = codec.residuals.unpacked(codec.residuals.packed(rows, near, codec.centroids.rows))
    edges, middles = (np.quantile(left, q, axis=0) for q in ([0.25, 0.5, 0.75], [0.125, 0.375, 0.625, 0.875]))
    codes = (left[:, None] > edges[None]).sum(axis=1)
    quantiles = np.take_along_axis(middles, codes, axis=0)
    assert ((left - back) ** 2).sum() < 0.9 * ((left - quantiles) ** 2).sum()


@pytest.mark.parametrize("rescore_bits", [None, 8])
def test_a_codec_is_its_arrays(rows: np.ndarray, rescore_bits: int | None) -> None:
    for codec in (train_codec(rows, len(rows), bits=2, rescore_bits=rescore_bits), plain_codec(32)):
        finer = None if codec.rescoring is None else codec.rescoring.bits
        again = Codec.from_arrays(codec.arrays(), codec.residuals.bits, finer, codec.error, codec.trained_on)
        assert (again.centroids.rows == codec.centroids.rows).all()
        assert (again.residuals.levels == codec.residuals.levels).all()
        assert again.finest.bits == codec.finest.bits
        assert again.plain == codec.plain


def test_products_are_those_of_numpy() -> None:
    rng = np.random.default_rng(0)
    for count, queries in ((1, 4), (7, 8), (8, 32)):
        left, right = (rng.standard_normal((n, 19)).astype(np.float32) for n in (count, queries))
        out = np.full((count, queries + 3), 7, np.float32)
        products(left, right, out)
        assert out[:, :queries] == pytest.approx(left @ right.T, abs=1e-4)
        assert (out[:, queries:] == 7).all()


def test_work_is_spread_and_all_of_it_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "workers", lambda: 3)
    done: list[int] = []
    threads.over_chunks(100, 10**9, lambda first, end: done.extend(range(first, end)))
    assert sorted(done) == list(range(100))
    pieces: list[tuple[int, int]] = []
    threads.over_chunks(100, 10, lambda first, end: pieces.append((first, end)))
    assert pieces == [(0, 100)]
    threads.over_chunks(0, 10**9, lambda first, end: pieces.append((first, end)))
    assert len(pieces) == 1

    def nested(item: int) -> None:
        threads.over_chunks(10, 10**9, lambda first, end: pieces.append((first, end)))

    threads.each(5, nested)
    assert pieces[1:] == [(0, 10)] * 5
    with pytest.raises(ZeroDivisionError):
        threads.each(5, lambda item: done.append(1 // (item - 3)))
