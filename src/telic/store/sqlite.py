"""The store in one SQLite file, for all threads of many processes at once."""

from __future__ import annotations

import atexit
import json
import os
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from telic.errors import StoreError
from telic.store.base import Row, Table
from telic.store.gate import inside
from telic.store.schema import PUT, connect, is_busy, store_error, text_of, values
from telic.store.writer import EXPECTED, Action, Operation, Writer, transact

if TYPE_CHECKING:
    from telic.store.tray import Tray

_LOG_BYTES = 16_000_000
"""So long may the log grow by direct writes before the writer moves it into the file."""
_LOG_BYTES_PER_WRITE = 8_000
_LOG_BYTES_PER_ROW = 4_000
"""A transaction changes about two pages, and a small row one more, which all go to the log."""
_PAGE = 200
_KEPT_READERS = 4
_APPEND = "INSERT INTO events SELECT ?, coalesce(max(seq), 0) + 1, ? FROM events WHERE run=? RETURNING seq"
_CAN_RETURN = sqlite3.sqlite_version_info >= (3, 35)
_GET = {table: f"SELECT row FROM {table} WHERE key=?" for table in PUT}


class SqliteStore:
    """See `Store`. Opened at the first use, shared by threads, safe across fork.

    A write that finds nobody else writing is done at once in the caller's thread (20 to 40 µs), and what
    coroutines of one loop write at the same time in one transaction (5 to 15 µs each). A write that finds
    somebody goes to a writer thread, which commits everything that has piled up in one transaction.

    Args:
        path: the file; created, with its folder, where missing.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).expanduser().absolute()
        self._reset()
        _stores.add(self)

    def _reset(self) -> None:
        self._writer = Writer(self.path)
        self._direct_lock = threading.Lock()
        self._direct: sqlite3.Connection | None = None
        self._readers: deque[sqlite3.Connection] = deque()
        self._appended = 0
        self._tray: Tray | None = None

    def get(self, table: Table, key: str) -> dict[str, Any] | None:
        """The row of `key`, or `None`. 3 to 25 µs."""
        found = self._read_beside_writes(_GET[table], (key,))
        return self._row(found[0][0]) if found else None

    def put(self, table: Table, key: str, row: Row) -> None:
        """Write (or replace) the row; durable on return."""
        write = self._writing(table, key, row)
        if not self._try_now(write):
            self._writer.run(write)

    async def aput(self, table: Table, key: str, row: Row) -> None:
        """`put`; where another writer is in the way, the loop goes on meanwhile."""
        tray = self._tray
        if tray is None:
            from telic.store.tray import Tray

            tray = self._tray = Tray(self._commit)
        await tray.write(self._writing(table, key, row))

    def append(self, run_id: str, events: Sequence[Row]) -> int:
        """Add events to a run's journal in one transaction; returns the number of the last (0 where none)."""
        if len(events) == 1 and _CAN_RETURN:
            last: int | None = self._append_now(run_id, text_of(events[0]))
            if last is not None:
                return last
        last = self._writer.run(_appending(run_id, events))
        assert last is not None
        return last

    def _append_now(self, run_id: str, text: str) -> int | None:
        """Write one event here and now; `None` where somebody else is writing."""
        numbers: list[int] = []
        self._appended += len(text) + _LOG_BYTES_PER_ROW

        def write(connection: sqlite3.Connection) -> None:
            numbers.append(connection.execute(_APPEND, (run_id, text, run_id)).fetchall()[0][0])

        return numbers[0] if self._try_now(write) else None

    async def aappend(self, run_id: str, events: Sequence[Row]) -> int:
        """`append`, without blocking the loop."""
        last: int = await self._writer.arun(_appending(run_id, events))
        return last

    def read(self, run_id: str, after: int = 0) -> Iterator[dict[str, Any]]:
        """Events of a run with a number above `after`, in order; each carries its number as `seq`."""
        sql = f"SELECT seq, row FROM events WHERE run=? AND seq>? ORDER BY seq LIMIT {_PAGE}"
        while page := self._read(sql, (run_id, after)):
            for after, text in page:
                yield {**self._row(text), "seq": after}

    def scan(
        self, table: Table, *, contains: str | None = None, limit: int | None = None
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """`(key, row)`, newest first, optionally only rows whose JSON text contains a string (as it is)."""
        where = "AND instr(row, ?)" if contains is not None else ""
        sql = f"SELECT rowid, key, row FROM {table} WHERE rowid<? {where} ORDER BY rowid DESC LIMIT ?"
        before, left = 1 << 62, limit
        while left is None or left > 0:
            size = _PAGE if left is None else min(_PAGE, left)
            bound = (before, size) if contains is None else (before, contains, size)
            page = self._read(sql, bound)
            for _, key, text in page:
                yield key, self._row(text)
            if len(page) < size:
                return
            before = page[-1][0]
            left = None if left is None else left - size

    def delete(self, table: Table, keys: Sequence[str]) -> int:
        """Remove rows; returns how many there were. Deleting a run deletes its journal."""
        wanted = [(key,) for key in keys]

        def remove(connection: sqlite3.Connection) -> int:
            if table == "runs":
                connection.executemany("DELETE FROM events WHERE run=?", wanted)
            return connection.executemany(f"DELETE FROM {table} WHERE key=?", wanted).rowcount

        removed: int = self._writer.run(remove) if wanted else 0
        return removed

    def prune(self, *, older_than: float | None = None, max_bytes: int | None = None) -> int:
        """Remove calls, oldest first; the file shrinks. Returns how many.

        Args:
            older_than: seconds; calls recorded before that go.
            max_bytes: calls go until the JSON text of those that stay is at most so long.
        """
        removed = 0
        if older_than is not None:
            bound = time() - older_than
            removed += self._writer.run(
                lambda c: c.execute("DELETE FROM calls WHERE time<?", (bound,)).rowcount
            )
        if max_bytes is not None:
            sql = (
                "DELETE FROM calls WHERE rowid<=coalesce((SELECT rowid FROM (SELECT rowid, "
                "sum(length(row)) OVER (ORDER BY rowid DESC) AS total FROM calls) WHERE total>? "
                "ORDER BY rowid DESC LIMIT 1), -1)"
            )
            removed += self._writer.run(lambda c: c.execute(sql, (max_bytes,)).rowcount)
        if removed:
            self._writer.run(lambda c: c.execute("PRAGMA incremental_vacuum").fetchall() and None)
        return removed

    def ledger(self) -> list[dict[str, Any]]:
        """What each model took, dearest first: calls, tokens, known cost, and calls of unknown cost."""
        sql = (
            "SELECT model, endpoint, count(*), sum(prompt_tokens), sum(completion_tokens), sum(cost), "
            "sum(cost IS NULL), min(time), max(time) FROM calls GROUP BY model, endpoint "
            "ORDER BY sum(cost) DESC, count(*) DESC"
        )
        names = ("model", "endpoint", "calls", "prompt_tokens", "completion_tokens", "cost", "unknown_cost")
        rows = self._read(sql)
        return [dict(zip((*names, "first", "last"), row, strict=True)) for row in rows]

    def stats(self) -> dict[str, Any]:
        """Counts, and the size of the file with its log, in bytes."""
        tables = ("calls", "runs", "events")
        counts = {table: self._read(f"SELECT count(*) FROM {table}")[0][0] for table in tables}
        files = (self.path, self.path.with_name(self.path.name + "-wal"))
        size = sum(file.stat().st_size for file in files if file.exists())
        return {**counts, "bytes": size, "path": str(self.path)}

    def close(self) -> None:
        """Write what is queued and close the file; the next use opens it again."""
        if self._tray is not None:
            self._writer.take(self._tray.remains())
        with self._direct_lock, inside:
            direct, self._direct = self._direct, None
            if direct is not None:
                direct.close()
            while self._readers:
                self._readers.pop().close()
        self._writer.close()

    def __repr__(self) -> str:
        return f"SqliteStore({str(self.path)!r})"

    def _writing(self, table: str, key: str, row: Row) -> Action:
        """The statement that writes a row, to be done on some connection."""
        text = text_of(row)
        self._appended += len(text) + _LOG_BYTES_PER_ROW
        statement, written = PUT[table], values(table, key, row, text)

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(statement, written)

        return write

    def _commit(self, batch: list[Operation]) -> None:
        """Write what a loop's coroutines have put down, and let them go on."""

        def write(connection: sqlite3.Connection) -> None:
            if len(batch) == 1:
                batch[0].action(connection)
            else:
                transact(connection, batch, attempts=1)

        try:
            done = self._try_now(write)
        except (StoreError, *EXPECTED):
            done = False  # the writer finds out whose fault it is, so that the others do not suffer
        if not done:
            self._writer.take(batch)
            return
        for operation in batch:
            operation.tell()

    def _try_now(self, write: Action) -> bool:
        """Write here and now, unless somebody is writing, in this process or another.

        A transaction that Ctrl-C falls into is taken back; a single statement is one by itself.
        """
        if not (self._writer.idle and self._direct_lock.acquire(blocking=False)):
            return False
        try:
            with inside:
                if self._direct is None:
                    self._direct = _connect_directly(self.path)
                write(self._direct)
        except sqlite3.Error as error:
            if is_busy(error):
                return False
            raise store_error(error, self.path) from error
        finally:
            self._direct_lock.release()
        self._appended += _LOG_BYTES_PER_WRITE
        if self._appended > _LOG_BYTES:
            self._appended = 0
            self._writer.checkpoint()
        return True

    def _read_beside_writes(self, sql: str, bound: tuple[Any, ...]) -> list[Any]:
        """A short query on the connection that writes directly, if it is free.

        What it wrote itself is in its page cache, where every other connection has to begin anew after each
        commit.
        """
        if self._direct is not None and self._direct_lock.acquire(blocking=False):
            try:
                with inside:
                    if self._direct is not None:
                        return self._direct.execute(sql, bound).fetchall()
            except sqlite3.Error as error:
                if not is_busy(error):
                    raise store_error(error, self.path) from error
            finally:
                self._direct_lock.release()
        return self._read(sql, bound)

    def _read(self, sql: str, bound: tuple[Any, ...] = ()) -> list[Any]:
        """All rows of a query, on a connection that nobody else uses meanwhile."""
        with inside:
            return self._read_inside(sql, bound)

    def _read_inside(self, sql: str, bound: tuple[Any, ...]) -> list[Any]:
        try:
            reader = self._readers.pop()
        except IndexError:
            reader = connect(self.path)
        try:
            rows = reader.execute(sql, bound).fetchall()
        except BaseException as error:
            reader.close()
            if isinstance(error, sqlite3.Error):
                raise store_error(error, self.path) from error
            raise
        if len(self._readers) < _KEPT_READERS:
            self._readers.append(reader)
        else:
            reader.close()
        return rows

    def _row(self, text: str) -> dict[str, Any]:
        try:
            row: dict[str, Any] = json.loads(text)
        except ValueError as error:
            raise StoreError(f"The store {self.path} holds a row that is not JSON: {text[:80]!r}…") from error
        return row


def _connect_directly(path: Path) -> sqlite3.Connection:
    """A connection for writes that are done at once or not at all."""
    connection = connect(path)
    connection.execute("PRAGMA busy_timeout=0")
    connection.execute("PRAGMA cache_size=-16000")
    connection.execute("PRAGMA wal_autocheckpoint=0")  # it syncs: that is for the writer thread
    return connection


def _appending(run_id: str, events: Sequence[Row]) -> Callable[[sqlite3.Connection], int]:
    texts = [text_of(event) for event in events]

    def write(connection: sqlite3.Connection) -> int:
        found = connection.execute("SELECT max(seq) FROM events WHERE run=?", (run_id,)).fetchone()[0]
        first = (found or 0) + 1
        rows = [(run_id, first + i, text) for i, text in enumerate(texts)]
        connection.executemany("INSERT INTO events VALUES(?,?,?)", rows)
        return first + len(rows) - 1

    return write


_stores: WeakSet[SqliteStore] = WeakSet()
_left_behind: list[Any] = []


def _after_fork() -> None:
    # SQLite's connections must not cross a fork, not even to be closed: keep them, unused, and open anew.
    for store in list(_stores):
        _left_behind.append((store._writer, store._direct, store._readers))
        store._reset()


os.register_at_fork(after_in_child=_after_fork)


def _close_all() -> None:
    for store in list(_stores):
        store.close()


atexit.register(_close_all)
