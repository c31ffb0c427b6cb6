"""Stopping what is under way: a flag that blocked calls can be woken by.

A thread that waits for a coroutine cannot be interrupted from outside. So whoever starts work that may have
to be stopped (the executor, on Ctrl-C) puts a `Cancellation` into the context of that work; whoever blocks
there (the portal) registers how to be woken.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import ContextVar
from itertools import count


class Cancellation:
    """Set once; wakes everything registered before, and at once what registers afterwards.

    Args:
        parent: cancelled together with it.
    """

    __slots__ = ("_keys", "_lock", "_parent", "_parent_key", "_wakers", "cancelled")

    def __init__(self, parent: Cancellation | None = None) -> None:
        self._lock = threading.Lock()
        self._keys = count(1)
        self._wakers: dict[int, Callable[[], None]] = {}
        self.cancelled = False
        self._parent = parent
        self._parent_key = parent.register(self.cancel) if parent is not None else 0

    def register(self, wake: Callable[[], None]) -> int:
        """Have `wake` called once, from any thread, on cancellation; returns the key for `forget`."""
        with self._lock:
            if not self.cancelled:
                key = next(self._keys)
                self._wakers[key] = wake
                return key
        wake()
        return 0

    def forget(self, key: int) -> None:
        """Undo `register`."""
        self._wakers.pop(key, None)

    def cancel(self) -> None:
        """Wake everything."""
        with self._lock:
            self.cancelled = True
            wakers = list(self._wakers.values())
            self._wakers.clear()
        for wake in wakers:
            wake()

    def close(self) -> None:
        """Let go of the parent, once the work is done."""
        if self._parent is not None:
            self._parent.forget(self._parent_key)


current: ContextVar[Cancellation | None] = ContextVar("telic_cancellation", default=None)
"""What can stop the running work; `None` where nothing can."""
