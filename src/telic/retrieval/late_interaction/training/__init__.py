"""Training of late-interaction encoders: losses, negatives of their own, teachers, checkpoints (PyTorch)."""

from __future__ import annotations

from telic._lazy import exports

_TABLE = {
    "RetrievalSettings": "telic.retrieval.late_interaction.training.settings",
    "TrainingExample": "telic.retrieval.late_interaction.training.examples",
    "TrainingProgress": "telic.retrieval.late_interaction.training.progress",
    "TrainingReport": "telic.retrieval.late_interaction.training.report",
    "progress_lines": "telic.retrieval.late_interaction.training.progress",
    "mine_negatives": "telic.retrieval.late_interaction.training.mining",
    "teach": "telic.retrieval.late_interaction.training.teaching",
    "train": "telic.retrieval.late_interaction.training.train_encoder",
    "training_examples": "telic.retrieval.late_interaction.training.examples",
}

__getattr__, __dir__ = exports(__name__, _TABLE)
__all__ = sorted(_TABLE)
