"""A GGUF file as the folder that transformers loads, kept under the telic home so that it is made once."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from telic._json import dumps
from telic._lazy import require
from telic.errors import TrainingError
from telic.finetune.export.configs import config_of_gguf
from telic.finetune.export.families import family_of_gguf
from telic.finetune.export.layout import Array, Layout
from telic.finetune.export.vocabulary import tokenizer_files
from telic.lm.weights.facts import facts
from telic.lm.weights.folder import folder as weights_folder
from telic.store.home import home

PURPOSE = "converting models for training"
SOURCE = "telic_source.json"
"""File of a converted folder that says which GGUF file it was made from."""

_SHARD = 2 << 30
"""Bytes after which another file is begun."""


def transformers_folder(path: str | Path) -> Path:
    """The transformers form of a GGUF file, made at the first call.

    It lies under `cache/transformers` of the telic home, named by the file's hash, and may be deleted.

    Raises:
        ModelWeightsError: there is no such file, or it is not GGUF.
        TrainingError: it is of a family that is not converted.
        MissingExtraError: without the extra `finetune`.
    """
    path = Path(path)
    digest = facts(path, weights_folder()).sha256
    made = home() / "cache" / "transformers" / digest[:32]
    if not (made / "config.json").is_file():
        scratch = made.with_name(f".{made.name}-{os.getpid()}")
        shutil.rmtree(scratch, ignore_errors=True)
        try:
            convert(path, scratch)
            if not (made / "config.json").is_file():
                shutil.rmtree(made, ignore_errors=True)
                scratch.replace(made)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return made


def convert(path: Path, into: Path) -> None:
    """Write the transformers form of a GGUF file: weights as float16, config, tokenizer, chat template.

    Quantised weights become the numbers that they stand for. `telic_source.json` names the file.
    """
    gguf = require("gguf", extra="finetune", purpose=PURPOSE)
    reader = gguf.GGUFReader(path)
    head = {name: field.contents() for name, field in reader.fields.items()}
    family = family_of_gguf(str(head.get("general.architecture")))
    names = {tensor.name for tensor in reader.tensors}
    tokens = head.get("tokenizer.ggml.tokens") or ()
    config = config_of_gguf(family, head, "output.weight" not in names, len(tokens))
    tokenizer, about = tokenizer_files(head)
    config |= _special_ids(head)
    layout = Layout(family, config["num_attention_heads"], config["num_key_value_heads"])
    into.mkdir(parents=True)
    _write_shards(_tensors(gguf, reader, layout), into)
    source: dict[str, Any] = {"file": path.name, "sha256": facts(path, weights_folder()).sha256}
    source |= {"licence": head.get("general.license"), "name": head.get("general.name")}
    files = {"config.json": config, "tokenizer.json": tokenizer, "tokenizer_config.json": about}
    for name, content in {**files, SOURCE: source}.items():
        (into / name).write_text(dumps(content, indent=1), encoding="utf-8")


def _tensors(gguf: Any, reader: Any, layout: Layout) -> Iterator[tuple[str, Array]]:
    numpy = require("numpy", extra="finetune", purpose=PURPOSE)
    for tensor in reader.tensors:
        shape = tuple(int(size) for size in reversed(tensor.shape))
        numbers = gguf.quants.dequantize(tensor.data, tensor.tensor_type).reshape(shape)
        moved = layout.to_transformers(tensor.name, numbers)
        kind = numpy.float16 if moved.ndim > 1 else numpy.float32
        yield layout.family.to_transformers(tensor.name), numpy.ascontiguousarray(moved, dtype=kind)


def _write_shards(tensors: Iterator[tuple[str, Array]], into: Path) -> None:
    """Write tensors as one safetensors file, or as several with an index; no more than one is held."""
    safetensors = require("safetensors.numpy", extra="finetune", purpose=PURPOSE)
    place: dict[str, str] = {}
    held: dict[str, Array] = {}
    total = size = 0

    def flush() -> None:
        name = f"model-{len(set(place.values())) + 1:05d}.safetensors"
        safetensors.save_file(held, into / name, {"format": "pt"})
        place.update(dict.fromkeys(held, name))
        held.clear()

    for name, tensor in tensors:
        if held and size + tensor.nbytes > _SHARD:
            flush()
            size = 0
        held[name] = tensor
        size += tensor.nbytes
        total += tensor.nbytes
    if held:
        flush()
    if not place:
        raise TrainingError("The file holds no tensors: there is nothing to train.")
    if len(files := set(place.values())) == 1:
        (into / files.pop()).rename(into / "model.safetensors")
        return
    index = {"metadata": {"total_size": total}, "weight_map": place}
    (into / "model.safetensors.index.json").write_text(dumps(index), encoding="utf-8")


def _special_ids(head: dict[str, Any]) -> dict[str, int]:
    """Ids of the special tokens, by the names a config has."""
    names = {
        "bos_token_id": "bos_token_id",
        "eos_token_id": "eos_token_id",
        "pad_token_id": "padding_token_id",
    }
    found = {ours: head.get(f"tokenizer.ggml.{theirs}") for ours, theirs in names.items()}
    return {name: int(value) for name, value in found.items() if value is not None}
