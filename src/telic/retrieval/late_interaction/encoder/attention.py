"""Attention over sequences that lie one after the other, for every family of models."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from telic.retrieval.late_interaction.encoder.arithmetic import softmax

_OUT_OF_SIGHT = np.float32(-1e30)


def by_heads(qkv: np.ndarray, heads: int) -> np.ndarray:
    """Queries, keys and values side by side (tokens, 3 width) as a view (3, heads, tokens, size)."""
    parts: np.ndarray = qkv.reshape(len(qkv), 3, heads, -1).transpose(1, 2, 0, 3)
    return parts


def attend(
    parts: np.ndarray, bounds: np.ndarray, seen: Sequence[int], reach: int | None = None
) -> np.ndarray:
    """What the heads gather, side by side (tokens, width).

    Args:
        parts: queries, keys and values (3, heads, tokens, size); the queries hold the scale of the scores.
        bounds: where the sequences begin, and the end of the last.
        seen: how many tokens of each sequence, from its beginning, the others attend to.
        reach: how far a token attends to either side; without bounds where it is `None`.
    """
    _, heads, tokens, size = parts.shape
    gathered: np.ndarray = np.empty((tokens, heads * size), np.float32)
    by_head = gathered.reshape(tokens, heads, size).transpose(1, 0, 2)
    for (start, end), keys in zip(pairwise(bounds), seen, strict=True):
        queries, known, values = parts[:, :, start:end]
        scores = queries @ known[:, :keys].transpose(0, 2, 1)
        if reach is not None and end - start > reach + 1:
            distance = np.arange(end - start)[:, None] - np.arange(keys)
            scores += np.where(np.abs(distance) <= reach, np.float32(0), _OUT_OF_SIGHT)
        softmax(scores.reshape(-1, keys))
        np.matmul(scores, values[:, :keys], out=by_head[:, start:end])
    return gathered
