"""Finding passages: by words, by vectors, by late interaction, and by several ways at once."""

from __future__ import annotations

from telic._lazy import exports

__getattr__, __dir__ = exports(
    __name__,
    {
        "BM25": "telic.retrieval.lexical.bm25",
        "ColBERTv2": "telic.retrieval.remote.colbertv2",
        "Dense": "telic.retrieval.dense.dense",
        "Embeddings": "telic.retrieval.dense.embeddings",
        "EmbeddingsWithScores": "telic.retrieval.dense.embeddings",
        "Encoder": "telic.retrieval.late_interaction.encoder",
        "EncoderSettings": "telic.retrieval.late_interaction.encoder",
        "Hybrid": "telic.retrieval.hybrid",
        "LateInteraction": "telic.retrieval.late_interaction",
        "open_index": "telic.retrieval.opening",
        "Passage": "telic.retrieval.passage",
        "Retriever": "telic.retrieval.retriever",
    },
)
