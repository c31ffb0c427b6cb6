"""Finetuning: training data from traces, and the backends that train on it."""

from telic._lazy import exports

_TABLE = {
    "Backend": "telic.finetune.backend",
    "JobStatus": "telic.finetune.backend",
    "TrainedModel": "telic.finetune.backend",
    "TrainingExample": "telic.finetune.data",
    "TrainingForecast": "telic.finetune.backend",
    "TrainingSet": "telic.finetune.data",
    "TrainingSpec": "telic.finetune.backend",
}

__getattr__, __dir__ = exports(__name__, _TABLE)
__all__ = sorted(_TABLE)
