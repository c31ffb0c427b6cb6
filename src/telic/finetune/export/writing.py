"""Writing GGUF: metadata of any kind, and tensors in the types that Python can make."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from telic._lazy import require
from telic.errors import TrainingError
from telic.finetune.export.layout import Array

PURPOSE = "writing GGUF files"

MADE_HERE = ("F32", "F16", "BF16", "Q8_0", "Q5_1", "Q5_0", "Q4_1", "Q4_0")
"""Types of tensors that need nothing but Python; others are made by llama.cpp's own tool."""

TOOL = "llama-quantize"

_STRUCTURE = ("GGUF.", "general.architecture")
"""Keys that the writer sets itself."""


class GGUFFile:
    """A GGUF file being written; in its place only once it is whole.

        with GGUFFile(path, "llama", metadata) as file:
            file.add("blk.0.attn_q.weight", tensor, "Q8_0")

    Args:
        path: where it shall lie.
        architecture: of the model.
        metadata: keys to strings, numbers, booleans, and lists of one of these.
    """

    def __init__(self, path: Path, architecture: str, metadata: Mapping[str, Any]) -> None:
        self._gguf = require("gguf", extra="finetune", purpose=PURPOSE)
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._scratch = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        self._writer: Any = self._gguf.GGUFWriter(self._scratch, architecture, use_temp_file=True)
        for key, value in metadata.items():
            if not key.startswith(_STRUCTURE):
                self._add_value(key, value)

    def add(self, name: str, tensor: Array, kind: str) -> None:
        """Add a tensor, turned into `kind` (of `MADE_HERE`). Vectors and rows that do not fit stay larger."""
        chosen = kind if tensor.ndim > 1 else "F32"
        blocks, _ = self._gguf.GGML_QUANT_SIZES[self._gguf.GGMLQuantizationType[chosen]]
        if tensor.shape[-1] % blocks:
            chosen = "F16"
        made = self._gguf.GGMLQuantizationType[chosen]
        self._writer.add_tensor(name, self._gguf.quants.quantize(tensor, made), raw_dtype=made)

    def __enter__(self) -> GGUFFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        try:
            if kind is None:
                self._writer.write_header_to_file()
                self._writer.write_kv_data_to_file()
                self._writer.write_tensors_to_file()
            self._writer.close()
            if kind is None:
                self._scratch.replace(self._path)
        finally:
            self._scratch.unlink(missing_ok=True)

    def _add_value(self, key: str, value: Any) -> None:
        kinds = self._gguf.GGUFValueType
        for of, kind in (
            (bool, kinds.BOOL),
            (str, kinds.STRING),
            (int, kinds.UINT32),
            (float, kinds.FLOAT32),
        ):
            if isinstance(value, of):
                self._writer.add_key_value(key, value, kind)
                return
        if not isinstance(value, (list, tuple)):
            raise TrainingError(f"The metadata {key} of a GGUF file cannot be {value!r}.")
        if value:
            self._writer.add_array(key, list(value))


def chosen_types(kind: str) -> tuple[str, str | None]:
    """The type to write in, and the type that llama.cpp's tool shall make of it (`None` where it need not).

    Raises:
        TrainingError: it takes the tool, and there is none.
    """
    wanted = kind.upper()
    if wanted in MADE_HERE:
        return wanted, None
    if shutil.which(TOOL) is None:
        raise TrainingError(
            f"The type {wanted} is made by llama.cpp's {TOOL}, which is not on the PATH. Install llama.cpp, "
            f"or choose one of {', '.join(MADE_HERE)}."
        )
    return "F16", wanted


def file_type(kind: str) -> int:
    """llama.cpp's number for a file whose matrices are mostly of this type."""
    numbers: Iterable[tuple[str, int]] = zip(MADE_HERE, (0, 1, 32, 7, 9, 8, 3, 2), strict=True)
    return dict(numbers)[kind]
