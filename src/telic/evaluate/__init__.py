"""Measuring programs: Evaluate, results with confidence, metrics, paired comparison."""

from telic._lazy import exports

_TABLE = {
    "Evaluate": "telic.evaluate.evaluate",
    "EvaluationResult": "telic.evaluate.result",
    "Outcome": "telic.evaluate.outcome",
    "Problem": "telic.evaluate.outcome",
    "Comparison": "telic.evaluate.pairing",
    "compare": "telic.evaluate.comparison",
    "run_examples": "telic.evaluate.runner",
    "run_jobs": "telic.evaluate.runner",
    "Job": "telic.evaluate.runner",
    "mean_interval": "telic.evaluate.statistics",
    "paired": "telic.evaluate.pairing",
    "answer_exact_match": "telic.evaluate.metrics",
    "answer_passage_match": "telic.evaluate.metrics",
    "EM": "telic.evaluate.metrics",
    "F1": "telic.evaluate.metrics",
    "HotPotF1": "telic.evaluate.metrics",
    "normalize_text": "telic.evaluate.metrics",
    "precision_score": "telic.evaluate.metrics",
}

__getattr__, __dir__ = exports(__name__, _TABLE)
__all__ = sorted(_TABLE)
