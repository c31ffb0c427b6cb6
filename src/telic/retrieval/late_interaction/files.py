"""Where an index keeps its arrays: files in a folder, or memory.

Both hold files that never change once written, and one manifest that says which of them count. Publishing a
manifest is the only moment at which anything changes for a reader.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Protocol

import numpy as np

from telic._json import sync_folder, write_atomic
from telic._lazy import require
from telic.errors import IndexFileError

_MANIFEST = "manifest.json"
_LOCK = "write.lock"
_NAMED = re.compile(r"telic-\d{6,}\.[a-z_]+")
"""Names that an index gives its files; nothing else in the folder is ever removed."""
_TEMPORARY = re.compile(r"\.manifest\.json\..*\.tmp")


@dataclass(frozen=True, slots=True)
class Written:
    """A file as it was written.

    Attributes:
        size: bytes.
        sha256: of its contents, in hexadecimal digits.
    """

    size: int
    sha256: str


class Sink(Protocol):
    """A file that is being written."""

    def write(self, data: bytes | np.ndarray) -> None:
        """Append; an array as its bytes."""
        ...

    def close(self) -> Written:
        """Make it durable."""
        ...


class Files(Protocol):
    """What an index needs of the place it lives in."""

    @property
    def where(self) -> str:
        """For messages."""
        ...

    def writing(self) -> AbstractContextManager[None]:
        """Be the only writer as long as the context lasts."""
        ...

    def manifest(self) -> str | None:
        """The published manifest."""
        ...

    def create(self, name: str) -> Sink:
        """Begin a file."""
        ...

    def read(self, name: str) -> np.ndarray:
        """A file's bytes as a uint8 array, which stays readable when the file is removed.

        Raises:
            FileNotFoundError: there is none.
        """
        ...

    def publish(self, manifest: str) -> None:
        """Put a manifest in the place of the last."""
        ...

    def sweep(self, keep: Iterable[str]) -> None:
        """Remove the index's files that are not named."""
        ...


class _HashedSink:
    def __init__(self) -> None:
        self._hash = sha256()
        self._size = 0

    def _count(self, data: bytes | np.ndarray) -> memoryview:
        raw = memoryview(data) if isinstance(data, bytes) else _as_bytes(data)
        self._hash.update(raw)
        self._size += raw.nbytes
        return raw

    def _written(self) -> Written:
        return Written(self._size, self._hash.hexdigest())


def _as_bytes(data: np.ndarray) -> memoryview:
    flat: np.ndarray = np.ascontiguousarray(data).reshape(-1).view(np.uint8)
    return flat.data


class FolderFiles:
    """An index in a folder.

    Args:
        path: the folder; made when something is first written.
        patience: seconds to wait for another writer.
    """

    def __init__(self, path: str | Path, patience: float = 60.0) -> None:
        self.path = Path(path)
        self.patience = patience

    @property
    def where(self) -> str:
        """The folder."""
        return str(self.path)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the folder's lock, which ends with the process that holds it, however that ends.

        Raises:
            IndexFileError: another writer kept it too long.
        """
        filelock = require("filelock", extra="retrieval", purpose="writing an index")
        self.path.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(str(self.path / _LOCK), timeout=self.patience)
        try:
            lock.acquire()
        except filelock.Timeout as error:
            raise IndexFileError(
                f"{self.path}: another process has been writing this index for {self.patience:g} s. Wait "
                "for it, or look for a process that hangs."
            ) from error
        try:
            yield
        finally:
            lock.release()

    def manifest(self) -> str | None:
        """The published manifest."""
        try:
            return (self.path / _MANIFEST).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None

    def create(self, name: str) -> Sink:
        """Begin a file; what a writer that died left under its name is overwritten."""
        return _FileSink(self.path / name)

    def read(self, name: str) -> np.ndarray:
        """The file, mapped into memory: on POSIX a mapping outlives its file's name."""
        path = self.path / name
        if path.stat().st_size == 0:
            return np.zeros(0, np.uint8)
        mapped: np.ndarray = np.asarray(np.memmap(path, np.uint8, "r"))
        return mapped

    def publish(self, manifest: str) -> None:
        """Rename a new manifest over the old; files that were created before are in the folder for good
        first.
        """
        sync_folder(self.path)
        write_atomic(self.path / _MANIFEST, manifest)
        sync_folder(self.path)

    def sweep(self, keep: Iterable[str]) -> None:
        """Remove what no manifest names any more; readers that have it open keep what they mapped.

        Where a mapped file cannot be removed (Windows), it stays until a later sweep.
        """
        kept = set(keep)
        for path in list(self.path.iterdir()):
            named = _NAMED.fullmatch(path.name) and path.name not in kept
            if named or _TEMPORARY.fullmatch(path.name):
                try:
                    path.unlink(missing_ok=True)
                except PermissionError:
                    continue


class _FileSink(_HashedSink):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self._file = path.open("wb")

    def write(self, data: bytes | np.ndarray) -> None:
        self._file.write(self._count(data))

    def close(self) -> Written:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return self._written()


class MemoryFiles:
    """An index in memory; one process, any number of threads, one of them writing."""

    def __init__(self) -> None:
        self._files: dict[str, np.ndarray] = {}
        self._manifest: str | None = None
        self._lock = threading.RLock()

    @property
    def where(self) -> str:
        """For messages."""
        return "index in memory"

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the lock."""
        with self._lock:
            yield

    def manifest(self) -> str | None:
        """The published manifest."""
        return self._manifest

    def create(self, name: str) -> Sink:
        """Begin a file."""
        return _MemorySink(self._files, name)

    def read(self, name: str) -> np.ndarray:
        """A file's bytes."""
        try:
            return self._files[name]
        except KeyError:
            raise FileNotFoundError(name) from None

    def publish(self, manifest: str) -> None:
        """Keep it."""
        self._manifest = manifest

    def sweep(self, keep: Iterable[str]) -> None:
        """Forget what is not named; who holds an array keeps it."""
        kept = set(keep)
        self._files = {name: data for name, data in self._files.items() if name in kept}


class _MemorySink(_HashedSink):
    def __init__(self, files: dict[str, np.ndarray], name: str) -> None:
        super().__init__()
        self._files, self._name = files, name
        self._data = bytearray()

    def write(self, data: bytes | np.ndarray) -> None:
        self._data += self._count(data)

    def close(self) -> Written:
        self._files[self._name] = np.frombuffer(bytes(self._data), np.uint8)
        return self._written()


def verify(where: str, name: str, data: np.ndarray, written: Written, contents: bool = True) -> None:
    """Compare a file with what was written.

    Raises:
        IndexFileError: its size differs, or (where `contents` are read) its checksum.
    """
    if data.nbytes != written.size:
        raise IndexFileError(
            f"{where}: the file '{name}' has {data.nbytes} bytes, but {written.size} were written. Restore "
            "it from a copy, or build the index again."
        )
    if contents and sha256(data.data).hexdigest() != written.sha256:
        raise IndexFileError(
            f"{where}: the file '{name}' is not what was written (its checksum differs). Restore it from a "
            "copy, or build the index again."
        )
