"""Passages in a Chroma collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from telic.retrieval.dense.embedding import Vectorizer
from telic.retrieval.passage import Passage
from telic.retrieval.stores.store import StoreRetriever


class Chroma(StoreRetriever):
    """Finds the documents of a Chroma collection; scores are distances with the sign turned.

    Args:
        collection: of a `chromadb` client, with documents.
        embedder: the one its vectors were made with; telic's small encoder by default.
        k: how many passages a search gives where it is not told.
        normalize: bring vectors of queries to length 1.
    """

    def __init__(
        self, collection: Any, embedder: Vectorizer | None = None, *, k: int = 3, normalize: bool = True
    ) -> None:
        super().__init__(embedder, k=k, normalize=normalize)
        self._collection = collection

    def _near(self, vector: list[float], n: int, wanted: Mapping[str, list[Any]]) -> list[Passage]:
        count = self._collection.count()
        if count == 0:
            return []
        conditions = [{name: {"$in": values}} for name, values in wanted.items()]
        found = self._collection.query(
            query_embeddings=[vector],
            n_results=min(n, count),
            where=conditions[0] if len(conditions) == 1 else {"$and": conditions} if conditions else None,
            include=["documents", "metadatas", "distances"],
        )
        rows = zip(
            found["ids"][0], found["documents"][0], found["metadatas"][0], found["distances"][0], strict=True
        )
        return [
            Passage(identity, text or "", -float(distance), dict(metadata or {}))
            for identity, text, metadata, distance in rows
        ]
