"""A transformers folder, with or without a LoRA merged into it, as a GGUF file or as a folder."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from telic._lazy import require
from telic.errors import TrainingError
from telic.finetune.export.configs import metadata_of_config
from telic.finetune.export.families import family_of_config
from telic.finetune.export.gguf_vocabulary import vocabulary_metadata
from telic.finetune.export.layout import Array, Layout
from telic.finetune.export.lora import Lora
from telic.finetune.export.writing import TOOL, GGUFFile, chosen_types, file_type

_EMBEDDINGS = ("token_embd.weight", "output.weight")


def folder_to_gguf(
    folder: str | Path,
    path: str | Path,
    *,
    kind: str = "Q8_0",
    adapter: str | Path | None = None,
    like: str | Path | None = None,
    provenance: Mapping[str, str] | None = None,
) -> Path:
    """Write a transformers model as a GGUF file.

    Args:
        folder: the model: `config.json`, safetensors, `tokenizer.json`.
        path: the file to write.
        kind: type of the matrices: F32, F16, BF16, Q8_0, Q5_1, Q5_0, Q4_1, Q4_0; others (Q4_K_M, …) take
            llama.cpp's `llama-quantize`. Embeddings are never made smaller than Q8_0, vectors stay F32.
        adapter: folder of a LoRA, as peft writes it, merged into the weights.
        like: the GGUF file that the folder was made from; its tokenizer and facts are taken as they are.
        provenance: further metadata, by key.

    Returns:
        `path`.

    Raises:
        TrainingError: the model's family, tokenizer or the type is not converted.
        MissingExtraError: without the extra `finetune`.
    """
    folder, path = Path(folder), Path(path)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    family = family_of_config(config)
    written, made_later = chosen_types(kind)
    metadata = _head_of(Path(like)) if like is not None else _metadata(folder, config)
    metadata = {**metadata, **(provenance or {})}
    metadata |= {"general.file_type": file_type(written), "general.quantization_version": 2}
    layout = layout_of(config)
    lora = Lora.read(Path(adapter)) if adapter is not None else None
    target = path if made_later is None else path.with_name(f".{path.name}.f16.gguf")
    with GGUFFile(target, family.architecture, metadata) as file:
        for name, tensor in tensors_of(folder, lora):
            if name == "lm_head.weight" and config.get("tie_word_embeddings"):
                continue
            ours = family.to_gguf(name)
            smallest = "Q8_0" if ours in _EMBEDDINGS and written.startswith(("Q4", "Q5")) else written
            file.add(ours, layout.to_gguf(ours, tensor), smallest)
    if made_later is not None:
        _quantise(target, path, made_later)
    return path


def layout_of(config: Mapping[str, Any]) -> Layout:
    """How the tensors of a model with this config lie."""
    heads = int(config["num_attention_heads"])
    return Layout(family_of_config(config), heads, int(config.get("num_key_value_heads") or heads))


def tensors_of(folder: Path, lora: Lora | None = None) -> Iterator[tuple[str, Array]]:
    """The tensors of a folder as float32, by their names in transformers, a LoRA added to them.

    Raises:
        TrainingError: there are no safetensors, or the LoRA changes a tensor that there is not.
    """
    require("torch", extra="finetune", purpose="reading weights")  # numpy has no bfloat16
    safetensors = require("safetensors", extra="finetune", purpose="reading weights")
    files = sorted(folder.glob("model*.safetensors"))
    if not files:
        raise TrainingError(
            f"{folder} has no model*.safetensors; weights in other files (pickled ones) are not read."
        )
    left = set(lora.targets) if lora is not None else set()
    for path in files:
        with safetensors.safe_open(path, framework="pt") as shard:
            for name in shard.keys():  # noqa: SIM118  (not a mapping)
                tensor: Array = shard.get_tensor(name).float().numpy()
                if lora is not None and name in left:
                    tensor = tensor + lora.delta(name)
                    left.discard(name)
                yield name, tensor
    if left:
        raise TrainingError(f"The LoRA changes what {folder} does not have: {', '.join(sorted(left)[:3])}, …")


def _metadata(folder: Path, config: Mapping[str, Any]) -> dict[str, Any]:
    facts = metadata_of_config(family_of_config(config), config)
    name = Path(str(config.get("_name_or_path") or folder.name)).name
    about = {"general.type": "model", "general.name": name}
    return about | facts | vocabulary_metadata(folder, int(config["vocab_size"]))


def _head_of(path: Path) -> dict[str, Any]:
    gguf = require("gguf", extra="finetune", purpose="reading GGUF files")
    return {name: field.contents() for name, field in gguf.GGUFReader(path).fields.items()}


def _quantise(source: Path, target: Path, kind: str) -> None:
    try:
        done = subprocess.run(
            [TOOL, str(source), str(target), kind], capture_output=True, text=True, check=False
        )
    finally:
        source.unlink(missing_ok=True)
    if done.returncode:
        raise TrainingError(f"{TOOL} could not make {kind} of {target.name}: {done.stderr.strip()[-300:]}")
