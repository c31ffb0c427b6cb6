"""Which record is in force here: the one of the settings, else the file under `TELIC_HOME`."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from telic.errors import InputError
from telic.runtime.settings import settings
from telic.store.base import Store
from telic.store.cache import CallRecord
from telic.store.home import home

_BYTES_OF_AN_ENTRY = 4_000

_lock = threading.Lock()
_files: dict[Path, Store] = {}
_records: WeakKeyDictionary[Any, CallRecord] = WeakKeyDictionary()
_by_home: dict[str | None, CallRecord] = {}
"""The usual case, by the value of `TELIC_HOME`: no path is put together for each call."""


class _Choice:
    """What `configure_cache` chose for this process."""

    disk = True
    folder: Path | None = None
    memory_bytes = 4_000_000


def default_store() -> Store:
    """The store of `settings.store`, else the file `store.db` in the chosen folder, or under `TELIC_HOME`."""
    chosen = settings.store
    if isinstance(chosen, CallRecord):
        chosen = chosen.store
    if chosen is None:
        return _file_store((_Choice.folder or home()) / "store.db")
    if isinstance(chosen, (str, Path)):
        return _file_store(Path(chosen).expanduser().absolute())
    store: Store = chosen
    return store


def call_record() -> CallRecord:
    """The record that LM calls go to and are looked up in, here."""
    chosen = settings.store
    if isinstance(chosen, CallRecord):
        return chosen
    if chosen is not None:
        return _record_of(default_store())
    name = os.environ.get("TELIC_HOME")
    record = _by_home.get(name)
    if record is None:
        made = _record_of(default_store()) if _Choice.disk else CallRecord(None, _Choice.memory_bytes)
        record = _by_home.setdefault(name, made)
    return record


def _record_of(store: Store) -> CallRecord:
    record = _records.get(store)
    if record is None:
        with _lock:
            record = _records.setdefault(store, CallRecord(store, _Choice.memory_bytes))
    return record


def configure_cache(
    enable_disk_cache: bool | None = True,
    enable_memory_cache: bool | None = True,
    disk_cache_dir: str | Path | None = None,
    disk_size_limit_bytes: int | None = None,
    memory_max_entries: int | None = None,
    restrict_pickle: bool = False,
    safe_types: Sequence[type[Any]] | None = None,
    *,
    memory_max_bytes: int = 4_000_000,
) -> None:
    """Choose, for this process, where LM calls are recorded and looked up.

    Args:
        enable_disk_cache: record in the file; without it, answers live in memory only, and an interrupted
            compile cannot go on where it was.
        enable_memory_cache: keep recently used answers in memory.
        disk_cache_dir: folder of the file; `None` for `TELIC_HOME`.
        disk_size_limit_bytes: oldest calls are removed, now, until the others' text is at most so long.
        memory_max_entries: size of the memory, as so many answers of average length (4 kB each, 64 MB at
            most); `None` to go by `memory_max_bytes`.
        restrict_pickle: accepted for programs written for DSPy; nothing in the record is a pickle.
        safe_types: goes with `restrict_pickle`.
        memory_max_bytes: size of the memory.

    Raises:
        InputError: a size is negative, or no entry is to be kept.
    """
    if memory_max_entries is not None:
        if memory_max_entries <= 0:
            raise InputError(f"memory_max_entries={memory_max_entries} must be positive.")
        memory_max_bytes = min(memory_max_entries * _BYTES_OF_AN_ENTRY, 64_000_000)
    if memory_max_bytes < 0:
        raise InputError(f"memory_max_bytes={memory_max_bytes} must not be negative.")
    with _lock:
        _Choice.disk = bool(enable_disk_cache)
        _Choice.folder = None if disk_cache_dir is None else Path(disk_cache_dir).expanduser().absolute()
        _Choice.memory_bytes = memory_max_bytes if enable_memory_cache else 0
        _records.clear()
        _by_home.clear()
    if enable_disk_cache and disk_size_limit_bytes is not None:
        prune = getattr(default_store(), "prune", None)
        if prune is not None:
            prune(max_bytes=disk_size_limit_bytes)


def _file_store(path: Path) -> Store:
    store = _files.get(path)
    if store is None:
        from telic.store.sqlite import SqliteStore

        with _lock:
            store = _files.setdefault(path, SqliteStore(path))
    return store
