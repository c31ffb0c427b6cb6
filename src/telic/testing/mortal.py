"""A store whose process dies: after a given number of writes to a journal, nothing gets through any more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NoReturn

from telic.store.base import Row, Store


class ProcessDeath(BaseException):
    """Stands for `kill -9` in a test; no `except Exception` survives it."""


class MortalStore:
    """Passes everything on to another store until its hour has come; see `telic.store.base.Store`.

    Args:
        inner: what survives.
        appends: how many appends to journals it lives to see; `None` lives on.
        last: whether the append at which it dies is `"written"` before death, or `"lost"`.

    Attributes:
        kinds: for each append so far, the type of its first event.
    """

    def __init__(
        self, inner: Store, appends: int | None = None, last: Literal["written", "lost"] = "written"
    ) -> None:
        self.inner = inner
        self.appends = appends
        self.last = last
        self.kinds: list[str] = []
        self._dead = False

    def append(self, run_id: str, events: Sequence[Row]) -> int:
        """Write, or die."""
        self._alive()
        self.kinds.append(str(events[0].get("type")) if events else "")
        dying = len(self.kinds) == self.appends
        number = 0 if dying and self.last == "lost" else self.inner.append(run_id, events)
        if dying:
            self._die()
        return number

    async def aappend(self, run_id: str, events: Sequence[Row]) -> int:
        """`append`."""
        return self.append(run_id, events)

    def put(self, table: Any, key: str, row: Row) -> None:
        """Write, unless dead."""
        self._alive()
        self.inner.put(table, key, row)

    async def aput(self, table: Any, key: str, row: Row) -> None:
        """`put`."""
        self.put(table, key, row)

    def delete(self, table: Any, keys: Sequence[str]) -> int:
        """Remove rows, unless dead."""
        self._alive()
        return self.inner.delete(table, keys)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def _alive(self) -> None:
        if self._dead:
            self._die()

    def _die(self) -> NoReturn:
        self._dead = True
        raise ProcessDeath(f"the process died at append {len(self.kinds)} to the journal")
