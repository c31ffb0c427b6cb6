"""A LoRA on disk, as peft keeps it: two factors for each weight that it changes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from telic._lazy import require
from telic.errors import TrainingError
from telic.finetune.export.layout import Array

_PREFIX = "base_model.model."


@dataclass(frozen=True)
class Lora:
    """Low-rank changes: weight + alpha / rank · B · A (Hu et al., 2021).

    Attributes:
        alpha: of the scale; already divided by √rank in place of rank where it was trained so.
        rank: of the factors.
        targets: name of a weight in transformers, to its factors A (rank, in) and B (out, rank), float32.
    """

    alpha: float
    rank: int
    targets: dict[str, tuple[Array, Array]]

    @classmethod
    def read(cls, folder: Path) -> Lora:
        """Read `adapter_config.json` and `adapter_model.safetensors`.

        Raises:
            TrainingError: they are missing, or hold more than a plain LoRA.
        """
        config, tensors = _files(folder)
        for switch in ("use_dora", "fan_in_fan_out", "lora_bias", "rank_pattern", "alpha_pattern"):
            if config.get(switch):
                raise TrainingError(f"The LoRA in {folder} uses {switch}, which llama.cpp does not know.")
        rank = int(config["r"])
        alpha = float(config["lora_alpha"])
        if config.get("use_rslora"):
            alpha *= rank**0.5
        targets = {}
        for name in tensors:
            if name.endswith(".lora_A.weight"):
                whole = name.removesuffix(".lora_A.weight")
                second = tensors[f"{whole}.lora_B.weight"]
                targets[f"{whole.removeprefix(_PREFIX)}.weight"] = (tensors[name], second)
        if 2 * len(targets) != len(tensors):
            raise TrainingError(f"The LoRA in {folder} holds more than the factors of linear layers.")
        return cls(alpha, rank, targets)

    def delta(self, name: str) -> Array:
        """What is added to a weight, shape (out, in)."""
        first, second = self.targets[name]
        product: Array = (second @ first) * (self.alpha / self.rank)
        return product


def _files(folder: Path) -> tuple[dict[str, Any], dict[str, Array]]:
    torch_files = require("safetensors.torch", extra="finetune", purpose="reading a LoRA")
    config, weights = folder / "adapter_config.json", folder / "adapter_model.safetensors"
    if not (config.is_file() and weights.is_file()):
        raise TrainingError(
            f"{folder} is not the folder of a LoRA: adapter_config.json or adapter_model.safetensors is "
            "missing."
        )
    told: dict[str, Any] = json.loads(config.read_text(encoding="utf-8"))
    return told, {name: tensor.float().numpy() for name, tensor in torch_files.load_file(weights).items()}
