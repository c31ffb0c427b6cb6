"""An encoder that remembers: the ways that are compared look at the same sentences again and again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


class Remembered:
    """Gives what another encoder gives, and encodes no text twice. Rows are kept in half precision.

    Args:
        encoder: the other.
    """

    def __init__(self, encoder: Any) -> None:
        self._encoder = encoder
        self._queries: dict[str, np.ndarray] = {}
        self._passages: dict[str, np.ndarray] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._encoder, name)

    def encode_queries(self, texts: Sequence[str]) -> list[np.ndarray]:
        """Vectors of queries."""
        return _known(self._queries, texts, self._encoder.encode_queries)

    def encode_passages(self, texts: Sequence[str]) -> list[np.ndarray]:
        """Vectors of passages."""
        return _known(self._passages, texts, self._encoder.encode_passages)


def _known(
    kept: dict[str, np.ndarray], texts: Sequence[str], encode: Callable[[Sequence[str]], list[np.ndarray]]
) -> list[np.ndarray]:
    fresh = [text for text in dict.fromkeys(texts) if text not in kept]
    for text, rows in zip(fresh, encode(fresh), strict=True):
        kept[text] = rows.astype(np.float16)
    return [kept[text].astype(np.float32) for text in texts]
