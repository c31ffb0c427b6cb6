"""An index on disk: passages as JSON lines, numbers as plain arrays, and a manifest that says what belongs.

A file's name holds the hash of what is in it, and nothing is ever written over. The manifest is put in place
last, in one step: whoever dies while writing leaves the index as it was, and files that the next writer
removes.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO

from telic._json import decoded, dumps, encoded, sync_folder, write_atomic
from telic._lazy import require
from telic.errors import DataError, IndexFileError, IndexFileMissingError
from telic.retrieval.passage import Passage

MANIFEST = "manifest.json"
FORMAT = "telic-index"
VERSION = 1
_LOCK_SECONDS = 60.0


@dataclass(frozen=True)
class Kept:
    """An index as it was read.

    Attributes:
        kind: of retriever.
        settings: JSON, as they were given to `keep`.
        passages: all of them, in order.
        arrays: numpy arrays by name; read from the files where they are used (memory-mapped).
        stamp: tells this state of the index from every other.
    """

    kind: str
    settings: dict[str, Any]
    passages: list[Passage]
    arrays: dict[str, Any]
    stamp: str


def keep(
    path: str | Path,
    kind: str,
    settings: Mapping[str, Any],
    passages: Iterable[Passage],
    arrays: Mapping[str, Any],
    *,
    upon: str | None = None,
) -> str:
    """Write an index into the folder `path`, in place of the one that is there; returns its stamp.

    Args:
        path: the folder; made if need be.
        kind: of retriever.
        settings: JSON.
        passages: all of them, in order.
        arrays: numpy arrays of numbers by name.
        upon: the stamp of the state that this one was made from; `None` takes the place of any.

    Raises:
        DataError: the folder holds other files than an index, another process is writing there, or has
            written there since `upon`.
    """
    folder = Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    with writing(folder):
        _refuse_strangers(folder)
        if upon is not None and _stamp(folder) != upon:
            raise DataError(f"{folder} was changed by another process: open it again, and repeat the change.")
        files = {"passages": _write(folder, "passages", ".jsonl", lambda file: _lines(file, passages))}
        for name, array in arrays.items():
            files[name] = _write(folder, name, ".npy", lambda file, array=array: _array(file, array))
        manifest = {
            "format": FORMAT,
            "version": VERSION,
            "kind": kind,
            "settings": dict(settings),
            "files": files,
        }
        write_atomic(folder / MANIFEST, dumps(manifest, indent=1) + "\n")
        sync_folder(folder)
        _sweep(folder, {row["file"] for row in files.values()})
        return _stamp(folder)


def kept(path: str | Path, kind: str | None = None) -> Kept:
    """Read the index in the folder `path`, and make sure that it is whole.

    Args:
        path: the folder.
        kind: what it must be of.

    Raises:
        DataError: there is no index, or it is of another kind or version, or damaged; says which file.
    """
    folder = Path(path)
    manifest, stamp = manifest_of(folder), _stamp(folder)
    if kind is not None and manifest["kind"] != kind:
        raise IndexFileError(
            f"{folder} holds an index of kind '{manifest['kind']}', not '{kind}'. telic.retrieval.open_index "
            "opens any."
        )
    files = dict(manifest["files"])
    passages = list(_passages(_checked(folder, files.pop("passages"))))
    numpy = require("numpy", extra="retrieval", purpose="reading an index")
    arrays = {}
    for name, row in files.items():
        file = _checked(folder, row)
        try:
            # An empty array cannot be mapped.
            arrays[name] = numpy.load(file, mmap_mode="r" if row.get("bytes", 0) > 4096 else None)
        except ValueError as error:
            raise _damage(file, f"it is no array ({error})") from error
    return Kept(manifest["kind"], manifest["settings"], passages, arrays, stamp)


def manifest_of(path: str | Path) -> dict[str, Any]:
    """What the manifest of an index says.

    Raises:
        DataError: there is none, or it cannot be read, or it is of a version that this telic does not know.
    """
    file = Path(path) / MANIFEST
    try:
        found = decoded(file.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise IndexFileMissingError(f"There is no index at {path}: {file} is missing.") from None
    except ValueError as error:
        raise _damage(file, f"it is not JSON ({error})") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise IndexFileError(f"{file} is no manifest of an index of telic.")
    if found.get("version") != VERSION:
        raise IndexFileError(
            f"{file} is of version {found.get('version')!r}; this telic reads version {VERSION}. Build the "
            "index again, or install the telic that wrote it."
        )
    if not isinstance(found.get("files"), dict) or not isinstance(found.get("settings"), dict):
        raise _damage(file, "'files' or 'settings' is missing")
    return found


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """One process at a time.

    Raises:
        DataError: another one has been writing for a minute.
    """
    locks = require("filelock", extra="retrieval", purpose="writing an index")
    lock = locks.FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=_LOCK_SECONDS)
    except locks.Timeout as error:
        raise DataError(f"Another process is writing to {folder}. Try again when it is done.") from error
    try:
        yield
    finally:
        lock.release()


def _stamp(folder: Path) -> str:
    try:
        return blake2b((folder / MANIFEST).read_bytes(), digest_size=16).hexdigest()
    except FileNotFoundError:
        return ""


def _refuse_strangers(folder: Path) -> None:
    """What a slip of a path would delete or clutter is refused."""
    if (folder / MANIFEST).exists():
        manifest_of(folder)
        return
    strangers = [entry.name for entry in folder.iterdir() if not _ours(entry.name)]
    if strangers:
        raise DataError(f"{folder} is not empty ({strangers[0]!r} is there): choose a folder for the index.")


def _ours(name: str) -> bool:
    parts = name.split(".")
    return (
        name == ".lock"
        or (name.startswith(".") and name.endswith(".tmp"))
        or (len(parts) == 3 and parts[2] in ("npy", "jsonl") and len(parts[1]) == 32)
    )


def _write(folder: Path, name: str, ending: str, fill: Any) -> dict[str, Any]:
    """A file whose name holds its hash; returns its row for the manifest."""
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=f".{name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "w+b") as file:
            fill(file)
            file.flush()
            os.fsync(file.fileno())
            file.seek(0)
            digest, size = _digest(file)
        target = f"{name}.{digest}{ending}"
        Path(temporary).replace(folder / target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return {"file": target, "bytes": size, "hash": digest}


def _lines(file: BinaryIO, passages: Iterable[Passage]) -> None:
    for passage in passages:
        row: dict[str, Any] = {"id": passage.id, "text": passage.text}
        if passage.metadata:
            row["metadata"] = dict(passage.metadata)
        file.write(encoded(row) + b"\n")


def _array(file: BinaryIO, array: Any) -> None:
    numpy = require("numpy", extra="retrieval", purpose="writing an index")
    numpy.save(file, array, allow_pickle=False)


def _passages(file: Path) -> Iterator[Passage]:
    with file.open("rb") as lines:
        for line in lines:
            row = decoded(line)
            yield Passage(row["id"], row["text"], metadata=row.get("metadata", {}))


def _checked(folder: Path, row: Mapping[str, Any]) -> Path:
    """A file that is what the manifest says."""
    file = folder / str(row["file"])
    try:
        size = file.stat().st_size
    except FileNotFoundError:
        raise _damage(file, "it is missing") from None
    if size != row["bytes"]:
        raise _damage(file, f"it has {size:,} bytes where the manifest says {row['bytes']:,}")
    with file.open("rb") as content:
        if _digest(content)[0] != row["hash"]:
            raise _damage(file, "its content is not what was written")
    return file


def _digest(file: BinaryIO) -> tuple[str, int]:
    digest, size = blake2b(digest_size=16), 0
    while piece := file.read(1 << 20):
        digest.update(piece)
        size += len(piece)
    return digest.hexdigest(), size


def _damage(file: Path, what: str) -> IndexFileError:
    return IndexFileError(f"The index is damaged: {file}: {what}. Restore it from a copy, or build it again.")


def _sweep(folder: Path, wanted: set[str]) -> None:
    """Remove what earlier writers left."""
    for entry in folder.iterdir():
        if _ours(entry.name) and entry.name not in wanted and entry.name != ".lock":
            entry.unlink(missing_ok=True)
