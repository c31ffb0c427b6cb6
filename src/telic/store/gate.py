"""No thread is inside SQLite while the process forks.

SQLite has locks of its own, of which the child inherits a copy; one that another thread held at the fork
stays taken there for good. So whoever calls SQLite does it in `with inside:`, and a fork waits until nobody
is.
"""

from __future__ import annotations

import os
from threading import get_ident
from time import monotonic, sleep

_LONGEST_WAIT = 60.0
"""Seconds; longer than a connection waits for another process's lock."""
_PAUSE = 0.001


class Gate:
    """Any number of threads may be inside, but none at a fork.

    There is no lock in here, since Ctrl-C may fall between any two steps of the main thread, and would leave
    it taken. Each thread only ever adds and removes itself, which the interpreter does in one step: one that
    was interrupted on its way in or out is put right when it next comes by. Not to be nested.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Nobody is inside: so it is in a forked child, where the other threads are gone."""
        self._inside: set[int] = set()
        self._closed = False

    def __enter__(self) -> None:
        thread = get_ident()
        self._inside.add(thread)
        while self._closed:  # looked at only now, so that `close` sees this thread or this thread sees it
            self._inside.discard(thread)
            sleep(_PAUSE)
            self._inside.add(thread)

    def __exit__(self, *_: object) -> None:
        self._inside.discard(get_ident())

    def close(self) -> None:
        """Let nobody in, and wait until everybody else is out."""
        self._closed = True
        self._inside.discard(get_ident())
        until = monotonic() + _LONGEST_WAIT
        while self._inside and monotonic() < until:
            sleep(_PAUSE)

    def open(self) -> None:
        """The opposite of `close`."""
        self._closed = False


inside = Gate()
"""The gate of this process."""

os.register_at_fork(before=inside.close, after_in_parent=inside.open, after_in_child=inside.reset)
