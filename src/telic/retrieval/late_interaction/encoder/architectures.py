"""From a checkpoint's tensors to a model: which name each family gives to which part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from telic.errors import ModelWeightsError
from telic.retrieval.late_interaction.encoder.bert import Bert, Dense, Layer, Norm
from telic.retrieval.late_interaction.encoder.checkpoint import Checkpoint
from telic.retrieval.late_interaction.encoder.modern_bert import ModernBert, ModernLayer

Model: TypeAlias = Bert | ModernBert


@dataclass(frozen=True, slots=True)
class _Family:
    """How a family of models names its parts; `layer` takes the layer's number."""

    layer: str
    qkv: tuple[str, str, str]
    out: str
    after_attention: str
    up: str
    down: str
    after_feed_forward: str
    heads: str
    depth: str
    activation: str


_BERT = _Family(
    layer="encoder.layer.{}.",
    qkv=("attention.self.query", "attention.self.key", "attention.self.value"),
    out="attention.output.dense",
    after_attention="attention.output.LayerNorm",
    up="intermediate.dense",
    down="output.dense",
    after_feed_forward="output.LayerNorm",
    heads="num_attention_heads",
    depth="num_hidden_layers",
    activation="hidden_act",
)
_DISTILBERT = _Family(
    layer="transformer.layer.{}.",
    qkv=("attention.q_lin", "attention.k_lin", "attention.v_lin"),
    out="attention.out_lin",
    after_attention="sa_layer_norm",
    up="ffn.lin1",
    down="ffn.lin2",
    after_feed_forward="output_layer_norm",
    heads="n_heads",
    depth="n_layers",
    activation="activation",
)

_FAMILIES = {
    "bert": _BERT,
    "distilbert": _DISTILBERT,
    "roberta": _BERT,
    "xlm-roberta": _BERT,
    "camembert": _BERT,
}
_MODERN = "modernbert"
_AFTER_PADDING = {"roberta", "xlm-roberta", "camembert"}
"""Families that number places from the one after the padding token's."""
_PREFIXES = ("", "bert.", "distilbert.", "roberta.", "model.", "0.auto_model.")


def build(checkpoint: Checkpoint) -> Model:
    """The model that a checkpoint holds.

    Raises:
        ModelWeightsError: its architecture is not known here, or tensors are missing or of odd shapes.
    """
    kind = str(checkpoint.config.get("model_type", ""))
    if kind == _MODERN:
        return _modern(checkpoint)
    family = _FAMILIES.get(kind)
    if family is None:
        raise ModelWeightsError(
            f"{checkpoint.folder}: models of type '{kind or 'unknown'}' are not read; known are "
            f"{', '.join([*_FAMILIES, _MODERN])}."
        )
    return _bert(checkpoint, family)


def _bert(checkpoint: Checkpoint, family: _Family) -> Bert:
    config = checkpoint.config
    _check(checkpoint, family)
    parts = _Parts(checkpoint, "embeddings.word_embeddings.weight")
    heads, depth = int(config[family.heads]), int(config[family.depth])
    words = parts.read("embeddings.word_embeddings.weight")
    if words.shape[1] % heads:
        raise ModelWeightsError(f"{checkpoint.folder}: {words.shape[1]} wide, but {heads} heads.")
    positions = parts.read("embeddings.position_embeddings.weight")
    if "embeddings.token_type_embeddings.weight" in parts:
        positions = positions + parts.read("embeddings.token_type_embeddings.weight")[0]
    return Bert(
        words=words,
        positions=positions,
        first_position=first_position(config),
        norm=parts.norm("embeddings.LayerNorm"),
        layers=tuple(_layer(parts, family, number, heads) for number in range(depth)),
        heads=heads,
        epsilon=float(config.get("layer_norm_eps", 1e-12)),
    )


def first_position(config: dict[str, Any]) -> int:
    """The number of the first token's place; `max_position_embeddings` counts those before it too."""
    if config.get("model_type") not in _AFTER_PADDING:
        return 0
    return int(config.get("pad_token_id") or 0) + 1


def _check(checkpoint: Checkpoint, family: _Family) -> None:
    _check_sizes(checkpoint, (family.heads, family.depth))
    _check_choice(checkpoint, family.activation, "gelu")
    _check_choice(checkpoint, "position_embedding_type", "absolute")


def _check_sizes(checkpoint: Checkpoint, names: tuple[str, ...]) -> None:
    for name in names:
        if not isinstance(checkpoint.config.get(name), int) or checkpoint.config[name] < 1:
            raise ModelWeightsError(f"{checkpoint.folder}: config.json says no usable '{name}'.")


