"""The inner loops of late interaction, compiled for the processor they run on.

All release the interpreter and run on the thread that calls them; who calls spreads the work. Compiled code
is kept beside this file, or in the user's cache folder where that cannot be written.

Queries come padded with rows of zeros to a multiple of `ROWS`, and products with them to one of `LANES`, so
that the loops over them have no remainders.

Measured on one core (AVX-512, 384 numbers a token, 32 query tokens), nanoseconds a passage token: unpacking a
pair of tokens and multiplying it at once 290 at 4 bits, 230 at 8 (170 are the products alone); tables of
summed products for each half byte 570, for each byte 420 at 4 bits and 170 at 2. So one kernel serves all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np

from telic._lazy import require

numba = require("numba", extra="retrieval", purpose="late interaction")

_LIBERTIES = {"reassoc", "contract", "nsz", "nnan"}
"""What the compiler may do with floats: sum in any order, so that lanes can share the work. Infinities are
kept.
"""

ROWS = 4
LANES = 16

_F = TypeVar("_F", bound=Callable[..., Any])


def compiled(function: _F) -> _F:
    """The function as machine code, made when it is first called."""
    options = {"nogil": True, "cache": True, "fastmath": _LIBERTIES, "boundscheck": False}
    return cast("_F", numba.njit(**options)(function))


@compiled
def products(rows: np.ndarray, queries: np.ndarray, out: np.ndarray) -> None:
    """`rows @ queries.T`, float32: `(n, dim)`, `(padded, dim)` to the first columns of `out`."""
    count, dim = rows.shape
    for i in range(0, count, 2):
        x0 = rows[i]
        x1 = rows[min(i + 1, count - 1)]
        for t in range(0, queries.shape[0], 4):
            q0, q1, q2, q3 = queries[t], queries[t + 1], queries[t + 2], queries[t + 3]
            a0 = a1 = a2 = a3 = b0 = b1 = b2 = b3 = np.float32(0)
            for d in range(dim):
                a0 += x0[d] * q0[d]
                a1 += x0[d] * q1[d]
                a2 += x0[d] * q2[d]
                a3 += x0[d] * q3[d]
                b0 += x1[d] * q0[d]
                b1 += x1[d] * q1[d]
                b2 += x1[d] * q2[d]
                b3 += x1[d] * q3[d]
            # The odd last row is computed twice and written once more over itself.
            last = min(i + 1, count - 1)
            out[last, t], out[last, t + 1], out[last, t + 2], out[last, t + 3] = b0, b1, b2, b3
            out[i, t], out[i, t + 1], out[i, t + 2], out[i, t + 3] = a0, a1, a2, a3


@compiled
def _match(x0: np.ndarray, x1: np.ndarray, s0: Any, s1: Any, queries: np.ndarray, best: np.ndarray) -> None:
    """Raise `best` to the products of two rows with all queries, each row's known part `s` added."""
    for t in range(0, queries.shape[0], 4):
        q0, q1, q2, q3 = queries[t], queries[t + 1], queries[t + 2], queries[t + 3]
        a0 = a1 = a2 = a3 = b0 = b1 = b2 = b3 = np.float32(0)
        for d in range(queries.shape[1]):
            a0 += x0[d] * q0[d]
            a1 += x0[d] * q1[d]
            a2 += x0[d] * q2[d]
            a3 += x0[d] * q3[d]
            b0 += x1[d] * q0[d]
            b1 += x1[d] * q1[d]
            b2 += x1[d] * q2[d]
            b3 += x1[d] * q3[d]
        best[t] = max(best[t], max(a0 + s0[t], b0 + s1[t]))
        best[t + 1] = max(best[t + 1], max(a1 + s0[t + 1], b1 + s1[t + 1]))
        best[t + 2] = max(best[t + 2], max(a2 + s0[t + 2], b2 + s1[t + 2]))
        best[t + 3] = max(best[t + 3], max(a3 + s0[t + 3], b3 + s1[t + 3]))


