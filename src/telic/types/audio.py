"""Sounds in inputs."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, ClassVar

from pydantic import ConfigDict, model_validator

import telic.types.media as media
from telic._lazy import require
from telic.errors import InputError
from telic.types.base_type import Type
from telic.types.fetch import fetch
from telic.types.parts import Part, split_parts

_FORMATS = {"mpeg": "mp3", "x-wav": "wav", "wave": "wav", "vnd.wave": "wav", "mp4a-latm": "m4a"}
"""A MIME subtype to the name that providers know; others keep theirs, without a leading `x-`."""


class Audio(Type):
    """A sound, inline.

    Args:
        source: bytes, a `data:` URL, a `pathlib.Path` or a dict of the fields. Other strings are neither
            read nor fetched unasked: use `Audio.from_path` or `Audio.from_url`.
        data: the sound as base64 text.
        audio_format: `"wav"`, `"mp3"`, …

    Raises:
        InputError: the source is nothing of this, or is no sound (a `ValueError`).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_bytes: ClassVar[int] = media.MAX_BYTES
    """The largest sound that is read or fetched."""

    data: str
    audio_format: str

    def __init__(self, *args: Any, **data: Any) -> None:
        if args:
            (source,) = args
            data = {**self._fields(source), **data}
        super().__init__(**data)

    @classmethod
    def from_url(cls, url: str, verify: bool = True, timeout: float | None = 30.0) -> Audio:
        """Download a sound now.

        Args:
            url: an `http` or `https` address.
            verify: whether the server's certificate is checked.
            timeout: seconds without an answer after which it is given up.

        Raises:
            InputError: it could not be downloaded, is too large, or is no sound.
        """
        data, stated = fetch(url, "Audio", verify=verify, timeout=timeout, limit=cls.max_bytes)
        seen = media.mime_of(data, url.partition("?")[0])
        return cls(data=media.encode(data), audio_format=_format_of(seen or stated, url))

    @classmethod
    def from_path(cls, file_path: str | Path) -> Audio:
        """Read a sound from a file.

        Raises:
            InputError: there is no such file, it is too large, or is no sound.
        """
        data = media.read_file(file_path, "Audio", cls.max_bytes)
        mime = media.mime_of(data, str(file_path))
        return cls(data=media.encode(data), audio_format=_format_of(mime, str(file_path)))

    @classmethod
    def from_file(cls, file_path: str | Path) -> Audio:
        """The same as `from_path`."""
        return cls.from_path(file_path)

    @classmethod
    def from_array(cls, array: Any, sampling_rate: int, format: str = "wav") -> Audio:
        """Encode samples.

        Args:
            array: numpy array or lists of shape (n,) or (n, channels), floats from -1 to 1 or 16-bit numbers.
            sampling_rate: samples a second.
            format: `"wav"`; other formats need the package soundfile.

        Raises:
            InputError: the array is no sound.
            MissingExtraError: another format, and soundfile is not installed.
        """
        from telic.types.wav import wav_of_array

        data = wav_of_array(array, sampling_rate)
        if format.lower() != "wav":
            soundfile = require("soundfile", extra="audio", purpose=f"sounds as '{format}'")
            samples, rate = soundfile.read(io.BytesIO(data))
            buffer = io.BytesIO()
            soundfile.write(buffer, samples, rate, format=format.upper())
            data = buffer.getvalue()
        media.check_size(len(data), "Audio from an array", cls.max_bytes)
        return cls(data=media.encode(data), audio_format=format.lower())

    def format(self) -> list[Part]:
        """One `input_audio` part."""
        return [{"type": "input_audio", "input_audio": {"data": self.data, "format": self.audio_format}}]

    @model_validator(mode="before")
    @classmethod
    def validate_input(cls, values: Any) -> Any:
        """Anything that `Audio(…)` takes, as a dict of the fields."""
        return cls._fields(values)

    @classmethod
    def _fields(cls, values: Any) -> dict[str, Any]:
        if isinstance(values, Audio):
            return {"data": values.data, "audio_format": values.audio_format}
        if isinstance(values, dict) and values.keys() >= {"data", "audio_format"}:
            return values
        if isinstance(values, Path):
            return cls._fields(cls.from_path(values))
        if isinstance(values, (bytes, bytearray, memoryview)):
            data = bytes(values)
            media.check_size(len(data), "Audio", cls.max_bytes)
            seen = media.sniff(data)
            return {
                "data": media.encode(data),
                "audio_format": _format_of(seen, "the bytes") if seen else "wav",
            }
        if isinstance(values, str):
            return _read_text(values)
        given = (
            f"a dict of {sorted(values)}"
            if isinstance(values, dict)
            else f"a value of type {type(values).__name__}"
        )
        raise InputError(f"Audio: {given} is no sound; it needs `data` and `audio_format`.")

    def __repr__(self) -> str:
        return f"Audio(data=<{media.describe(self.data)}>, audio_format={self.audio_format!r})"


def _read_text(text: str) -> dict[str, str]:
    parts = split_parts(text)
    if isinstance(parts, list) and len(parts) == 1 and parts[0].get("type") == "input_audio":
        saved = parts[0]["input_audio"]
        return {"data": saved["data"], "audio_format": saved["format"]}
    inline = media.split_data_url(text)
    if inline is None:
        raise InputError(
            "Audio: a text must be a data URL. Files are read by Audio.from_path(…), addresses fetched by"
            " Audio.from_url(…)."
        )
    return {"data": inline[1], "audio_format": _format_of(inline[0], "the data URL")}


def _format_of(mime: str | None, what: str) -> str:
    kind, _, name = (mime or "").partition("/")
    if kind != "audio" and mime not in ("video/webm", "video/mp4", "application/ogg"):
        raise InputError(f"Audio: '{what}' is {mime or 'of an unknown kind'}, no sound.")
    return _FORMATS.get(name, name.removeprefix("x-"))
