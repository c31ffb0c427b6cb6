"""What a store is: a record of calls and runs. Few verbs, so that another database can take its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, Protocol, TypeAlias

Table: TypeAlias = Literal["calls", "runs"]
Row: TypeAlias = Mapping[str, Any]


class Store(Protocol):
    """The record of what was paid for.

    Rows are JSON objects. When `put`, `aput` or `append` returns, the row survives the death of the process.
    Every method may be called from any thread, and from many processes on one database.
    """

    def get(self, table: Table, key: str) -> dict[str, Any] | None:
        """The row of `key`, or `None`."""
        ...

    def put(self, table: Table, key: str, row: Row) -> None:
        """Write (or replace) the row of `key`."""
        ...

    async def aput(self, table: Table, key: str, row: Row) -> None:
        """`put`, without blocking the running loop."""
        ...

    def append(self, run_id: str, events: Sequence[Row]) -> int:
        """Add events to a run's journal, in order; returns the number of the last one (the first is 1)."""
        ...

    async def aappend(self, run_id: str, events: Sequence[Row]) -> int:
        """`append`, without blocking the running loop."""
        ...

    def read(self, run_id: str, after: int = 0) -> Iterator[dict[str, Any]]:
        """Events of a run with a number above `after`, in order; each carries its number as `seq`."""
        ...

    def scan(
        self, table: Table, *, contains: str | None = None, limit: int | None = None
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """`(key, row)` of a table, newest first, optionally only rows whose JSON text contains a string."""
        ...

    def delete(self, table: Table, keys: Sequence[str]) -> int:
        """Remove rows; returns how many there were. Deleting a run deletes its journal."""
        ...

    def stats(self) -> dict[str, Any]:
        """Counts and bytes: `{"calls": n, "runs": n, "events": n, "bytes": n, "path": str | None}`."""
        ...

    def close(self) -> None:
        """Flush and release; using the store afterwards opens it again."""
        ...