@compiled
def packed_maxima(
    picked: np.ndarray,
    starts: np.ndarray,
    centroid_of: np.ndarray,
    centroid_scores: np.ndarray,
    residuals: np.ndarray,
    levels: np.ndarray,
    queries: np.ndarray,
    out: np.ndarray,
) -> None:
    """Best match of every query token in each picked passage, of residuals of 1 to 8 bits.

    Two tokens at a time are unpacked into a strip that stays in the first cache; no passage is ever whole.

    Args:
        picked: passages, `(n,)`.
        starts: first token of each passage, and the end of the last, `(passages + 1,)` int64.
        centroid_of: centroid of each token.
        centroid_scores: product of each centroid with each query, `(centroids, padded)` float32.
        residuals: packed rows, `(tokens, width)` uint8.
        levels: the numbers that each byte holds, `(256, numbers in a byte)` float32.
        queries: scaled as residuals are, `(padded, width * numbers in a byte)` float32.
        out: `(n, padded)` float32; minus infinity for a passage without tokens.
    """
    each = levels.shape[1]
    width = residuals.shape[1]
    strip = np.empty((2, width * each), np.float32)
    for i in range(picked.shape[0]):
        first, end = starts[picked[i]], starts[picked[i] + 1]
        best = out[i]
        best[:] = -np.inf
        for token in range(first, end, 2):
            other = min(token + 1, end - 1)
            for row in range(2):
                packed = residuals[token if row == 0 else other]
                x = strip[row]
                if each == 1:
                    for b in range(width):
                        x[b] = levels[packed[b], 0]
                elif each == 2:
                    for b in range(width):
                        pair = levels[packed[b]]
                        x[2 * b] = pair[0]
                        x[2 * b + 1] = pair[1]
                elif each == 4:
                    for b in range(width):
                        four = levels[packed[b]]
                        for j in range(4):
                            x[4 * b + j] = four[j]
                else:
                    for b in range(width):
                        eight = levels[packed[b]]
                        for j in range(8):
                            x[8 * b + j] = eight[j]
            scores, more = centroid_scores[centroid_of[token]], centroid_scores[centroid_of[other]]
            _match(strip[0], strip[1], scores, more, queries, best)


@compiled
def half_maxima(
    picked: np.ndarray,
    starts: np.ndarray,
    centroid_of: np.ndarray,
    centroid_scores: np.ndarray,
    residuals: np.ndarray,
    queries: np.ndarray,
    out: np.ndarray,
) -> None:
    """`packed_maxima` of float16 residuals, given as uint16 `(tokens, dim)`.

    Shifted into place, the bits of a float16 are those of a float32 that is 2^112 times too small, subnormal
    numbers included; `queries` come multiplied by 2^112.
    """
    dim = residuals.shape[1]
    bits = np.empty((2, dim), np.int32)
    strip = bits.view(np.float32)
    for i in range(picked.shape[0]):
        first, end = starts[picked[i]], starts[picked[i] + 1]
        best = out[i]
        best[:] = -np.inf
        for token in range(first, end, 2):
            other = min(token + 1, end - 1)
            for row in range(2):
                packed = residuals[token if row == 0 else other]
                x = bits[row]
                for d in range(dim):
                    half = np.int32(packed[d])
                    x[d] = ((half & 0x7FFF) << 13) | ((half & 0x8000) << 16)
            scores, more = centroid_scores[centroid_of[token]], centroid_scores[centroid_of[other]]
            _match(strip[0], strip[1], scores, more, queries, best)


@compiled
def coarse_scores(
    picked: np.ndarray,
    starts: np.ndarray,
    centroid_of: np.ndarray,
    centroid_scores: np.ndarray,
    count: int,
    out: np.ndarray,
) -> None:
    """Score of each picked passage if its tokens were their centroids (PLAID's centroid interaction).

    Args:
        picked: passages, `(n,)`.
        starts: as in `packed_maxima`.
        centroid_of: centroid of each token.
        centroid_scores: `(centroids, padded)` float32.
        count: query tokens; the rest is padding.
        out: `(n,)` float32.
    """
    best: np.ndarray = np.empty(LANES, np.float32)
    for i in range(picked.shape[0]):
        first, end = starts[picked[i]], starts[picked[i] + 1]
        total = np.float32(0)
        for lane in range(0, count, LANES):
            for j in range(LANES):
                best[j] = -np.inf
            for token in range(first, end):
                row = centroid_scores[centroid_of[token]]
                for j in range(LANES):
                    score = row[lane + j]
                    best[j] = score if score > best[j] else best[j]
            for j in range(min(LANES, count - lane)):
                total += best[j]
        out[i] = total


@compiled
def best_centroids(centroid_scores: np.ndarray, count: int, out: np.ndarray) -> None:
    """The best centroids of each query token, in no order: `(query tokens, n)` from `(centroids, padded)`.

    Args:
        centroid_scores: product of each centroid with each query.
        count: query tokens.
        out: int64 `(count, n)`, with `n` at most the number of centroids.
    """
    wanted = out.shape[1]
    scores = np.full((count, wanted), -np.inf, np.float32)
    lowest: np.ndarray = np.full(count, -np.inf, np.float32)
    place: np.ndarray = np.zeros(count, np.int64)
    for centroid in range(centroid_scores.shape[0]):
        row = centroid_scores[centroid]
        for t in range(count):
            if row[t] > lowest[t] or centroid < wanted:
                slot = centroid if centroid < wanted else place[t]
                scores[t, slot] = row[t]
                out[t, slot] = centroid
                if centroid >= wanted - 1:
                    worst = 0
                    for j in range(1, wanted):
                        if scores[t, j] < scores[t, worst]:
                            worst = j
                    place[t] = worst
                    lowest[t] = scores[t, worst]


