"""Training on this machine: causal models, by LoRA or with all their weights, in a process of its own."""

from telic._lazy import exports

_TABLE = {
    "LocalBackend": "telic.finetune.local.backend",
    "Options": "telic.finetune.local.options",
    "plan": "telic.finetune.local.forecast",
}

__getattr__, __dir__ = exports(__name__, _TABLE)
__all__ = sorted(_TABLE)
