"""What a model's numbers are called: GGUF metadata to a transformers config, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from telic.errors import TrainingError
from telic.finetune.export.families import GEMMA3, Family

_NAMES = {
    "embedding_length": "hidden_size",
    "feed_forward_length": "intermediate_size",
    "block_count": "num_hidden_layers",
    "attention.head_count": "num_attention_heads",
    "attention.head_count_kv": "num_key_value_heads",
    "attention.layer_norm_rms_epsilon": "rms_norm_eps",
    "context_length": "max_position_embeddings",
}

_GEMMA_LOCAL_BASE, _GEMMA_PATTERN = 10_000.0, 6
"""llama.cpp has these two built in: the rotation of sliding-window layers, and which layers are not."""

_GEMMA_27B_LAYERS = 62
"""The one Gemma 3 that scales its attention by something else than the size of a head."""


def config_of_gguf(family: Family, head: Mapping[str, Any], tied: bool, vocabulary: int) -> dict[str, Any]:
    """The transformers config of a GGUF model.

    Args:
        family: of the model.
        head: the file's metadata.
        tied: the output layer is the embedding.
        vocabulary: number of tokens.

    Raises:
        TrainingError: the model does something that is not converted.
    """
    prefix = f"{family.architecture}."
    facts = {key.removeprefix(prefix): value for key, value in head.items() if key.startswith(prefix)}
    _refuse_scaling(facts.get("rope.scaling.type"))
    config: dict[str, Any] = {name: facts[key] for key, name in _NAMES.items() if key in facts}
    heads = config["num_attention_heads"]
    config.setdefault("num_key_value_heads", heads)
    width = facts.get("attention.key_length") or facts.get("rope.dimension_count")
    config |= {
        "architectures": [family.classes[0]],
        "model_type": "gemma3_text" if family is GEMMA3 else "llama",
        "head_dim": int(width or config["hidden_size"] // heads),
        "rope_theta": float(facts.get("rope.freq_base", 10_000.0)),
        "tie_word_embeddings": tied,
        "vocab_size": vocabulary,
        "torch_dtype": "float16",
    }
    if family is GEMMA3:
        config |= _gemma_config(config, facts)
    return config


def metadata_of_config(family: Family, config: Mapping[str, Any]) -> dict[str, Any]:
    """The GGUF metadata of a transformers config; the inverse of `config_of_gguf`."""
    rope = rope_of(config)
    _refuse_scaling(rope["rope_type"])
    facts = {key: config[name] for key, name in _NAMES.items() if config.get(name) is not None}
    width = int(config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"])
    facts |= {"rope.freq_base": rope["rope_theta"], "vocab_size": config["vocab_size"]}
    if family is GEMMA3:
        _check_gemma(config["num_hidden_layers"], config.get("query_pre_attn_scalar", width), width)
        facts |= {"attention.sliding_window": config["sliding_window"]}
        facts |= {"attention.key_length": width, "attention.value_length": width}
    else:
        facts["rope.dimension_count"] = width
    return {f"{family.architecture}.{key}": value for key, value in facts.items()}


def rope_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """`rope_type` and `rope_theta` (of layers without a window), wherever this config keeps them."""
    kept = config.get("rope_parameters") or config.get("rope_scaling") or {}
    kept = kept.get("full_attention", kept)
    kind = kept.get("rope_type") or kept.get("type") or "default"
    return {
        "rope_type": kind,
        "rope_theta": float(kept.get("rope_theta") or config.get("rope_theta") or 10_000.0),
    }


def _gemma_config(config: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
    layers, width = config["num_hidden_layers"], config["head_dim"]
    _check_gemma(layers, width, width)
    sliding, full = "sliding_attention", "full_attention"
    return {
        "hidden_activation": "gelu_pytorch_tanh",
        "query_pre_attn_scalar": width,
        "sliding_window": int(facts["attention.sliding_window"]),
        "layer_types": [full if (n + 1) % _GEMMA_PATTERN == 0 else sliding for n in range(layers)],
        "rope_local_base_freq": _GEMMA_LOCAL_BASE,
    }


def _check_gemma(layers: int, scalar: float, width: int) -> None:
    if layers == _GEMMA_27B_LAYERS or scalar != width:
        raise TrainingError(
            "This Gemma 3 scales its attention by another number than its head size (as the 27B model "
            "does), which is not converted. Use a smaller Gemma 3."
        )


def _refuse_scaling(kind: str | None) -> None:
    if kind not in (None, "none", "default"):
        raise TrainingError(
            f"The model scales its rotary positions ('{kind}'), which is not converted between GGUF and "
            "transformers. Train and serve it in one form only, from its transformers folder."
        )
