"""Files in inputs: PDF and whatever else a provider reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from pydantic import ConfigDict, model_validator

import telic.types.media as media
from telic.errors import InputError
from telic.types.base_type import Type
from telic.types.parts import Part, split_parts

_FIELDS = ("file_data", "file_id", "filename")


class File(Type):
    """A file: inline, or uploaded to the provider before and named by its id.

    Args:
        source: bytes, a `data:` URL, a `pathlib.Path` or a dict of the fields. Other strings are not
            taken for paths: use `File.from_path`.
        file_data: the file as a `data:` URL.
        file_id: the provider's id of an uploaded file.
        filename: its name, which some providers judge it by.

    Raises:
        InputError: the source is nothing of this (a `ValueError`).
    """

    model_config = ConfigDict(
        frozen=True, str_strip_whitespace=True, validate_assignment=True, extra="forbid"
    )

    max_bytes: ClassVar[int] = media.MAX_BYTES
    """The largest file that is read."""

    file_data: str | None = None
    file_id: str | None = None
    filename: str | None = None

    def __init__(self, *args: Any, **data: Any) -> None:
        if args:
            (source,) = args
            data = {**self._fields(source), **data}
        super().__init__(**data)

    @classmethod
    def from_path(
        cls, file_path: str | Path, filename: str | None = None, mime_type: str | None = None
    ) -> File:
        """Read a file.

        Args:
            file_path: where it is.
            filename: what it is called in the message; its own name by default.
            mime_type: what it is; by its content and name by default.

        Raises:
            InputError: there is no such file, or it is too large.
        """
        data = media.read_file(file_path, "File", cls.max_bytes)
        mime = mime_type or media.mime_of(data, str(file_path)) or "application/octet-stream"
        return cls.from_bytes(data, filename or Path(file_path).name, mime)

    @classmethod
    def from_bytes(
        cls, file_bytes: bytes, filename: str | None = None, mime_type: str = "application/octet-stream"
    ) -> File:
        """A file from its bytes.

        Raises:
            InputError: it is too large.
        """
        media.check_size(len(file_bytes), f"File '{filename or 'the bytes'}'", cls.max_bytes)
        return cls(file_data=media.data_url(bytes(file_bytes), mime_type), filename=filename)

    @classmethod
    def from_file_id(cls, file_id: str, filename: str | None = None) -> File:
        """A file that the provider has already."""
        return cls(file_id=file_id, filename=filename)

    def format(self) -> list[Part]:
        """One `file` part."""
        known = {name: getattr(self, name) for name in _FIELDS if getattr(self, name)}
        return [{"type": "file", "file": known}]

    @model_validator(mode="before")
    @classmethod
    def validate_input(cls, values: Any) -> Any:
        """Anything that `File(…)` takes, as a dict of the fields."""
        return cls._fields(values)

    @classmethod
    def _fields(cls, values: Any) -> dict[str, Any]:
        if isinstance(values, File):
            return {name: getattr(values, name) for name in _FIELDS}
        if isinstance(values, dict):
            if not any(values.get(name) for name in _FIELDS):
                raise InputError(f"File: one of {', '.join(_FIELDS)} is needed.")
            return values
        if isinstance(values, (bytes, bytearray, memoryview)):
            data = bytes(values)
            media.check_size(len(data), "File", cls.max_bytes)
            return {"file_data": media.data_url(data, media.sniff(data) or "application/octet-stream")}
        if isinstance(values, Path):
            return cls._fields(cls.from_path(values))
        if isinstance(values, str):
            return _read_text(values)
        raise InputError(
            f"File: a value of type {type(values).__name__} is no file; give bytes, a data URL or a Path."
        )

    def __repr__(self) -> str:
        shown = [] if self.file_data is None else [f"file_data={_described(self.file_data)}"]
        shown += [
            f"{name}={getattr(self, name)!r}" for name in _FIELDS[1:] if getattr(self, name) is not None
        ]
        return f"File({', '.join(shown)})"


def _read_text(text: str) -> dict[str, str]:
    parts = split_parts(text)
    if isinstance(parts, list) and len(parts) == 1 and parts[0].get("type") == "file":
        return dict(parts[0]["file"])
    if text[:5].lower() == "data:":
        return {"file_data": text}
    raise InputError(f"File: {text[:80]!r} is no data URL. Files are read by File.from_path(…).")


def _described(file_data: str) -> str:
    return (
        media.describe_url(file_data)
        if file_data[:5].lower() == "data:"
        else f"<{media.describe(file_data)}>"
    )
