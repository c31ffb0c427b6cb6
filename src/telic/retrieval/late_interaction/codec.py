"""How a token's vector is stored: the nearest centroid, and what is left of it in a few bits a number.

Residual compression as in ColBERTv2 (Santhanam et al. 2022, arXiv:2112.01488), with two differences. The
levels of the numbers are those of least squared error (Lloyd 1982) rather than quantiles, one set for all
dimensions, each dimension first divided by its spread: a byte then unpacks with one look into a small table.
On token vectors of HotPotQA paragraphs that loses two thirds of what quantiles for each dimension lose at 4
bits (recall@10 of a full scan 0.975 instead of 0.95), three quarters at 2 (0.92 instead of 0.87). And
centroids are stored in 4 bits a number; residuals are taken from what is stored, so little is lost by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from telic.retrieval.late_interaction import kernels
from telic.retrieval.late_interaction.kmeans import Centroids, find_centroids
from telic.retrieval.late_interaction.packing import pack, row_bytes, unpack

_LEVEL_ROWS = 20_000
"""Rows of the sample, at most a tenth, on which spreads and levels are found."""
_MOST_CENTROIDS = 2**16
_LEAST_ROWS = 4
"""Rows of the sample for each centroid, at least."""
_LEVEL_NUMBERS = 1_000_000
_CENTROID_BITS = 4
ID_TYPE = np.dtype("<u2")
"""What a token's centroid is numbered in."""
_LEVEL_ROUNDS = 40


@dataclass(frozen=True)
class Residuals:
    """How residuals are packed at one width.

    Attributes:
        bits: for each number: 1, 2, 4, 8, or 16 (a float16).
        spread: what numbers were divided by, float32 `(dim,)`.
        levels: the numbers that codes stand for, increasing, float32 `(2 ** bits,)`; none for 16 bits.
    """

    bits: int
    spread: np.ndarray
    levels: np.ndarray

    @property
    def dim(self) -> int:
        """Numbers in a row."""
        return len(self.spread)

    @property
    def width(self) -> int:
        """Bytes in a row."""
        return row_bytes(self.dim, self.bits)

    @cached_property
    def by_byte(self) -> np.ndarray:
        """The levels that each byte stands for, float32 `(256, numbers in a byte)`."""
        each = 8 // self.bits
        codes = unpack(np.arange(256, dtype=np.uint8)[:, None], each, self.bits)
        table: np.ndarray = self.levels[codes]
        return table

    def packed(self, rows: np.ndarray, centroid_of: np.ndarray, centroids: np.ndarray) -> np.ndarray:
        """Rows less their centroids, packed: float32 `(n, dim)` to uint8 `(n, width)`."""
        if self.bits == 16:
            return pack((rows - centroids[centroid_of]).astype("<f2").view(np.uint16), 16)
        out: np.ndarray = np.zeros((len(rows), self.width), np.uint8)
        bounds = (self.levels[1:] + self.levels[:-1]) / 2
        factors = (1 / self.spread).astype(np.float32)
        kernels.quantise(rows, centroid_of, centroids, factors, bounds, self.bits, out)
        return out

    def unpacked(self, packed: np.ndarray) -> np.ndarray:
        """The residuals again, as near as their bits allow: uint8 `(n, width)` to float32 `(n, dim)`."""
        codes = unpack(packed, self.dim, self.bits)
        rows = codes.view("<f2") if self.bits == 16 else self.levels[codes]
        scaled: np.ndarray = rows.astype(np.float32) * self.spread
        return scaled


@dataclass(frozen=True)
class Codec:
    """Turns vectors into what is stored and back.

    Attributes:
        centroids: as they come back from `packed_centroids`.
        packed_centroids: as they are stored.
        packing: how.
        residuals: how residuals are packed.
        rescoring: how the finer copy is packed, where there is one.
        error: mean squared length of the residuals it was trained on; drift is measured against it.
        trained_on: tokens in the collection it was made for.
    """

    centroids: Centroids
    packed_centroids: np.ndarray
    packing: Residuals
    residuals: Residuals
    rescoring: Residuals | None
    error: float
    trained_on: int

    @property
    def dim(self) -> int:
        """Numbers in a vector."""
        return self.residuals.dim

    @property
    def plain(self) -> bool:
        """Whether there is but the origin for a centroid: vectors are stored as they are, in float16."""
        return len(self.centroids) == 1 and self.residuals.bits == 16 and not self.centroids.rows.any()

    @property
    def finest(self) -> Residuals:
        """The most exact of what is stored."""
        return self.rescoring or self.residuals

    def arrays(self) -> dict[str, np.ndarray]:
        """All of it but the two numbers, as arrays to store; see `from_arrays`."""
        stored = {
            "centroids": self.packed_centroids,
            "centroid_spread": self.packing.spread,
            "centroid_levels": self.packing.levels,
            "groups": self.centroids.group_starts.astype("<i8"),
            "spread": self.residuals.spread,
            "levels": self.residuals.levels,
        }
        if self.rescoring is not None:
            stored |= {"rescoring_spread": self.rescoring.spread, "rescoring_levels": self.rescoring.levels}
        return stored

    @classmethod
    def from_arrays(
        cls,
        stored: Mapping[str, np.ndarray],
        bits: int,
        rescore_bits: int | None,
        error: float,
        trained_on: int,
    ) -> Codec:
        """What `arrays` gave, made whole again."""
        packing = Residuals(_CENTROID_BITS, stored["centroid_spread"], stored["centroid_levels"])
        packed = stored["centroids"].reshape(-1, packing.width)
        centroids = Centroids(packing.unpacked(packed), stored["groups"].astype(np.int64))
        finer = None
        if rescore_bits is not None:
            finer = Residuals(rescore_bits, stored["rescoring_spread"], stored["rescoring_levels"])
        coarser = Residuals(bits, stored["spread"], stored["levels"])
        return cls(centroids, packed, packing, coarser, finer, error, trained_on)


