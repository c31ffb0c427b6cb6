"""Many items at once, never more than a stated number: with threads, or with coroutines.

Both forms pull items lazily, run each in a copy of the caller's context, keep the order of the results, count
failures apart and stop when told to. What is under way when they stop is finished and kept, since it is paid
for; only Ctrl-C and the cancellation of the caller cut it short.
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Iterable
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from telic.runtime.collector import expecting
from telic.runtime.outcome import Failure, Ledger, OnResult, Outcome, Stop

if TYPE_CHECKING:
    import asyncio

    from telic.runtime.stage import BlockingStage

__all__ = ["Failure", "Outcome", "abounded_map", "bounded_map"]

T = TypeVar("T")
R = TypeVar("R")
V = TypeVar("V")

_LOOK_SECONDS, _LONGEST_LOOK_SECONDS = 0.005, 0.05
"""How often it is looked whether the threads at work are blocked; Python's own thread switch interval."""
_GRACE_SECONDS = 5.0
"""How long an interrupted map waits for functions that are under way and cannot be woken."""


def bounded_map(
    function: Callable[[T], R],
    items: Iterable[T],
    *,
    num_threads: int,
    on_result: OnResult[T, R] | None = None,
    stop: Stop[T] = None,
) -> Outcome[T, R]:
    """Call `function` on every item, on at most `num_threads` threads; blocks until done.

    With one thread everything happens in the caller's own. Calls that block on the portal are cancelled by
    Ctrl-C; other blocking calls are waited for a few seconds and then left behind.

    Args:
        function: what to do; its exceptions become failures.
        items: any iterable; pulled from when a thread is free, by one thread at a time.
        num_threads: at least 1.
        on_result: `on_result(index, item, result, error)`, called after each item, one call at a time, in the
            thread that did it.
        stop: begin no more items at so many failures, or when `stop(failure, failures_so_far)` is true.

    Raises:
        BaseException: what `items`, `on_result` or `stop` raised, or what is no `Exception` from `function`.
    """
    if num_threads < 1:
        raise ValueError(f"num_threads={num_threads} must be at least 1.")
    ledger: Ledger[T, R] = Ledger(iter(items), on_result, stop)
    if num_threads == 1:
        _work(ledger, function)
        return ledger.finish()
    crew = _Crew(ledger, function, num_threads)
    try:
        crew.run()
    except BaseException as error:
        ledger.fail_all(error)
        ledger.cancellation.cancel()
        crew.join(_GRACE_SECONDS)
        raise
    return ledger.finish()


def _work(ledger: Ledger[T, R], function: Callable[[T], R]) -> None:
    """Take items until there are none."""
    context = ledger.context
    while (pulled := ledger.pull()) is not None:
        index, item = pulled
        try:
            value = context.copy().run(function, item)
        except BaseException as error:  # noqa: BLE001 - booked as a failure, or raised in the caller's thread
            ledger.book_failure(index, item, error)
        else:
            ledger.book(index, item, value)


class _Crew:
    """The threads of one map: one to begin with, twice as many while those at work are blocked.

    Threads that do not block only take the interpreter from each other: with eight of them, an evaluation on
    a stub took up to twice as long as with one (measured).
    """

    def __init__(self, ledger: Ledger[Any, Any], function: Callable[[Any], Any], size: int) -> None:
        self._ledger = ledger
        self._function = function
        self._left = size
        self._threads: list[threading.Thread] = []

    def run(self) -> None:
        """Until everything is done; by the caller, who is the one to be interrupted."""
        self._hire(1)
        taken, pause = 0, _LOOK_SECONDS
        while self._left:
            first = self._threads[0]
            first.join(pause)
            if not first.is_alive():  # there was nothing more to begin
                break
            before, taken = taken, len(self._ledger.outcome.results)
            if taken - before <= 2 * len(self._threads):
                self._hire(len(self._threads))
                pause = _LOOK_SECONDS
            else:
                pause = min(2 * pause, _LONGEST_LOOK_SECONDS)
        self.join(None)

    def _hire(self, count: int) -> None:
        for _ in range(min(count, self._left)):
            self._left -= 1
            thread = threading.Thread(
                target=_work, args=(self._ledger, self._function), name="telic-worker", daemon=True
            )
            thread.start()
            self._threads.append(thread)

    def join(self, seconds: float | None) -> None:
        """Wait for all."""
        until = None if seconds is None else monotonic() + seconds
        while self._threads:
            thread = self._threads[-1]
            thread.join(None if until is None else max(0.0, until - monotonic()))
            if until is not None and monotonic() >= until:
                return
            self._threads.remove(thread)


