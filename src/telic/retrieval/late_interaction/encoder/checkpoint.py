"""A folder of weights as published: its configuration and its tensors, read where they lie on the disk."""

from __future__ import annotations

import json
import mmap
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from telic.errors import ModelWeightsError

_TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}
_INDEX = "model.safetensors.index.json"
_CONVERT = (
    "Convert it once, where torch is installed and you trust the file: "
    "safetensors.torch.save_file({{name: tensor.contiguous() for name, tensor in "
    "torch.load('{0}', weights_only=True).items()}}, '{1}')"
)


class Checkpoint:
    """Tensors by name from the safetensors files of a folder, mapped into memory and not copied.

    Args:
        folder: holds `config.json` and `model.safetensors`, or an index of several such files.

    Attributes:
        folder: as given.
        config: what `config.json` says.

    Raises:
        ModelWeightsError: there are none, they are damaged, or they are a pickle.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config: dict[str, Any] = read_json(folder / "config.json", needed=True)
        self._tensors: dict[str, np.ndarray] = {}
        self._unread: dict[str, str] = {}
        for file in _files(folder):
            self._open(file)

    @property
    def names(self) -> set[str]:
        """Every tensor that can be read."""
        return set(self._tensors)

    def __contains__(self, name: str) -> bool:
        return name in self._tensors

    def read(self, name: str) -> np.ndarray:
        """The tensor of that name, as float32.

        Raises:
            ModelWeightsError: there is none, or it is of a type that is no float.
        """
        if name in self._unread:
            raise ModelWeightsError(
                f"{self.folder}: the tensor '{name}' is of type {self._unread[name]}; floating-point weights "
                "are needed. Quantised checkpoints are not read: take the original one."
            )
        if name not in self._tensors:
            raise ModelWeightsError(f"{self.folder}: the weights hold no tensor '{name}'.")
        return self._tensors[name]

    def _open(self, file: Path) -> None:
        try:
            with file.open("rb") as opened:
                data = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
            (length,) = struct.unpack_from("<Q", data)
            table = json.loads(data[8 : 8 + length].decode("utf-8"))
            for name, entry in table.items():
                if name == "__metadata__":
                    continue
                if entry["dtype"] not in _TYPES:
                    self._unread[name] = entry["dtype"]
                    continue
                self._tensors[name] = _array(data, 8 + length, entry)
        except OSError as error:
            raise ModelWeightsError(f"{file} cannot be read: {error.strerror or error}.") from error
        except (struct.error, ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            raise ModelWeightsError(
                f"{file} is not a readable safetensors file ({error}). It may be cut short: fetch it again."
            ) from error


def _array(data: mmap.mmap, start: int, entry: dict[str, Any]) -> np.ndarray:
    first, last = (int(offset) for offset in entry["data_offsets"])
    kind = np.dtype(_TYPES[entry["dtype"]])
    if not 0 <= first <= last <= len(data) - start or (last - first) % kind.itemsize:
        raise ValueError(f"offsets {first} to {last} lie outside the file")
    values = np.frombuffer(data, kind, (last - first) // kind.itemsize, start + first)
    shaped: np.ndarray = values.reshape(tuple(entry["shape"]))
    if entry["dtype"] == "BF16":  # the upper half of a float32
        shaped = (shaped.astype(np.uint32) << np.uint32(16)).view(np.float32)
    floats: np.ndarray = np.require(shaped, np.float32, ["C", "A"])
    return floats


def _files(folder: Path) -> Iterable[Path]:
    if (folder / _INDEX).is_file():
        named = read_json(folder / _INDEX).get("weight_map", {}).values()
        return sorted({folder / str(name) for name in named})
    if (folder / "model.safetensors").is_file():
        return [folder / "model.safetensors"]
    for pickled in sorted(folder.glob("*.bin")) + sorted(folder.glob("*.pt")):
        raise ModelWeightsError(
            f"{pickled} is a pickle, which can run any code when it is loaded, and is not read. "
            + _CONVERT.format(pickled, folder / "model.safetensors")
        )
    raise ModelWeightsError(f"{folder} holds no weights: a file model.safetensors is needed.")


def read_json(path: Path, *, needed: bool = False) -> dict[str, Any]:
    """The object that a JSON file holds; empty where there is no file.

    Raises:
        ModelWeightsError: it is needed and not there, or is not an object in JSON.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        if not needed:
            return {}
        raise ModelWeightsError(f"{path.parent} holds no model: there is no {path.name}.") from error
    except (OSError, ValueError) as error:
        raise ModelWeightsError(f"{path} is not readable JSON: {error}.") from error
    if not isinstance(value, dict):
        raise ModelWeightsError(f"{path}: an object is needed, not {type(value).__name__}.")
    return value
