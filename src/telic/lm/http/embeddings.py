"""Vectors of texts from servers that speak OpenAI's protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from telic._json import encoded
from telic.errors import LMUnexpectedError
from telic.lm.http.engine import HttpEngine
from telic.lm.http.wire import Wire
from telic.types import Usage


class _EmbeddingWire(Wire):
    holds: ClassVar[str] = "data"


class EmbeddingEngine:
    """Asks a model for vectors, over the connections and under the limits of an `HttpEngine`.

    Args:
        engine: of the same model.
    """

    def __init__(self, engine: HttpEngine) -> None:
        self._engine = engine
        self._wire: _EmbeddingWire | None = None

    @property
    def endpoint(self) -> str:
        """Base URL."""
        return self._engine.endpoint

    async def aembed(
        self, texts: Sequence[str], params: Mapping[str, Any]
    ) -> tuple[list[list[float]], Usage, float]:
        """A vector for each text, the tokens they took, and the seconds.

        Raises:
            LMError: one of its kinds, after all retries.
        """
        if self._wire is None:
            path = self._path()
            self._wire = self._engine.wire(_EmbeddingWire, (path, path))
        body = {"model": self._engine.name, "input": list(texts), **params}
        payload, seconds = await self._wire.post(self._wire.text_url, encoded(body))
        rows = sorted(payload["data"], key=lambda row: row.get("index", 0))
        if len(rows) != len(texts):
            raise LMUnexpectedError(
                f"{self._engine.model} gave {len(rows)} vectors for {len(texts)} texts.",
                model=self._engine.model,
            )
        usage = payload.get("usage") or {}
        return [row["embedding"] for row in rows], Usage.from_json(usage), seconds

    def _path(self) -> str:
        from telic.lm.http.keys import paths_of

        engine = self._engine
        text = paths_of(engine.provider, engine.address, engine.name, engine._api_version)[1]
        return text.replace("/completions", "/embeddings")