@compiled
def assign(
    rows: np.ndarray,
    centroids: np.ndarray,
    offsets: np.ndarray,
    groups: np.ndarray,
    group_offsets: np.ndarray,
    group_starts: np.ndarray,
    visits: int,
    out: np.ndarray,
) -> None:
    """The nearest centroid of each row, looked for in the `visits` nearest groups of centroids.

    Nearest is the greatest product minus half the centroid's squared length, its `offsets`.

    Args:
        rows: `(n, dim)` float32.
        centroids: group by group, `(centroids, dim)` float32.
        offsets: `(centroids,)` float32.
        groups: mean of each group, `(groups, dim)` float32.
        group_offsets: as `offsets`, of the groups.
        group_starts: first centroid of each group, and the end of the last, int64.
        visits: how many groups are searched.
        out: `(n,)` int64.
    """
    visits = min(visits, groups.shape[0])
    scores = np.empty(groups.shape[0], np.float32)
    for i in range(rows.shape[0]):
        x = rows[i]
        if visits < groups.shape[0]:
            _near(x, groups, group_offsets, scores)
        high: Any = np.float32(-np.inf)
        best = 0
        for visit in range(visits):
            group: Any = visit
            if visits < groups.shape[0]:
                group = np.argmax(scores)
                scores[group] = -np.inf
            where, score = _nearest(x, centroids, offsets, group_starts[group], group_starts[group + 1])
            if score > high:
                high = score
                best = where
        out[i] = best


@compiled
def _near(x: np.ndarray, rows: np.ndarray, offsets: np.ndarray, out: np.ndarray) -> None:
    for c in range(rows.shape[0]):
        row = rows[c]
        total = np.float32(0)
        for d in range(x.shape[0]):
            total += x[d] * row[d]
        out[c] = total - offsets[c]


@compiled
def _nearest(x: np.ndarray, rows: np.ndarray, offsets: np.ndarray, first: Any, end: Any) -> tuple[Any, Any]:
    high = np.float32(-np.inf)
    best = first
    for c in range(first, end, 4):
        last = end - 1
        r0, r1, r2, r3 = rows[c], rows[min(c + 1, last)], rows[min(c + 2, last)], rows[min(c + 3, last)]
        a0 = a1 = a2 = a3 = np.float32(0)
        for d in range(x.shape[0]):
            a0 += x[d] * r0[d]
            a1 += x[d] * r1[d]
            a2 += x[d] * r2[d]
            a3 += x[d] * r3[d]
        for j in range(min(4, end - c)):
            score = (a0 if j == 0 else a1 if j == 1 else a2 if j == 2 else a3) - offsets[c + j]
            if score > high:
                high = score
                best = c + j
    return best, high


@compiled
def add_rows(rows: np.ndarray, centroid_of: np.ndarray, sums: np.ndarray, counts: np.ndarray) -> None:
    """Add each row to the sum of its centroid, and count it."""
    for i in range(rows.shape[0]):
        c = centroid_of[i]
        counts[c] += 1
        total = sums[c]
        x = rows[i]
        for d in range(x.shape[0]):
            total[d] += x[d]


@compiled
def quantise(
    rows: np.ndarray,
    centroid_of: np.ndarray,
    centroids: np.ndarray,
    factors: np.ndarray,
    bounds: np.ndarray,
    bits: int,
    out: np.ndarray,
) -> None:
    """Pack what is left of each row after its centroid, each number as the place of its level.

    Args:
        rows: `(n, dim)` float32.
        centroid_of: `(n,)`.
        centroids: `(centroids, dim)` float32.
        factors: what each dimension is multiplied by before it is compared, `(dim,)` float32.
        bounds: between the levels, increasing, `(2 ** bits - 1,)` float32.
        bits: 1, 2, 4 or 8.
        out: `(n, row_bytes(dim, bits))` uint8, zeros.
    """
    each = 8 // bits
    left = np.empty(rows.shape[1], np.float32)
    codes = np.empty(rows.shape[1], np.int32)
    for i in range(rows.shape[0]):
        x, centre, packed = rows[i], centroids[centroid_of[i]], out[i]
        for d in range(x.shape[0]):
            left[d] = (x[d] - centre[d]) * factors[d]
            codes[d] = 0
        # Counting the bounds below, many numbers at once, is ten times as fast as searching for each.
        for bound in bounds:
            for d in range(x.shape[0]):
                codes[d] += left[d] > bound
        for d in range(x.shape[0]):
            packed[d // each] |= np.uint8(codes[d] << (bits * (d % each)))


@compiled
def squared_error(rows: np.ndarray, centroid_of: np.ndarray, centroids: np.ndarray) -> Any:
    """Sum of the squared distances of rows from their centroids."""
    total: Any = 0.0
    for i in range(rows.shape[0]):
        x, centre = rows[i], centroids[centroid_of[i]]
        short = np.float32(0)
        for d in range(x.shape[0]):
            short += (x[d] - centre[d]) * (x[d] - centre[d])
        total += short
    return total
