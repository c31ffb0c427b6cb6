"""Vector databases that people run already, as retrievers."""

from __future__ import annotations

from telic._lazy import exports

__getattr__, __dir__ = exports(
    __name__,
    {
        "Chroma": "telic.retrieval.stores.chroma",
        "Lance": "telic.retrieval.stores.lance",
        "Qdrant": "telic.retrieval.stores.qdrant",
        "StoreRetriever": "telic.retrieval.stores.store",
    },
)