def plain_codec(dim: int) -> Codec:
    """The codec of a collection that is too small for centroids."""
    origin: np.ndarray = np.zeros((1, dim), np.float32)
    packing = Residuals(_CENTROID_BITS, np.ones(dim, np.float32), np.zeros(2**_CENTROID_BITS, np.float32))
    packed: np.ndarray = np.zeros((1, packing.width), np.uint8)
    centroids = Centroids(origin, np.array([0, 1], np.int64))
    return Codec(centroids, packed, packing, _fitted(origin, 16), None, 1.0, 0)


def centroid_count(tokens: int, bits: int) -> int:
    """How many centroids a collection gets: 16 times the root of its tokens, 6 times where each byte counts,
    and no more than can be numbered in two bytes.

    Twice as many halve what the third stage of a search must look at. On 2,500 paragraphs of HotPotQA, the
    128 that score best by their centroids hold 0.95, 0.977, 0.987 of the true ten best with 4, 8, 16 times
    the root.
    """
    root: float = tokens**0.5
    return min(_MOST_CENTROIDS, max(1, round((16 if bits > 2 else 6) * root)))


def train_codec(
    sample: np.ndarray, tokens: int, *, bits: int, rescore_bits: int | None = None, seed: int = 0
) -> Codec:
    """A codec for a collection.

    Args:
        sample: vectors of its tokens, float32 `(n, dim)`, `n` at least 1.
        tokens: how many the collection has.
        bits: of the residuals, for each number.
        rescore_bits: of the finer copy.
        seed: of all random choices.
    """
    # Residuals of rows that centroids were found on are shorter than those of rows to come.
    order = np.random.default_rng(seed).permutation(len(sample))
    held = min(_LEVEL_ROWS, len(sample) // 10)
    count = min(centroid_count(tokens, bits), max(1, (len(sample) - held) // _LEAST_ROWS))
    found = find_centroids(sample[np.sort(order[held:])], count, seed)
    packing = _fitted(found.rows, _CENTROID_BITS)
    origins = np.zeros_like(found.rows[:1])
    packed = packing.packed(found.rows, np.zeros(len(found), np.int64), origins)
    centroids = Centroids(packing.unpacked(packed), found.group_starts)
    rows = np.ascontiguousarray(sample[np.sort(order[:held] if held else order)], np.float32)
    left = rows - centroids.rows[centroids.nearest(rows)]
    error = float((left.astype(np.float64) ** 2).sum(axis=1).mean())
    finer = None if rescore_bits is None else _fitted(left, rescore_bits)
    return Codec(centroids, packed, packing, _fitted(left, bits), finer, error, tokens)


def _fitted(left: np.ndarray, bits: int) -> Residuals:
    if bits == 16:
        return Residuals(16, np.ones(left.shape[1], np.float32), np.zeros(0, np.float32))
    spread = np.maximum(left.std(axis=0), 1e-6).astype(np.float32)
    numbers = np.sort((left / spread).ravel())
    numbers = numbers[:: -(-len(numbers) // _LEVEL_NUMBERS)].astype(np.float64)
    return Residuals(bits, spread, _least_squares_levels(numbers, 2**bits))


def _least_squares_levels(numbers: np.ndarray, count: int) -> np.ndarray:
    """The levels to which sorted `numbers` are rounded with the least squared error; Lloyd's rounds from
    quantiles.
    """
    sums = np.concatenate([[0.0], np.cumsum(numbers)])
    levels = np.quantile(numbers, (np.arange(count) + 0.5) / count)
    # Some room beyond the quantiles, or the outermost levels would be long in reaching the rare far numbers.
    levels = levels * 1.2
    for _ in range(_LEVEL_ROUNDS):
        edges = np.searchsorted(numbers, (levels[1:] + levels[:-1]) / 2)
        edges = np.concatenate([[0], edges, [len(numbers)]])
        sizes = np.diff(edges)
        levels = np.where(sizes > 0, np.diff(sums[edges]) / np.maximum(sizes, 1), levels)
    ordered: np.ndarray = np.maximum.accumulate(levels).astype(np.float32)
    return ordered