def _check_choice(checkpoint: Checkpoint, name: str, known: str) -> None:
    said = checkpoint.config.get(name) or known
    if said != known:
        raise ModelWeightsError(f"{checkpoint.folder}: {name} '{said}' is not computed here; '{known}' is.")


class _Parts:
    """Tensors of a checkpoint by the names that the family's own library uses."""

    def __init__(self, checkpoint: Checkpoint, words: str) -> None:
        self._checkpoint = checkpoint
        self._prefix = next((prefix for prefix in _PREFIXES if prefix + words in checkpoint), "")

    def __contains__(self, name: str) -> bool:
        return self._prefix + name in self._checkpoint

    def read(self, name: str) -> np.ndarray:
        return self._checkpoint.read(self._prefix + name)

    def dense(self, name: str) -> Dense:
        return Dense(self.read(f"{name}.weight"), self.read(f"{name}.bias"))

    def norm(self, name: str) -> Norm:
        old = f"{name}.gamma" in self  # as the first checkpoints have it
        return Norm(
            self.read(f"{name}.{'gamma' if old else 'weight'}"),
            self.read(f"{name}.{'beta' if old else 'bias'}"),
        )


def _layer(parts: _Parts, family: _Family, number: int, heads: int) -> Layer:
    def inside(make: Callable[[str], Any], name: str) -> Any:
        return make(family.layer.format(number) + name)

    query, key, value = (inside(parts.dense, name) for name in family.qkv)
    # Scores are divided by the root of a head's size: done once, in the weights.
    scale = _scale(query.weight.shape[0], heads)
    return Layer(
        qkv=Dense(
            np.concatenate([query.weight * scale, key.weight, value.weight]),
            np.concatenate([query.bias * scale, key.bias, value.bias]),
        ),
        out=inside(parts.dense, family.out),
        after_attention=inside(parts.norm, family.after_attention),
        up=inside(parts.dense, family.up),
        down=inside(parts.dense, family.down),
        after_feed_forward=inside(parts.norm, family.after_feed_forward),
    )


def _scale(width: int, heads: int) -> np.float32:
    return np.float32((width // heads) ** -0.5)


def _modern(checkpoint: Checkpoint) -> ModernBert:
    config = checkpoint.config
    sizes = ("num_attention_heads", "num_hidden_layers", "max_position_embeddings")
    _check_sizes(checkpoint, sizes)
    _check_choice(checkpoint, "hidden_activation", "gelu")
    for name in ("attention_bias", "mlp_bias", "norm_bias"):
        if config.get(name):
            raise ModelWeightsError(f"{checkpoint.folder}: a ModernBERT with {name} is not computed here.")
    parts = _Parts(checkpoint, "embeddings.tok_embeddings.weight")
    heads, depth, longest = (int(config[name]) for name in sizes)
    return ModernBert(
        words=parts.read("embeddings.tok_embeddings.weight"),
        norm=parts.read("embeddings.norm.weight"),
        layers=tuple(_modern_layer(parts, config, number, heads) for number in range(depth)),
        last_norm=parts.read("final_norm.weight"),
        heads=heads,
        epsilon=float(config.get("norm_eps", 1e-5)),
        longest=longest,
    )


def _modern_layer(parts: _Parts, config: dict[str, Any], number: int, heads: int) -> ModernLayer:
    kinds = config.get("layer_types")
    everywhere = (
        kinds[number] == "full_attention"
        if kinds
        else number % int(config.get("global_attn_every_n_layers", 3)) == 0
    )
    kind, old, usual = (
        ("full_attention", "global_rope_theta", 160_000.0)
        if everywhere
        else ("sliding_attention", "local_rope_theta", 10_000.0)
    )
    said = (config.get("rope_parameters") or {}).get(kind) or {}
    where = f"layers.{number}."
    qkv = parts.read(f"{where}attn.Wqkv.weight").copy()
    qkv[: len(qkv) // 3] *= _scale(len(qkv) // 3, heads)
    norm = f"{where}attn_norm.weight"
    return ModernLayer(
        before_attention=parts.read(norm) if norm in parts else None,
        qkv=qkv,
        out=parts.read(f"{where}attn.Wo.weight"),
        before_feed_forward=parts.read(f"{where}mlp_norm.weight"),
        up=parts.read(f"{where}mlp.Wi.weight"),
        down=parts.read(f"{where}mlp.Wo.weight"),
        reach=None if everywhere else int(config.get("local_attention", 128)) // 2,
        theta=float(said.get("rope_theta", config.get(old, usual))),
    )
