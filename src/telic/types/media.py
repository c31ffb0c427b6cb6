"""Bytes that travel in messages: what they are, how big, and as data URLs."""

from __future__ import annotations

import base64
import binascii
import mimetypes
import re
from hashlib import blake2b
from pathlib import Path

from telic.errors import InputError

MAX_BYTES = 50_000_000
"""The largest payload that is read or fetched; providers take at most 20 to 50 MB a request."""

_DATA_URL = re.compile(
    r"data:(?P<mime>[\w.+\-]+/[\w.+\-]+)?(?:;[\w\-]+=[\w.\-\"]+)*(?P<base64>;base64)?,", re.I
)

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"%PDF-", "application/pdf"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"fLaC", "audio/flac"),
    (b"OggS", "audio/ogg"),
    (b"\x1aE\xdf\xa3", "video/webm"),
    (b"PK\x03\x04", "application/zip"),
)
_RIFF = {b"WAVE": "audio/wav", b"WEBP": "image/webp"}
_BRANDS = {b"avif": "image/avif", b"heic": "image/heic", b"heix": "image/heic", b"M4A ": "audio/mp4"}
_CONTAINERS = frozenset({"application/zip", "video/webm", "video/mp4"})
"""Formats that hold others: a file's name says more about what is inside."""


def sniff(data: bytes) -> str | None:
    """The MIME type that the first bytes show; `None` where they show none."""
    if data[:4] == b"RIFF":
        return _RIFF.get(data[8:12])
    if data[4:8] == b"ftyp":
        return _BRANDS.get(data[8:12], "video/mp4")
    for start, mime in _MAGIC:
        if data.startswith(start):
            return mime
    if data[:2] == b"BM" and data[6:10] == bytes(4):
        return "image/bmp"
    head = data[:256].lstrip().lower()
    return "image/svg+xml" if head.startswith(b"<svg") or (b"<svg" in head and head[:5] == b"<?xml") else None


def mime_of(data: bytes, name: str | None = None) -> str | None:
    """The MIME type by content, or else by the name's ending; `None` where neither tells."""
    seen = sniff(data)
    named = mimetypes.guess_type(name)[0] if name else None
    return named if seen is None or (named and seen in _CONTAINERS) else seen


def encode(data: bytes) -> str:
    """Base64 text."""
    return base64.b64encode(data).decode("ascii")


def data_url(data: bytes, mime: str) -> str:
    """The bytes as a `data:` URL."""
    return f"data:{mime};base64,{encode(data)}"


def split_data_url(url: str) -> tuple[str, str] | None:
    """MIME type and base64 payload of a `data:` URL; `None` if it is not such a URL."""
    if url[:5].lower() != "data:":
        return None
    head = _DATA_URL.match(url)
    if head is None or not head.group("base64"):
        return None
    return (head.group("mime") or "text/plain").lower(), url[head.end() :]


def decode(payload: str, what: str) -> bytes:
    """Bytes of a base64 text.

    Raises:
        InputError: it is not base64.
    """
    try:
        return base64.b64decode(payload, validate=True)
    except binascii.Error as error:
        raise InputError(f"{what} is not readable as base64: {error}.") from error


def read_file(path: str | Path, what: str, limit: int = MAX_BYTES) -> bytes:
    """The bytes of a file.

    Args:
        path: where it is; `~` is the home folder.
        what: what it is to be, for messages: `"Image"`.
        limit: the largest size, in bytes.

    Raises:
        InputError: there is no such file, or it is too large.
    """
    target = Path(path).expanduser()
    if not target.is_file():
        raise InputError(f"{what}: there is no file at '{path}'.")
    check_size(target.stat().st_size, f"{what} '{path}'", limit)
    return target.read_bytes()


def check_size(size: int, what: str, limit: int = MAX_BYTES) -> None:
    """Refuse what is larger than `limit` bytes.

    Raises:
        InputError: it is.
    """
    if size > limit:
        raise InputError(
            f"{what} has {readable_size(size)}, more than the {readable_size(limit)} that are sent inline."
            " Make it smaller, upload it and pass its id or URL, or raise `max_bytes` of its class."
        )


def readable_size(size: int) -> str:
    """`70 B`, `12.3 kB`, `4.0 MB`."""
    if size < 1000:
        return f"{size} B"
    return f"{size / 1e3:.1f} kB" if size < 1e6 else f"{size / 1e6:.1f} MB"


def payload_size(payload: str) -> int:
    """Bytes that a base64 text stands for."""
    return max(0, len(payload) * 3 // 4 - payload[-2:].count("="))


def describe(payload: str, mime: str | None = None) -> str:
    """A base64 payload in a few words, for people and logs: `image/png, 12.3 kB, #9f86d081`."""
    mark = blake2b(payload.encode("utf-8", "replace"), digest_size=4).hexdigest()
    size = readable_size(payload_size(payload))
    return ", ".join(([mime] if mime else []) + [size, f"#{mark}"])


def describe_url(url: str) -> str:
    """A URL as it is; a `data:` URL in a few words, in angle brackets."""
    inline = split_data_url(url)
    if inline is not None:
        return f"<{describe(inline[1], inline[0])}>"
    return f"<{describe(url)}>" if url[:5].lower() == "data:" else repr(url)
