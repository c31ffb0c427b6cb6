"""Encoders: the vectors of a text's tokens, computed on the processor without a deep-learning framework."""

from __future__ import annotations

from typing import Any

from telic._lazy import exports, require

_load, __dir__ = exports(
    __name__,
    {
        "Encoder": "telic.retrieval.late_interaction.encoder.encoder",
        "EncoderSettings": "telic.retrieval.late_interaction.encoder.settings",
    },
)


def __getattr__(name: str) -> Any:
    if name == "Encoder":
        for module in ("numpy", "numba", "tokenizers"):
            require(module, extra="retrieval", purpose="an encoder")
    return _load(name)
