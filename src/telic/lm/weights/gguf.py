"""The head of a GGUF file: what the model says about itself, without loading it."""

from __future__ import annotations

import mmap
import struct
from pathlib import Path
from typing import Any

from telic.errors import ModelWeightsError

_FIXED = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9


def read_head(path: Path) -> dict[str, Any]:
    """The metadata of the file; arrays (the vocabulary) are left out.

    Raises:
        ModelWeightsError: not a GGUF file, or cut short.
    """
    try:
        with (
            path.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
        ):
            return _Head(data).read()
    except (struct.error, ValueError, IndexError, OverflowError) as error:
        raise ModelWeightsError(
            f"{path} is not a readable GGUF file ({error}). It may be cut short: fetch it again."
        ) from error
    except OSError as error:
        raise ModelWeightsError(f"{path} cannot be read: {error.strerror or error}.") from error


class _Head:
    def __init__(self, data: mmap.mmap) -> None:
        self.data = data
        self.at = 0

    def read(self) -> dict[str, Any]:
        if self.data[:4] != b"GGUF":
            raise ValueError("it does not begin with 'GGUF'")
        self.at = 4
        if self.number("I") < 2:
            raise ValueError("GGUF version 1 is too old")
        self.number("Q")  # how many tensors
        head: dict[str, Any] = {}
        for _ in range(self.number("Q")):
            key = self.string()
            value = self.value(self.number("I"))
            if value is not None:
                head[key] = value
        return head

    def number(self, code: str) -> Any:
        (value,) = struct.unpack_from("<" + code, self.data, self.at)
        self.at += struct.calcsize("<" + code)
        return value

    def string(self) -> str:
        length = self.number("Q")
        if self.at + length > len(self.data):
            raise ValueError("a text runs past the end")
        text = self.data[self.at : self.at + length]
        self.at += length
        return text.decode("utf-8", "replace")

    def value(self, kind: int) -> Any:
        if kind == _STRING:
            return self.string()
        if kind == _ARRAY:
            self.skip_array()
            return None
        if kind not in _FIXED:
            raise ValueError(f"unknown kind of value {kind}")
        return self.number(_FIXED[kind])

    def skip_array(self) -> None:
        kind, count = self.number("I"), self.number("Q")
        if kind in _FIXED:
            self.at += count * struct.calcsize("<" + _FIXED[kind])
        elif kind == _STRING:
            length = struct.Struct("<Q").unpack_from
            at, data, end = self.at, self.data, len(self.data)
            for _ in range(count):
                at += 8 + length(data, at)[0]
                if at > end:
                    raise ValueError("a list runs past the end")
            self.at = at
        elif kind == _ARRAY:
            for _ in range(count):
                self.skip_array()
        else:
            raise ValueError(f"unknown kind of list {kind}")
