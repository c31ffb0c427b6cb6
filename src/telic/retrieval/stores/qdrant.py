"""Passages in a Qdrant collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from telic._lazy import require
from telic.retrieval.dense.embedding import Vectorizer
from telic.retrieval.passage import Passage
from telic.retrieval.stores.store import StoreRetriever


class Qdrant(StoreRetriever):
    """Finds the points of a Qdrant collection; scores are Qdrant's.

    Args:
        client: a `qdrant_client.QdrantClient`.
        collection: its name.
        embedder: the one its vectors were made with; telic's small encoder by default.
        text: the field of the payload that is the passage; the others are metadata.
        identity: the field of the payload that is the id; the point's own id by default.
        using: the name of the vector, where points have several.
        k: how many passages a search gives where it is not told.
        normalize: bring vectors of queries to length 1.
    """

    def __init__(
        self,
        client: Any,
        collection: str,
        embedder: Vectorizer | None = None,
        *,
        text: str = "text",
        identity: str | None = None,
        using: str | None = None,
        k: int = 3,
        normalize: bool = True,
    ) -> None:
        super().__init__(embedder, k=k, normalize=normalize)
        self._client, self._collection, self._using = client, collection, using
        self._text, self._identity = text, identity

    def _near(self, vector: list[float], n: int, wanted: Mapping[str, list[Any]]) -> list[Passage]:
        models = require("qdrant_client.models", extra="qdrant", purpose="searching a Qdrant collection")
        conditions = [
            models.FieldCondition(key=name, match=models.MatchAny(any=values))
            for name, values in wanted.items()
        ]
        answer = self._client.query_points(
            self._collection,
            query=vector,
            using=self._using,
            limit=n,
            query_filter=models.Filter(must=conditions) if conditions else None,
            with_payload=True,
        )
        return [self._passage(point) for point in answer.points]

    def _passage(self, point: Any) -> Passage:
        payload = dict(point.payload or {})
        text = str(payload.pop(self._text, ""))
        identity = payload.pop(self._identity, point.id) if self._identity else point.id
        return Passage(str(identity), text, float(point.score), payload)
