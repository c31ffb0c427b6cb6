"""Finding passages: by words, by vectors, by late interaction, and by several ways at once."""

from __future__ import annotations

from telic._lazy import exports

__getattr__, __dir__ = exports(
    __name__,
    {
        "Passage": "telic.retrieval.passage",
        "Retriever": "telic.retrieval.retriever",
    },
)
