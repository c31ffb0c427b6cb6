"""The time limit of many tries at once, kept with one timer.

A timer for each try, as the HTTP client would set it, is made, sorted in and thrown away again, and hardly
ever rings. Tries with one limit expire in the order in which they begin, so one timer, for the oldest of
them, is enough.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any


class Watch:
    """Holds tries of the running loop to one limit: `with watch.limit(): …` raises `TimeoutError`.

    Args:
        seconds: how long a try may take.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._tries: dict[_Limit, None] = {}
        self._timer: asyncio.TimerHandle | None = None

    def limit(self) -> _Limit:
        """A block of the running task that has its time from here on."""
        task = asyncio.current_task(self._loop)
        assert task is not None
        limit = _Limit(self._tries, task, self._loop.time() + self._seconds)
        self._tries[limit] = None
        if self._timer is None:
            self._timer = self._loop.call_at(limit.end, self._ring)
        return limit

    def _ring(self) -> None:
        self._timer = None
        now = self._loop.time()
        for limit in list(self._tries):
            if limit.end > now:
                self._timer = self._loop.call_at(limit.end, self._ring)
                return
            del self._tries[limit]
            limit.task.cancel()


class _Limit:
    """One try; it is in `tries` as long as it is in time."""

    __slots__ = ("_cancelled_before", "_tries", "end", "task")

    def __init__(self, tries: dict[_Limit, None], task: asyncio.Task[Any], end: float) -> None:
        self.task = task
        self.end = end
        self._tries = tries
        self._cancelled_before = task.cancelling()

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self in self._tries:
            del self._tries[self]
        elif self.task.uncancel() <= self._cancelled_before and kind is asyncio.CancelledError:
            raise TimeoutError from error  # nobody but the watch cancelled it
