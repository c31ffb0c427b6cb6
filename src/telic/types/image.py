"""Pictures in inputs."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, ClassVar

from pydantic import ConfigDict, model_validator

import telic.types.media as media
from telic.errors import InputError
from telic.types.base_type import Type
from telic.types.fetch import fetch
from telic.types.parts import Part, split_parts

_UNSET: Any = object()
_PLACES = ("http://", "https://", "gs://")


class Image(Type):
    """A picture: an address that the provider fetches, or the picture itself inline.

    Args:
        source: an `http(s)`, `gs` or `data:` URL; bytes; a `pathlib.Path`; a PIL image; a numpy array of
            shape (height, width[, channels]). A plain string is never taken for a path, because texts from
            outside would then read files: use `Image.from_path`.
        url: the same by keyword; read back as `image.url`.
        download: fetch the address now and send the picture inline.
        verify: whether the server's certificate is checked when downloading.

    Raises:
        InputError: the source is nothing of this, or is no picture (a `ValueError`).
    """

    model_config = ConfigDict(
        frozen=True, str_strip_whitespace=True, validate_assignment=True, extra="forbid"
    )

    max_bytes: ClassVar[int] = media.MAX_BYTES
    """The largest picture that is read or fetched."""

    url: str

    def __init__(
        self, source: Any = None, /, *, download: Any = _UNSET, verify: Any = _UNSET, **data: Any
    ) -> None:
        if source is not None:
            if "url" in data:
                raise InputError("Image: give the source or `url`, not both.")
            data = {"url": source} if not isinstance(source, dict) else dict(source)
        if "url" in data:
            data["url"] = self._as_url(data["url"], download is True, verify is not False)
        super().__init__(**data)

    @classmethod
    def from_url(cls, url: str, verify: bool = True, timeout: float | None = 30.0) -> Image:
        """Download a picture now and hold it inline; `Image(url)` leaves that to the provider.

        Args:
            url: an `http` or `https` address.
            verify: whether the server's certificate is checked.
            timeout: seconds without an answer after which it is given up.

        Raises:
            InputError: it could not be downloaded, is too large, or is no picture.
        """
        data, stated = fetch(url, "Image", verify=verify, timeout=timeout, limit=cls.max_bytes)
        seen = media.mime_of(data, url.partition("?")[0])
        return cls(url=cls._inline(data, seen or stated, url))

    @classmethod
    def from_path(cls, file_path: str | Path) -> Image:
        """Read a picture (or a PDF file, which some providers take in its place) from a file.

        Raises:
            InputError: there is no such file, it is too large, or is no picture.
        """
        data = media.read_file(file_path, "Image", cls.max_bytes)
        return cls(url=cls._inline(data, media.mime_of(data, str(file_path)), str(file_path)))

    @classmethod
    def from_file(cls, file_path: str | Path) -> Image:
        """The same as `from_path`."""
        return cls.from_path(file_path)

    @classmethod
    def from_PIL(cls, pil_image: Any) -> Image:
        """A PIL image, in its own format or else as PNG."""
        return cls(url=pil_image)

    def format(self) -> list[Part]:
        """One `image_url` part."""
        return [{"type": "image_url", "image_url": {"url": self.url}}]

    @model_validator(mode="before")
    @classmethod
    def _read(cls, values: Any) -> Any:
        """An address alone is a picture too, as a model may write it or a saved program holds it."""
        if not isinstance(values, str):
            return values
        parts = split_parts(values)
        if isinstance(parts, list) and len(parts) == 1 and parts[0].get("type") == "image_url":
            return parts[0]["image_url"]
        return {"url": cls._as_url(values.strip(), False, True)}

    @classmethod
    def _as_url(cls, source: Any, download: bool, verify: bool) -> str:
        if isinstance(source, Image):
            source = source.url
        if isinstance(source, str):
            if download and source.startswith(("http://", "https://")):
                return cls.from_url(source, verify).url
            if source[:5].lower() == "data:" or (source.startswith(_PLACES) and source not in _PLACES):
                return source
            raise InputError(
                f"Image: {source[:80]!r} is no http(s), gs or data URL. Files are read by Image.from_path(…)."
            )
        if isinstance(source, Path):
            return cls.from_path(source).url
        if isinstance(source, (bytes, bytearray, memoryview)):
            data = bytes(source)
            return cls._inline(data, media.sniff(data), "the bytes")
        return cls._inline(_encoded(source), None, type(source).__name__)

    @classmethod
    def _inline(cls, data: bytes, mime: str | None, what: str) -> str:
        media.check_size(len(data), f"Image '{what}'", cls.max_bytes)
        mime = mime or media.sniff(data)
        if mime is None or not (mime.startswith("image/") or mime == "application/pdf"):
            kind = f"is {mime}" if mime else "is of an unknown kind"
            raise InputError(f"Image: '{what}' {kind}, no picture. Other files are sent as telic.File.")
        return media.data_url(data, mime)

    def __repr__(self) -> str:
        return f"Image(url={media.describe_url(self.url)})"


def _encoded(source: Any) -> bytes:
    """A PIL image or an array as a file."""
    if hasattr(source, "save") and hasattr(source, "mode"):
        buffer = io.BytesIO()
        source.save(buffer, format=source.format or "PNG")
        return buffer.getvalue()
    if hasattr(source, "__array__") or hasattr(source, "__array_interface__"):
        from telic.types.png import png_of_array

        return png_of_array(source)
    raise InputError(
        f"Image: a value of type {type(source).__name__} is no picture; give a URL, bytes, a Path, a PIL"
        " image or an array."
    )
