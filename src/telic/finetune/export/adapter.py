"""A LoRA as a GGUF file, which llama.cpp puts on its base at run time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from telic.finetune.export.lora import Lora
from telic.finetune.export.to_gguf import layout_of
from telic.finetune.export.writing import GGUFFile


def adapter_to_gguf(
    adapter: str | Path,
    base: str | Path,
    path: str | Path,
    *,
    kind: str = "F32",
    provenance: Mapping[str, str] | None = None,
) -> Path:
    """Write a LoRA as GGUF.

    Args:
        adapter: its folder, as peft writes it.
        base: folder of the transformers model that it was trained on; only its config is read.
        path: the file to write.
        kind: type of the factors, F32 or F16.
        provenance: further metadata: `telic.base.sha256` says on which weights it may be put.

    Returns:
        `path`.

    Raises:
        TrainingError: the LoRA is not a plain one, or its base is of a family that is not converted.
    """
    adapter, base, path = Path(adapter), Path(base), Path(path)
    lora = Lora.read(adapter)
    layout = layout_of(json.loads((base / "config.json").read_text(encoding="utf-8")))
    metadata = {
        "general.type": "adapter",
        "general.name": adapter.name,
        "adapter.type": "lora",
        "adapter.lora.alpha": lora.alpha,
        **(provenance or {}),
    }
    with GGUFFile(path, layout.family.architecture, metadata) as file:
        for name, (first, second) in sorted(lora.targets.items()):
            ours = layout.family.to_gguf(name)
            file.add(f"{ours}.lora_a", first, kind)
            file.add(f"{ours}.lora_b", layout.to_gguf(ours, second), kind)
    return path
