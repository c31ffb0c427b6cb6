"""From the loop to threads: run a function that may block on what coroutines have finished.

Waking a thread for every item would cost more than most metrics do, and one thread would be stuck behind one
slow call. So a worker is woken once for all that one turn of the loop puts into the queue, takes what lies
there, and further workers come only while the queue does not drain.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from contextvars import Context, copy_context
from queue import SimpleQueue
from typing import Any

_LOOK_SECONDS = 0.005
"""How often the queue is looked at while something waits in it; Python's own thread switch interval."""


class BlockingStage:
    """An elastic crew of threads behind one event loop.

    `put`, `full`, `empty` and `close` belong to the loop's thread.

    Args:
        work: called as `work(*arguments)` for each `put(*arguments)`, in a copy of the context of the `put`.
            It must not raise.
        num_threads: most threads at a time.
        capacity: with so many items waiting or in work the stage is `full`.
        on_room: called on the loop when a stage found full has room again, or one found not empty is empty.
    """

    def __init__(
        self, work: Callable[..., None], *, num_threads: int, capacity: int, on_room: Callable[[], None]
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._work = work
        self._num_threads = num_threads
        self._capacity = capacity
        self._on_room = on_room
        self._lock = threading.Lock()
        self._queue: deque[tuple[Context, tuple[Any, ...]]] = deque()
        self._wake: SimpleQueue[bool] = SimpleQueue()
        self._unfinished = 0
        self._threads = self._active = self._parked = 0
        self._taken = self._taken_before = 0
        self._was_full = self._awaited = self._looking = self._waking = self._closed = False

    @property
    def full(self) -> bool:
        """Whether the loop should begin nothing new; if so, `on_room` will be called."""
        with self._lock:
            self._was_full = self._unfinished >= self._capacity
            return self._was_full

    @property
    def empty(self) -> bool:
        """Whether everything put in has been worked on; if not, `on_room` will be called when it is."""
        with self._lock:
            self._awaited = self._unfinished > 0
            return not self._awaited

    def put(self, *arguments: Any) -> None:
        """Queue one item, with the running context."""
        with self._lock:
            self._queue.append((copy_context(), arguments))
            self._unfinished += 1
        if not self._looking:
            self._looking = True
            self._loop.call_later(_LOOK_SECONDS, self._look)
        if not self._waking:
            self._waking = True
            self._loop.call_soon(self._begin)

    def close(self) -> None:
        """Let the threads go; items that were not begun are dropped."""
        with self._lock:
            self._closed = True
            self._queue.clear()
            for _ in range(self._threads):
                self._wake.put(False)

    def _begin(self) -> None:
        """Have a worker awake; a turn of the loop after the first item, when the others lie here too."""
        self._waking = False
        with self._lock:
            if self._active == 0 and self._queue:
                self._grow(1)

    def _look(self) -> None:
        """Double the crew if the queue hardly moved since the last look: its members are blocked."""
        with self._lock:
            if self._closed or not self._queue:
                self._looking = False
                return
            if self._taken - self._taken_before <= 2 * self._active:
                self._grow(self._active)
            self._taken_before = self._taken
        self._loop.call_later(_LOOK_SECONDS, self._look)

    def _grow(self, workers: int) -> None:
        """Wake or start so many more; with the lock held."""
        for _ in range(workers):
            if self._parked:
                self._parked -= 1
                self._wake.put(True)
            elif self._threads < self._num_threads:
                self._threads += 1
                threading.Thread(target=self._run, name="telic-stage", daemon=True).start()
            else:
                return
            self._active += 1

    def _run(self) -> None:
        queue, work = self._queue, self._work
        while True:
            try:
                context, arguments = queue.popleft()
            except IndexError:
                with self._lock:
                    if queue:
                        continue
                    self._active -= 1
                    self._parked += 1
                if not self._wake.get():
                    return
                continue
            self._taken += 1
            context.run(work, *arguments)
            with self._lock:
                self._unfinished -= 1
                left = self._unfinished
                tell = (self._awaited and left == 0) or (self._was_full and left <= self._capacity // 2)
                if tell:
                    self._was_full = self._awaited = False
            if tell and not self._closed:
                self._loop.call_soon_threadsafe(self._on_room)
