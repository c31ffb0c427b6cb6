"""Late interaction: a text as one vector for each token, matched by tokens (ColBERT, arXiv:2004.12832)."""

from __future__ import annotations

from typing import Any

from telic._lazy import exports, require

_load, __dir__ = exports(
    __name__,
    {
        "Encoder": "telic.retrieval.late_interaction.encoder",
        "EncoderSettings": "telic.retrieval.late_interaction.encoder",
        "LateInteraction": "telic.retrieval.late_interaction.retriever",
        "Match": "telic.retrieval.late_interaction.retriever",
        "Stages": "telic.retrieval.late_interaction.search",
        "TokenEncoder": "telic.retrieval.late_interaction.encoding",
    },
)


def __getattr__(name: str) -> Any:
    if not name.startswith("_"):
        require("numpy", extra="retrieval", purpose="late interaction")
    return _load(name)
