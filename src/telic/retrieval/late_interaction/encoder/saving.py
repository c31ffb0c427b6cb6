"""Writing a model as a folder: in the layout of sentence-transformers and pylate, with ColBERT's file beside.

What is written is read back by `formats.read_folder` with the same fingerprint.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from telic._json import dumps
from telic._lazy import require
from telic.errors import ModelWeightsError
from telic.retrieval.late_interaction.encoder.bert import Dense
from telic.retrieval.late_interaction.encoder.formats import COLBERT_FILE, OWN_FILE, SENTENCE_FILE, ModelFiles
from telic.retrieval.late_interaction.encoder.settings import EncoderSettings

_MODULE = "sentence_transformers.models"
_COPIED = ("tokenizer_config.json", "special_tokens_map.json", "vocab.txt")


def save(files: ModelFiles, settings: EncoderSettings, folder: Path) -> Path:
    """Write what was read, with these settings; see `write_folder`."""
    checkpoint = files.checkpoint
    beside = {name: checkpoint.folder / name for name in _COPIED}
    return write_folder(
        folder,
        tensors={name: checkpoint.read(name) for name in checkpoint.names},
        config=checkpoint.config,
        tokenizer=files.tokenizer.to_str(pretty=False),
        settings=settings,
        projection=files.projection,
        pooling=files.pooling,
        texts={name: path.read_text(encoding="utf-8") for name, path in beside.items() if path.is_file()},
    )


def write_folder(
    folder: Path,
    *,
    tensors: Mapping[str, np.ndarray],
    config: Mapping[str, Any],
    tokenizer: str,
    settings: EncoderSettings,
    projection: Dense | None = None,
    pooling: str = "mean",
    texts: Mapping[str, str] | None = None,
) -> Path:
    """Write a model as a folder that `Encoder.load`, pylate and sentence-transformers read.

    A BERT with a projection can be read by ColBERT's own code too.

    Args:
        folder: where; must not exist yet, or be empty. It appears when it is whole.
        tensors: of the language model, named as its family's library names them, float32.
        config: the model's `config.json`.
        tokenizer: the text of its `tokenizer.json`.
        settings: of the encoder.
        projection: the map from the model's vectors to the encoder's.
        pooling: `"mean"` or `"cls"`.
        texts: further files, by name.

    Returns:
        The folder.

    Raises:
        ModelWeightsError: it holds something already, or cannot be written.
    """
    numpy_files = require("safetensors.numpy", extra="retrieval", purpose="writing an encoder")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ModelWeightsError(f"{folder} is there already, and is not an empty folder. Choose another.")
    for_colbert = projection is not None and config.get("model_type") == "bert" and not projection.bias.any()
    weights = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    if for_colbert and projection is not None:
        weights = {name if _colbert_name(name) else f"bert.{name}": weights[name] for name in weights}
        weights["linear.weight"] = np.ascontiguousarray(projection.weight)
        config = {**config, "architectures": ["HF_ColBERT"]}
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
        try:
            numpy_files.save_file(weights, made / "model.safetensors", {"format": "pt"})
            rows = _rows(config, settings, projection, pooling, for_colbert)
            for name, text in {**(texts or {}), **rows, "tokenizer.json": tokenizer}.items():
                (made / name).parent.mkdir(exist_ok=True)
                (made / name).write_text(text, encoding="utf-8")
            if projection is not None:
                numpy_files.save_file(_dense(projection), made / "1_Dense" / "model.safetensors")
            made.chmod(0o755)  # a temporary folder is its owner's alone
            made.replace(folder)
        finally:
            shutil.rmtree(made, ignore_errors=True)
    except OSError as error:
        raise ModelWeightsError(f"{folder} could not be written: {error.strerror or error}.") from error
    return folder


def _colbert_name(name: str) -> bool:
    return name.startswith(("bert.", "linear."))


def _rows(
    config: Mapping[str, Any],
    settings: EncoderSettings,
    projection: Dense | None,
    pooling: str,
    for_colbert: bool,
) -> dict[str, str]:
    """The JSON files, as texts by name."""
    late = projection is not None or settings.query_marker is not None or settings.augment
    files: dict[str, Any] = {
        "config.json": config,
        "modules.json": _modules(projection is not None),
        "sentence_bert_config.json": {"max_seq_length": settings.passage_length, "do_lower_case": False},
        SENTENCE_FILE: _pylate(settings) if late else {"similarity_fn_name": "cosine"},
        OWN_FILE: asdict(settings),
    }
    if projection is None:
        files["1_Pooling/config.json"] = {
            "word_embedding_dimension": config.get("hidden_size", config.get("dim")),
            "pooling_mode_cls_token": pooling == "cls",
            "pooling_mode_mean_tokens": pooling == "mean",
        }
    else:
        files["1_Dense/config.json"] = {
            "in_features": projection.weight.shape[1],
            "out_features": projection.weight.shape[0],
            "bias": bool(projection.bias.any()),
            "activation_function": "torch.nn.modules.linear.Identity",
        }
    if for_colbert and projection is not None:
        files[COLBERT_FILE] = _colbert(settings, projection)
    return {name: dumps(content, indent=2) for name, content in files.items()}


def _modules(projected: bool) -> list[dict[str, Any]]:
    kinds = [("", f"{_MODULE}.Transformer")]
    if projected:
        kinds += [("1_Dense", "pylate.models.Dense.Dense")]
    else:
        kinds += [("1_Pooling", f"{_MODULE}.Pooling"), ("2_Normalize", f"{_MODULE}.Normalize")]
    return [
        {"idx": number, "name": str(number), "path": path, "type": kind}
        for number, (path, kind) in enumerate(kinds)
    ]


def _pylate(settings: EncoderSettings) -> dict[str, Any]:
    return {
        "similarity_fn_name": "MaxSim",
        "query_prefix": settings.query_marker or "",
        "document_prefix": settings.passage_marker or "",
        "query_length": settings.query_length,
        "document_length": settings.passage_length,
        "attend_to_expansion_tokens": settings.attend_to_masks,
        "skiplist_words": list(settings.skipped),
        "do_query_expansion": settings.augment,
    }


def _colbert(settings: EncoderSettings, projection: Dense) -> dict[str, Any]:
    return {
        "query_token_id": settings.query_marker,
        "doc_token_id": settings.passage_marker,
        "query_token": "[Q]",
        "doc_token": "[D]",
        "dim": projection.weight.shape[0],
        "similarity": "cosine",
        "query_maxlen": settings.query_length,
        "doc_maxlen": settings.passage_length,
        "mask_punctuation": bool(settings.skipped),
        "attend_to_mask_tokens": settings.attend_to_masks,
    }


def _dense(projection: Dense) -> dict[str, np.ndarray]:
    tensors = {"linear.weight": np.ascontiguousarray(projection.weight)}
    return {**tensors, "linear.bias": projection.bias} if projection.bias.any() else tensors
