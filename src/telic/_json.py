"""Canonical JSON, a stable hash, and atomic files."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def canonical(value: Any) -> str:
    """Render `value` so that equal values give equal texts: sorted keys, no spaces, UTF-8 kept.

    Values JSON does not know are rendered by `plain`.
    """
    return _ENCODER.encode(value)


def stable_hash(value: Any) -> str:
    """128-bit hash of `canonical(value)`, 32 hex digits; the same in every process and release."""
    return blake2b(_ENCODER.encode(value).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def plain(value: Any) -> Any:
    """Turn a value that `json` does not know into one it does.

    Pydantic models, dataclasses, enums, sets, tuples, paths, dates and bytes are covered; a class becomes its
    qualified name, anything else its `str`, so that writing a record never fails on an exotic input.
    """
    dump = getattr(value, "model_dump", None)
    if dump is not None and not isinstance(value, type):
        return dump(mode="json")
    to_dict = getattr(value, "to_dict", None) or getattr(value, "toDict", None)
    if to_dict is not None and not isinstance(value, type):
        return to_dict()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=repr)
    return _plain_scalar(value)


def _plain_scalar(value: Any) -> Any:
    import dataclasses
    import datetime
    import enum

    if isinstance(value, enum.Enum):
        return value.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    if isinstance(value, (datetime.date, datetime.datetime, datetime.time)):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray)):
        return {"bytes": len(value), "hash": blake2b(bytes(value), digest_size=16).hexdigest()}
    if isinstance(value, type):
        return f"{value.__module__}.{value.__qualname__}"
    return str(value)


def dumps(value: Any, *, indent: int | None = None) -> str:
    """JSON text for people and files; key order kept, any value accepted (see `plain`)."""
    return json.dumps(value, ensure_ascii=False, default=plain, indent=indent)


def encoded(value: Any) -> bytes:
    """JSON as UTF-8, for machines: a few times faster than `dumps`, any value accepted.

    Half of a surrogate pair, as models cut short write it, stays escaped.
    """
    from pydantic_core import to_json

    try:
        return to_json(value, inf_nan_mode="constants", fallback=plain)
    except ValueError:  # a text that has no UTF-8, or a key that only `json` takes
        return _ASCII_ENCODER.encode(value).encode("ascii")


def decoded(data: bytes) -> Any:
    """Read JSON: what `json.loads` reads, a few times faster.

    Raises:
        ValueError: it is not JSON.
    """
    from jiter import from_json

    try:
        return from_json(data)
    except ValueError:  # `json` also takes half a surrogate pair
        return json.loads(data)


def write_atomic(path: str | Path, text: str) -> None:
    """Write `text` to `path` so that a reader sees the old file or the new one, never half of it."""
    # Not needed to import telic, and half as slow as all the rest of this module.
    import tempfile
    from pathlib import Path

    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def sync_folder(path: str | Path) -> None:
    """Make the names of a folder's files durable, where folders can be synced: files alone are not enough."""
    if os.name != "posix":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=plain)

_ASCII_ENCODER = json.JSONEncoder(separators=(",", ":"), default=plain)
