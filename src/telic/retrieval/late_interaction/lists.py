"""Inverted lists: for each centroid the passages that have a token near it.

A list is the growing numbers of its passages as differences, each in as few bytes as hold seven bits apiece
(the eighth says that more follow): a byte or two a passage.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from telic.retrieval.late_interaction.kernels import compiled


@compiled
def _sizes(starts: np.ndarray, centroid_of: np.ndarray, last: np.ndarray, sizes: np.ndarray) -> None:
    for passage in range(starts.shape[0] - 1):
        for token in range(starts[passage], starts[passage + 1]):
            c = centroid_of[token]
            step = passage - last[c]
            if step > 0:
                last[c] = passage
                while step > 0:
                    sizes[c] += 1
                    step >>= 7


@compiled
def _fill(
    starts: np.ndarray, centroid_of: np.ndarray, last: np.ndarray, place: np.ndarray, out: np.ndarray
) -> None:
    for passage in range(starts.shape[0] - 1):
        for token in range(starts[passage], starts[passage + 1]):
            c = centroid_of[token]
            step = passage - last[c]
            if step > 0:
                last[c] = passage
                while step > 127:
                    out[place[c]] = (step & 127) | 128
                    place[c] += 1
                    step >>= 7
                out[place[c]] = step
                place[c] += 1


@compiled
def collect(
    lists: np.ndarray,
    ends: np.ndarray,
    probes: np.ndarray,
    admitted: np.ndarray,
    seen: np.ndarray,
    out: np.ndarray,
) -> int:
    """Passages in the lists of some centroids, each once.

    Args:
        lists: all lists, one after the other, uint8.
        ends: where each list ends, int64.
        probes: the centroids.
        admitted: for each passage whether it may be found, uint8.
        seen: for each passage whether it was collected already, uint8; written to.
        out: receives the passages, uint32.

    Returns:
        How many were written to `out`.
    """
    count = 0
    for probe in range(probes.shape[0]):
        c = probes[probe]
        position = ends[c - 1] if c > 0 else 0
        passage: Any = -1
        while position < ends[c]:
            shift = 0
            step: Any = 0
            while lists[position] > 127:
                step |= np.int64(lists[position] & 127) << shift
                shift += 7
                position += 1
            passage += step | (np.int64(lists[position]) << shift)
            position += 1
            if not seen[passage]:
                seen[passage] = 1
                if admitted[passage]:
                    out[count] = passage
                    count += 1
    return count


def build_lists(starts: np.ndarray, centroid_of: np.ndarray, centroids: int) -> tuple[np.ndarray, np.ndarray]:
    """The lists of a segment, and where each ends.

    Beside the lists themselves this needs 32 bytes a centroid.

    Args:
        starts: first token of each passage, and the end of the last, int64 `(passages + 1,)`.
        centroid_of: centroid of each token.
        centroids: how many there are.
    """
    sizes: np.ndarray = np.zeros(centroids, np.int64)
    _sizes(starts, centroid_of, np.full(centroids, -1, np.int64), sizes)
    ends = np.cumsum(sizes)
    lists: np.ndarray = np.empty(int(ends[-1]) if centroids else 0, np.uint8)
    _fill(starts, centroid_of, np.full(centroids, -1, np.int64), ends - sizes, lists)
    return lists, ends
