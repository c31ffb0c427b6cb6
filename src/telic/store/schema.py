"""The SQLite file: its tables, how it is opened, and what its failures mean.

Every row is JSON text, complete in itself. The other columns repeat parts of it, so that the file can be
searched and added up with any SQLite tool: `SELECT model, sum(cost) FROM calls GROUP BY model`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from time import monotonic, sleep, time
from typing import Any

from telic._json import encoded
from telic.errors import StoreError

VERSION = 1
_APPLICATION_ID = 0x74656C69  # "teli"
LOCK_SECONDS = 30.0
"""How long to wait for another process that writes."""

_TABLES = """
CREATE TABLE calls(
    key TEXT PRIMARY KEY, row TEXT NOT NULL, time REAL,
    model TEXT, endpoint TEXT, prompt_tokens INTEGER, completion_tokens INTEGER, cost REAL);
CREATE TABLE runs(key TEXT PRIMARY KEY, row TEXT NOT NULL, time REAL, kind TEXT, state TEXT);
CREATE TABLE events(run TEXT NOT NULL, seq INTEGER NOT NULL, row TEXT NOT NULL, PRIMARY KEY(run, seq));
"""
PUT = {
    "calls": "INSERT OR REPLACE INTO calls VALUES(?,?,?,?,?,?,?,?)",
    "runs": "INSERT OR REPLACE INTO runs VALUES(?,?,?,?,?)",
}
"""The statement that writes the values made by `values`."""


def text_of(row: Mapping[str, Any]) -> str:
    """The row as JSON text that SQLite can hold."""
    return encoded(row).decode()


def values(table: str, key: str, row: Mapping[str, Any], text: str) -> tuple[Any, ...]:
    """What `PUT[table]` writes for a row and its text."""
    when = row.get("time")
    if not isinstance(when, (int, float)):
        when = time()
    if table == "runs":
        return (key, text, when, _word(row.get("kind")), _word(row.get("state")))
    request = row.get("request") or {}
    response = row.get("response") or {}
    usage = response.get("usage") or {}
    return (
        key,
        text,
        when,
        _word(request.get("model")),
        _word(request.get("endpoint")),
        usage.get("prompt_tokens"),
        usage.get("completion_tokens"),
        response.get("cost"),
    )


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=LOCK_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=32
    )
    # Survives the death of the process in any case, since the operating system holds what was written; NORMAL
    # also keeps the file sound through a power cut, at one sync per checkpoint instead of one per commit.
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA cache_size=-1000")
    return connection


def connect(path: Path) -> sqlite3.Connection:
    """Open the file, for use from any thread, one at a time; make it and its tables, or check them.

    A statement outside a transaction is one by itself. It waits while another process writes.

    Raises:
        StoreError: the file cannot be used: damaged, foreign, of a newer telic, not writable.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = _connect(path)
        try:
            _use_write_ahead_log(connection)
            _make_tables(connection, path)
        except BaseException:
            connection.close()
            raise
    except (OSError, sqlite3.Error) as error:
        raise store_error(error, path) from error
    connection.execute("PRAGMA wal_autocheckpoint=4000")
    connection.execute("PRAGMA journal_size_limit=33554432")
    return connection


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Readers and a writer then need not wait for each other. The switch does not wait for locks: we do."""
    until = monotonic() + LOCK_SECONDS
    if connection.execute("PRAGMA page_count").fetchone()[0] == 0:
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL")  # only possible in an empty file
    while connection.execute("PRAGMA journal_mode").fetchone()[0] not in ("wal", "memory"):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return  # where the file system does not allow it, the old mode works too, more slowly
        except sqlite3.OperationalError as error:
            if not is_busy(error) or monotonic() > until:
                raise
            sleep(0.02)


def _make_tables(connection: sqlite3.Connection, path: Path) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version == VERSION:
        _check_owner(connection, path)
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            raise StoreError(
                f"The store {path} was written by a newer telic (schema {version}, known here: {VERSION}). "
                "Update telic, or point TELIC_HOME to another folder."
            )
        if version == 0:
            if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                raise _foreign(path)
            for statement in _TABLES.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id={_APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version={VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _check_owner(connection: sqlite3.Connection, path: Path) -> None:
    if connection.execute("PRAGMA application_id").fetchone()[0] != _APPLICATION_ID:
        raise _foreign(path)


def _foreign(path: Path) -> StoreError:
    return StoreError(
        f"{path} is a SQLite file, but not a store of telic. Point TELIC_HOME to another folder."
    )


def is_busy(error: sqlite3.Error) -> bool:
    """Whether another connection was in the way, so that trying again helps."""
    name = getattr(error, "sqlite_errorname", "")
    return name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_SCHEMA"))


def store_error(error: Exception, path: Path) -> StoreError:
    """Say what a failure means, with the file and the remedy."""
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        problem = "is damaged. Set it aside with `telic cache set-aside` (nothing is deleted) and run again"
    elif name.startswith("SQLITE_FULL"):
        problem = "cannot grow: the disk is full. Free some space, or point TELIC_HOME to another disk"
    elif name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        problem = f"was locked by another process for more than {LOCK_SECONDS:.0f} s. Is one stuck?"
    elif name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")) or isinstance(error, OSError):
        problem = (
            "cannot be written. Check the folder's permissions, point TELIC_HOME to a folder of yours, "
            "or work without a record: telic.configure_cache(enable_disk_cache=False)"
        )
    else:
        problem = "failed"
    return StoreError(f"The store {path} {problem}. ({type(error).__name__}: {error})")


def set_aside(path: Path) -> Path:
    """Rename a damaged store (and what belongs to it), so that a new one is begun; returns the new name."""
    target = path.with_name(f"{path.stem}.damaged-{int(time())}{path.suffix}")
    for suffix in ("-wal", "-shm", ""):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(target.with_name(target.name + suffix))
    return target
