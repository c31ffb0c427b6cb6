"""Group commit: one thread that writes whatever has piled up in one transaction, and then tells everyone."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from telic.errors import StoreError
from telic.store.gate import inside
from telic.store.schema import LOCK_SECONDS, connect, is_busy, store_error

if TYPE_CHECKING:
    import asyncio

_log = logging.getLogger("telic")

_BATCH = 1000
"""Most operations in one transaction, so that other processes get their turn."""

EXPECTED = (sqlite3.Error, ValueError, TypeError, OverflowError, MemoryError)
"""What writing can raise: SQLite's own errors, and values that it cannot hold."""

Action = Callable[[sqlite3.Connection], Any]


class Operation:
    """Something to write, and somebody who waits for it: a thread, or a future of a loop."""

    __slots__ = ("_done", "action", "error", "future", "loop", "result")

    def __init__(
        self,
        action: Action,
        loop: asyncio.AbstractEventLoop | None = None,
        future: asyncio.Future[Any] | None = None,
    ) -> None:
        self.action = action
        self.result: Any = None
        self.error: Exception | None = None
        self.loop = loop
        self.future = future
        if future is None:
            self._done = threading.Lock()
            self._done.acquire()

    def wait(self) -> Any:
        """Block until it is durable; the action's result, or raise its error."""
        self._done.acquire()
        if self.error is not None:
            raise self.error
        return self.result

    def tell(self) -> None:
        """Let the waiter go on: in its thread, or being called on its loop."""
        if self.future is None:
            self._done.release()
        elif not self.future.done():
            if self.error is not None:
                self.future.set_exception(self.error)
            else:
                self.future.set_result(self.result)


_CHECKPOINT = Operation(lambda connection: None)


class Writer:
    """The writing side of one SQLite file: a connection and a thread, both made at the first use.

    Never interrupted by Ctrl-C, since signals reach only the main thread: a transaction is done or not done.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._queue: SimpleQueue[Operation | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @property
    def idle(self) -> bool:
        """Whether nothing waits in the queue; what is being committed just now does not count."""
        return self._queue.empty()

    def run(self, action: Action) -> Any:
        """Have `action(connection)` done in a transaction; returns its result once it is durable."""
        operation = Operation(action)
        self._put(operation)
        return operation.wait()

    async def arun(self, action: Action) -> Any:
        """`run`, without blocking the loop. Cancelled, it still writes."""
        import asyncio

        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        self._put(Operation(action, loop, future))
        return await future

    def take(self, batch: list[Operation]) -> None:
        """Have operations done that others wait for; if that cannot even begin, they are told."""
        for operation in batch:
            try:
                self._put(operation)
            except StoreError as error:
                operation.error = error
                _tell([operation])

    def checkpoint(self) -> None:
        """Have the log moved into the file, with nobody waiting."""
        self._put(_CHECKPOINT)

    def close(self) -> None:
        """Write what is queued, then end the thread and close the file; the next use opens it again."""
        with self._lock:
            thread, self._thread = self._thread, None
            if thread is not None:
                self._queue.put(None)
                thread.join()

    def _put(self, operation: Operation) -> None:
        with self._lock:  # so that nothing is queued behind the word that ends the thread
            if self._thread is None:
                with inside:
                    connection = connect(self._path)
                self._thread = threading.Thread(
                    target=self._main, args=(connection,), name="telic-store", daemon=True
                )
                self._thread.start()
            self._queue.put(operation)

    def _main(self, connection: sqlite3.Connection) -> None:
        queue = self._queue
        ending = False
        while not ending:
            batch: list[Operation] = []
            operation = queue.get()
            try:
                while operation is not None:
                    batch.append(operation)
                    if len(batch) == _BATCH:
                        break
                    operation = queue.get_nowait()
            except Empty:
                pass
            else:
                ending = operation is None
            if _CHECKPOINT in batch:
                batch = [operation for operation in batch if operation is not _CHECKPOINT]
                with inside:
                    _shorten_log(connection)
            if batch:
                with inside:
                    self._commit(connection, batch)
                _tell(batch)
        with inside:
            connection.close()

    def _commit(self, connection: sqlite3.Connection, batch: list[Operation]) -> None:
        """All in one transaction; if that fails, each in its own, so that only the guilty ones fail."""
        try:
            transact(connection, batch)
            return
        except EXPECTED as error:
            if len(batch) == 1:
                batch[0].error = self._explain(error)
                return
        for operation in batch:
            try:
                transact(connection, [operation])
            except EXPECTED as error:
                operation.error = self._explain(error)

    def _explain(self, error: Exception) -> Exception:
        return store_error(error, self._path) if isinstance(error, sqlite3.Error) else error


def _shorten_log(connection: sqlite3.Connection) -> None:
    """Move the log into the file and begin it anew.

    The first step syncs and holds nobody up; the second finds little left, and keeps others from writing, for
    under steady writing the log would otherwise never be empty, and grow.
    """
    try:
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        connection.execute("PRAGMA busy_timeout=200")  # a reader that takes longer must not stop everybody
        connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()
        connection.execute(f"PRAGMA busy_timeout={LOCK_SECONDS * 1000:.0f}")
    except sqlite3.Error as error:
        _log.warning("The log of the store could not be moved into its file: %s", error)


def transact(connection: sqlite3.Connection, batch: list[Operation], *, attempts: int = 3) -> None:
    """Do all in one transaction, or nothing; tried again where another connection was in the way."""
    for attempt in range(1, attempts + 1):
        try:
            connection.execute("BEGIN IMMEDIATE")
            for operation in batch:
                operation.result = operation.action(connection)
            connection.execute("COMMIT")
            return
        except BaseException as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            if attempt == attempts or not (isinstance(error, sqlite3.Error) and is_busy(error)):
                raise


def _tell(batch: list[Operation]) -> None:
    """Wake every waiter: a thread each, but a loop only once."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Operation]] = {}
    for operation in batch:
        if operation.loop is None:
            operation.tell()
        else:
            by_loop.setdefault(operation.loop, []).append(operation)
    for loop, operations in by_loop.items():
        try:
            loop.call_soon_threadsafe(_tell_here, operations)
        except RuntimeError:  # the loop was closed meanwhile: nobody waits any more
            continue


def _tell_here(operations: list[Operation]) -> None:
    for operation in operations:
        operation.tell()
