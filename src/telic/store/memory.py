"""The store in memory: for tests, and for work that leaves no trace."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from telic._json import dumps
from telic.store.base import Row, Table


class MemoryStore:
    """See `Store`; gone with the process. Rows are kept as JSON text, so they come out as out of a file."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tables: dict[str, dict[str, str]] = {"calls": {}, "runs": {}}
        self._events: dict[str, list[str]] = {}

    def get(self, table: Table, key: str) -> dict[str, Any] | None:
        """The row of `key`, or `None`."""
        text = self._tables[table].get(key)
        if text is None:
            return None
        row: dict[str, Any] = json.loads(text)
        return row

    def put(self, table: Table, key: str, row: Row) -> None:
        """Write (or replace) the row of `key`."""
        text = dumps(row)
        with self._lock:
            rows = self._tables[table]
            rows.pop(key, None)  # so that it becomes the newest
            rows[key] = text

    async def aput(self, table: Table, key: str, row: Row) -> None:
        """`put`; nothing here blocks."""
        self.put(table, key, row)

    def append(self, run_id: str, events: Sequence[Row]) -> int:
        """Add events to a run's journal; returns the number of the last one."""
        texts = [dumps(event) for event in events]
        with self._lock:
            journal = self._events.setdefault(run_id, [])
            journal.extend(texts)
            return len(journal)

    async def aappend(self, run_id: str, events: Sequence[Row]) -> int:
        """`append`; nothing here blocks."""
        return self.append(run_id, events)

    def read(self, run_id: str, after: int = 0) -> Iterator[dict[str, Any]]:
        """Events with a number above `after`; those appended while it is read come too."""
        journal = self._events.get(run_id, [])
        while after < len(journal):
            text = journal[after]
            after += 1
            yield {**json.loads(text), "seq": after}

    def scan(
        self, table: Table, *, contains: str | None = None, limit: int | None = None
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """`(key, row)` as of now, newest first, optionally only rows whose JSON text contains a string."""
        with self._lock:
            rows = list(self._tables[table].items())
        left = len(rows) if limit is None else limit
        for key, text in reversed(rows):
            if left <= 0:
                return
            if contains is None or contains in text:
                left -= 1
                yield key, json.loads(text)

    def delete(self, table: Table, keys: Sequence[str]) -> int:
        """Remove rows; returns how many there were. Deleting a run deletes its journal."""
        with self._lock:
            if table == "runs":
                for key in keys:
                    self._events.pop(key, None)
            return sum(self._tables[table].pop(key, None) is not None for key in keys)

    def stats(self) -> dict[str, Any]:
        """Counts, and the length of all texts."""
        with self._lock:
            texts = [*self._tables["calls"].values(), *self._tables["runs"].values()]
            texts += [text for journal in self._events.values() for text in journal]
            return {
                "calls": len(self._tables["calls"]),
                "runs": len(self._tables["runs"]),
                "events": sum(map(len, self._events.values())),
                "bytes": sum(map(len, texts)),
                "path": None,
            }

    def close(self) -> None:
        """Nothing to release; what is stored stays."""
