"""Texts to vectors, whatever makes them."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

from telic._lazy import require
from telic.errors import DataError

Vectorizer: TypeAlias = Callable[[list[str]], Any]
"""An `Embedder`, an `Encoder`, or any function, blocking or async, from texts to a vector each."""


class Embedding:
    """Asks a vectorizer, and makes sure of what it gives.

    Args:
        vectorizer: makes the vectors; the small encoder that telic brings by default, loaded when it is
            needed.
        normalize: bring every vector to length 1, so that products are cosines; zeros stay zeros.
    """

    def __init__(self, vectorizer: Vectorizer | None, normalize: bool) -> None:
        self.normalize = normalize
        self._given = vectorizer

    @property
    def vectorizer(self) -> Any:
        """What makes the vectors."""
        if self._given is None:
            from telic.retrieval.late_interaction.encoder.encoder import Encoder

            self._given = Encoder.default()
        return self._given

    @property
    def name(self) -> str | None:
        """Tells it from others where it can: an encoder's fingerprint, a hosted model's name."""
        fingerprint = getattr(self.vectorizer, "fingerprint", None)
        if isinstance(fingerprint, str):
            return fingerprint
        model = getattr(self.vectorizer, "model", None)
        inner = getattr(model, "fingerprint", None)
        return model if isinstance(model, str) else inner if isinstance(inner, str) else None

    def __call__(self, texts: Sequence[str]) -> Any:
        """A float32 array of shape `(n, d)`; no text gives `(0, 0)`.

        Raises:
            DataError: the vectors do not fit the texts, or hold what is no number.
        """
        if not texts:
            return self.checked([], 0)
        given = self.vectorizer(list(texts))
        if inspect.isawaitable(given):
            from telic.runtime.portal import portal

            given = portal.run(_itself(given))
        return self.checked(given, len(texts))

    async def acall(self, texts: Sequence[str]) -> Any:
        """`__call__` on the running loop; what blocks runs in a thread."""
        if not texts:
            return self.checked([], 0)
        vectorizer = self.vectorizer
        awaited = getattr(vectorizer, "acall", None)
        if awaited is not None:
            given = await awaited(list(texts))
        elif inspect.iscoroutinefunction(vectorizer):
            given = await vectorizer(list(texts))
        else:
            given = await asyncio.to_thread(vectorizer, list(texts))
            given = await given if inspect.isawaitable(given) else given
        return self.checked(given, len(texts))

    def checked(self, given: Any, count: int) -> Any:
        """What a vectorizer gave as a float32 array `(n, d)`, normalised if that is wanted."""
        np = require("numpy", extra="retrieval", purpose="vectors of texts")
        if count == 0:
            return np.zeros((0, 0), np.float32)
        vectors = np.asarray(given, dtype=np.float32)
        if vectors.ndim != 2 or len(vectors) != count:
            raise DataError(
                f"The embedder gave an array of shape {vectors.shape} for {count} texts: a vector for each "
                f"is needed, ({count}, d)."
            )
        if not np.isfinite(vectors).all():
            row = int(np.flatnonzero(~np.isfinite(vectors).all(axis=1))[0])
            raise DataError(f"The embedder gave a vector with NaN or infinity for text {row}.")
        if self.normalize:
            lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
            vectors = vectors / np.where(lengths > 0, lengths, 1)
        return vectors


async def _itself(value: Awaitable[Any]) -> Any:
    return await value