async def abounded_map(
    function: Callable[[T], Awaitable[V]],
    items: Iterable[T],
    *,
    limit: int,
    then: Callable[[T, V], R] | None = None,
    num_threads: int = 8,
    on_result: OnResult[T, R] | None = None,
    stop: Stop[T] = None,
) -> Outcome[T, R]:
    """Await `function` on every item, at most `limit` at a time; optionally finish each in a thread.

    Args:
        function: a coroutine function; its exceptions become failures.
        items: any iterable; pulled from when a place is free.
        limit: coroutines in flight, at least 1.
        then: `then(item, value)` makes the result out of what `function` gave. It may block: it runs on up
            to `num_threads` threads, in the context the coroutine left behind. A finished coroutine gives its
            place to the next item without waiting for it, up to a backlog of `limit + num_threads`.
        num_threads: most threads for `then`; as many are started as it turns out to need.
        on_result: `on_result(index, item, result, error)`, called after each item, one call at a time; on a
            thread of `then` where there is one, else on the loop, where it must not block.
        stop: as in `bounded_map`.
    """
    if limit < 1:
        raise ValueError(f"limit={limit} must be at least 1.")
    ledger: Ledger[T, Any] = Ledger(iter(items), on_result, stop)
    flight = _Flight(ledger, function, limit)
    if then is not None:
        from telic.runtime.stage import BlockingStage

        flight.stage = BlockingStage(
            _finisher(ledger, then),
            num_threads=num_threads,
            capacity=limit + num_threads,
            on_room=flight.fill,
        )
    try:
        with expecting(limit):
            await flight.run()
    except BaseException as error:
        ledger.fail_all(error)
        ledger.cancellation.cancel()
        await flight.cancel()
        raise
    finally:
        if flight.stage is not None:
            flight.stage.close()
    return ledger.finish()


def _finisher(ledger: Ledger[T, R], then: Callable[[T, V], R]) -> Callable[[int, T, V], None]:
    def finish(index: int, item: T, value: V) -> None:
        try:
            result = then(item, value)
        except BaseException as error:  # noqa: BLE001 - booked as a failure, or raised in the caller's task
            ledger.book_failure(index, item, error)
        else:
            ledger.book(index, item, result)

    return finish


class _Flight:
    """The coroutines of one map: each, when it ends, begins the next."""

    def __init__(
        self, ledger: Ledger[Any, Any], function: Callable[[Any], Awaitable[Any]], limit: int
    ) -> None:
        import asyncio

        self.stage: BlockingStage | None = None
        self._loop = asyncio.get_running_loop()
        self._ledger = ledger
        self._function = function
        self._limit = limit
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._landed: asyncio.Future[None] = self._loop.create_future()

    async def run(self) -> None:
        """Until everything has landed."""
        self.fill()
        await self._landed

    async def cancel(self) -> None:
        """Cancel what is in flight, and wait for it."""
        import asyncio

        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def fill(self) -> None:
        """Begin items while there is room; on the loop."""
        ledger, stage, tasks = self._ledger, self.stage, self._tasks
        while len(tasks) < self._limit:
            if stage is not None and stage.full:
                return
            pulled = ledger.pull()
            if pulled is None:
                self._land()
                return
            index, item = pulled
            tasks[index] = self._loop.create_task(self._one(index, item), context=ledger.context.copy())

    def _land(self) -> None:
        """There is nothing left to begin: all is done once nothing is in flight or in the stage."""
        stage = self.stage
        if not self._tasks and (stage is None or stage.empty) and not self._landed.done():
            self._landed.set_result(None)

    async def _one(self, index: int, item: Any) -> None:
        ledger, stage = self._ledger, self.stage
        try:
            value = await self._function(item)
        except BaseException as error:  # noqa: BLE001 - booked as a failure, or raised in the caller's task
            ledger.book_failure(index, item, error)
        else:
            if stage is None:
                ledger.book(index, item, value)
            else:
                stage.put(index, item, value)
        self._tasks.pop(index, None)
        self.fill()
