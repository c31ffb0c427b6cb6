"""No thread is inside SQLite while the process forks.

SQLite has locks of its own, of which the child inherits a copy; one that another thread held at the fork
stays taken there for good. So whoever calls SQLite does it in `with inside:`, and a fork waits until nobody
is.
"""

from __future__ import annotations

import os
import threading

_LONGEST_WAIT = 60.0
"""Seconds; longer than a connection waits for another process's lock."""


class Gate:
    """Any number of threads may be inside, but none at a fork."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Nobody is inside: so it is in a forked child, where the other threads are gone."""
        self._changed = threading.Condition(threading.Lock())
        self._inside = 0
        self._closed = False

    def __enter__(self) -> None:
        with self._changed:
            while self._closed:
                self._changed.wait()
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._inside -= 1
            if self._closed:
                self._changed.notify_all()

    def close(self) -> None:
        """Let nobody in, and wait until everybody is out."""
        self._changed.acquire()
        self._closed = True
        self._changed.wait_for(lambda: self._inside == 0, _LONGEST_WAIT)

    def open(self) -> None:
        """The opposite of `close`, in the same thread."""
        self._closed = False
        self._changed.notify_all()
        self._changed.release()


inside = Gate()
"""The gate of this process."""

# In the child nobody is inside: the other threads are gone.
os.register_at_fork(before=inside.close, after_in_parent=inside.open, after_in_child=inside.__init__)  # type: ignore[misc]
