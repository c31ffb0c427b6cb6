"""Metrics that are programs: a model compares an answer with what was expected, or with its sources."""

from telic._lazy import exports

_TABLE = {
    "CompleteAndGrounded": "telic.judges.grounding",
    "SemanticF1": "telic.judges.semantic_f1",
    "f1_score": "telic.judges.semantic_f1",
}

__getattr__, __dir__ = exports(__name__, _TABLE)
__all__ = sorted(_TABLE)
