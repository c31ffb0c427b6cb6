"""The families of models that can be converted: what each calls its parts, and how the two forms differ."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from telic.errors import TrainingError

_ALWAYS = {
    "token_embd.weight": "model.embed_tokens.weight",
    "output_norm.weight": "model.norm.weight",
    "output.weight": "lm_head.weight",
    "blk.{}.attn_norm.weight": "model.layers.{}.input_layernorm.weight",
    "blk.{}.attn_q.weight": "model.layers.{}.self_attn.q_proj.weight",
    "blk.{}.attn_k.weight": "model.layers.{}.self_attn.k_proj.weight",
    "blk.{}.attn_v.weight": "model.layers.{}.self_attn.v_proj.weight",
    "blk.{}.attn_output.weight": "model.layers.{}.self_attn.o_proj.weight",
    "blk.{}.ffn_gate.weight": "model.layers.{}.mlp.gate_proj.weight",
    "blk.{}.ffn_up.weight": "model.layers.{}.mlp.up_proj.weight",
    "blk.{}.ffn_down.weight": "model.layers.{}.mlp.down_proj.weight",
}

_NUMBER = re.compile(r"(?<=\.)\d+(?=\.)")


@dataclass(frozen=True)
class Family:
    """A family of models.

    Attributes:
        architecture: as GGUF names it.
        classes: as transformers names its models, the first one for those made from GGUF.
        names: a tensor's name in GGUF to its name in transformers; `{}` stands for the layer.
        rotated: GGUF names of the tensors whose rows lie in another order, for llama.cpp's way of rotating.
        norm_offset: what GGUF has added to the weights of the norms.
    """

    architecture: str
    classes: tuple[str, ...]
    names: Mapping[str, str]
    rotated: frozenset[str] = frozenset()
    norm_offset: float = 0.0

    def to_transformers(self, name: str) -> str:
        """The name in transformers of a GGUF tensor.

        Raises:
            TrainingError: the family has no such tensor.
        """
        return _renamed(name, self.names, self.architecture)

    def to_gguf(self, name: str) -> str:
        """The inverse of `to_transformers`."""
        return _renamed(name, {theirs: ours for ours, theirs in self.names.items()}, self.architecture)

    def is_rotated(self, name: str) -> bool:
        """Whether the rows of this GGUF tensor are put in another order."""
        return _NUMBER.sub("{}", name) in self.rotated

    def is_norm(self, name: str) -> bool:
        """Whether this GGUF tensor is the weight of a norm."""
        return name.endswith("norm.weight")


LLAMA = Family(
    "llama",
    ("LlamaForCausalLM", "MistralForCausalLM"),
    _ALWAYS | {"blk.{}.ffn_norm.weight": "model.layers.{}.post_attention_layernorm.weight"},
    frozenset({"blk.{}.attn_q.weight", "blk.{}.attn_k.weight"}),
)

GEMMA3 = Family(
    "gemma3",
    ("Gemma3ForCausalLM",),
    _ALWAYS
    | {
        "blk.{}.attn_q_norm.weight": "model.layers.{}.self_attn.q_norm.weight",
        "blk.{}.attn_k_norm.weight": "model.layers.{}.self_attn.k_norm.weight",
        "blk.{}.post_attention_norm.weight": "model.layers.{}.post_attention_layernorm.weight",
        "blk.{}.ffn_norm.weight": "model.layers.{}.pre_feedforward_layernorm.weight",
        "blk.{}.post_ffw_norm.weight": "model.layers.{}.post_feedforward_layernorm.weight",
    },
    norm_offset=1.0,
)

FAMILIES = (LLAMA, GEMMA3)


def family_of_gguf(architecture: str) -> Family:
    """The family of a GGUF file, by its `general.architecture`.

    Raises:
        TrainingError: it is not one that can be converted.
    """
    for family in FAMILIES:
        if family.architecture == architecture:
            return family
    known = ", ".join(family.architecture for family in FAMILIES)
    raise TrainingError(
        f"GGUF files of the architecture '{architecture}' cannot be converted for training; "
        f"those of {known} can. Give the folder of the original transformers model as the base instead."
    )


def family_of_config(config: Mapping[str, Any]) -> Family:
    """The family of a transformers model, by its config.

    Raises:
        TrainingError: it is not one that can be converted.
    """
    named = tuple(config.get("architectures") or ())
    for family in FAMILIES:
        if set(named) & set(family.classes):
            return family
    known = ", ".join(name for family in FAMILIES for name in family.classes)
    raise TrainingError(
        f"Models of the class {', '.join(named) or '(none named in its config.json)'} cannot be written as "
        f"GGUF; those of {known} can. The trained folder itself can be served by any server that loads "
        "transformers models."
    )


def _renamed(name: str, table: Mapping[str, str], architecture: str) -> str:
    numbers = _NUMBER.findall(name)
    pattern = _NUMBER.sub("{}", name, count=1)
    if pattern not in table:
        raise TrainingError(f"A model of the family '{architecture}' has a tensor that is not known: {name}.")
    return table[pattern].format(*numbers)
