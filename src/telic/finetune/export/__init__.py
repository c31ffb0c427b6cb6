"""Between the two forms of a model: GGUF, which llama.cpp serves, and the folder that transformers trains."""

from telic._lazy import exports

_TABLE = {
    "adapter_to_gguf": "telic.finetune.export.adapter",
    "convert": "telic.finetune.export.from_gguf",
    "folder_to_gguf": "telic.finetune.export.to_gguf",
    "transformers_folder": "telic.finetune.export.from_gguf",
}

__getattr__, __dir__ = exports(__name__, _TABLE)
__all__ = sorted(_TABLE)
