"""Single flight: of many callers with one key at the same time, one does the work and all get its result.

Across threads and event loops. The first caller of a key *leads*; the others follow. What the leader raises
reaches its followers as an error of their own, unless it concerns the leader alone (it was cancelled,
interrupted or out of budget): then a follower takes its place. Nobody waits for somebody whom that would
hold up.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from weakref import WeakSet

from telic.errors import BudgetExceededError, TelicError
from telic.runtime.steps import Steps

if TYPE_CHECKING:
    import asyncio

R = TypeVar("R")

_PULSE_SECONDS = 1.0
"""How long a follower waits before it makes sure that the leader's loop still turns."""

_AGAIN = object()
"""The leader gave up for reasons of its own."""
_ALONE = object()
"""Waiting for the leader could last forever."""

_leading: ContextVar[tuple[tuple[int, str], ...]] = ContextVar("telic_flights", default=())


class SingleFlight(Generic[R]):
    """The flights under way, by key."""

    def __init__(self) -> None:
        self._reset()
        _all.add(self)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._flights: dict[str, _Flight] = {}

    def fly(self, key: str, work: Callable[[], Steps[R]]) -> Steps[R]:
        """A pipeline that yields what `work()` yields, or waits for somebody who does the same work already.

        Between looking into a cache and coming here another may have landed, so `work` should look there
        once more; and it should have recorded its result when it ends.
        """
        name = (id(self), key)
        while name not in (leading := _leading.get()):
            with self._lock:
                flight = self._flights.get(key)
                if flight is None:
                    mine = self._flights[key] = _Flight()
            if flight is None:
                return (yield from self._lead(key, mine, work, (*leading, name)))
            result = yield flight
            if result is _ALONE:
                break
            if result is not _AGAIN:
                landed: R = result
                return landed
        return (yield from work())

    def _lead(
        self, key: str, flight: _Flight, work: Callable[[], Steps[R]], leading: tuple[tuple[int, str], ...]
    ) -> Steps[R]:
        _leading.set(leading)
        try:
            result = yield from work()
        except BaseException as error:
            self._land(key, flight, _AGAIN if _concerns_leader_only(error) else None, error)
            if not isinstance(error, GeneratorExit):  # that one may come in a context that is not ours
                _leading.set(leading[:-1])
            raise
        self._land(key, flight, result, None)
        _leading.set(leading[:-1])
        return result

    def _land(self, key: str, flight: _Flight, result: Any, error: BaseException | None) -> None:
        with self._lock:
            if self._flights.get(key) is flight:
                del self._flights[key]
        flight.land(result, error)

    def __len__(self) -> int:
        return len(self._flights)


class _Flight:
    """Work under way; for followers a step, whose outcome is the leader's result, `_AGAIN` or `_ALONE`."""

    __slots__ = ("_error", "_landed", "_lock", "_loop", "_result", "_thread", "_wakers")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wakers: list[Callable[[], None]] = []
        self._landed = False
        self._result: Any = None
        self._error: BaseException | None = None
        self._thread = threading.get_ident()
        self._loop = _running_loop()

    def land(self, result: Any, error: BaseException | None) -> None:
        """Tell all followers."""
        with self._lock:
            self._result, self._error, self._landed = result, error, True
            wakers, self._wakers = self._wakers, []
        for wake in wakers:
            wake()

    def perform(self) -> Any:
        """Wait in this thread."""
        if self._thread == threading.get_ident() and not self._landed:
            return _ALONE  # the leader, or its loop, runs in the thread that would wait
        arrived = threading.Event()
        self._tell(arrived.set)
        while not arrived.wait(_PULSE_SECONDS):
            beat = self._pulse()
            if beat is not None and not beat.wait(_PULSE_SECONDS) and not arrived.is_set():
                return _ALONE
        return self._outcome()

    async def aperform(self) -> Any:
        """Wait on the running loop."""
        import asyncio

        loop = asyncio.get_running_loop()
        if self._thread == threading.get_ident() and self._loop is not loop and not self._landed:
            return _ALONE  # the leader is further down in this thread's stack
        arrived: asyncio.Future[None] = loop.create_future()
        self._tell(lambda: _wake_on(loop, arrived))
        while not (await asyncio.wait((arrived,), timeout=_PULSE_SECONDS))[0]:
            beat = None if self._loop is loop else self._pulse()
            if beat is None:
                continue
            await asyncio.wait((arrived,), timeout=_PULSE_SECONDS)
            if not beat.is_set() and not arrived.done():
                return _ALONE
        return self._outcome()

    def _tell(self, wake: Callable[[], None]) -> None:
        with self._lock:
            if not self._landed:
                self._wakers.append(wake)
                return
        wake()

    def _pulse(self) -> threading.Event | None:
        """An event that the leader's loop will set if it turns; `None` where the leader is a thread."""
        if self._loop is None:
            return None
        beat = threading.Event()
        try:
            self._loop.call_soon_threadsafe(beat.set)
        except RuntimeError:  # the loop is closed: the leader will never land
            return beat
        return beat

    def _outcome(self) -> Any:
        if self._error is None or self._result is _AGAIN:
            return self._result
        if isinstance(self._error, TelicError):
            raise _copy_of(self._error) from self._error
        raise self._error  # somebody else's class: it may hold what no copy would


def _concerns_leader_only(error: BaseException) -> bool:
    return not isinstance(error, Exception) or isinstance(error, BudgetExceededError)


def _copy_of(error: TelicError) -> TelicError:
    """An error of the follower's own, so that neither traceback nor program path get mixed up."""
    kind = type(error)
    copy = kind.__new__(kind)
    copy.args = error.args
    copy.__dict__.update(error.__dict__)
    return copy


def _running_loop() -> asyncio.AbstractEventLoop | None:
    asyncio = sys.modules.get("asyncio")
    return None if asyncio is None else asyncio._get_running_loop()


def _wake_on(loop: asyncio.AbstractEventLoop, arrived: asyncio.Future[None]) -> None:
    def wake() -> None:
        if not arrived.done():
            arrived.set_result(None)

    try:
        loop.call_soon_threadsafe(wake)
    except RuntimeError:  # the follower's loop is closed: nobody waits any more
        return


_all: WeakSet[SingleFlight[Any]] = WeakSet()


def _after_fork() -> None:
    for flights in list(_all):  # the leaders stayed in the parent
        flights._reset()


os.register_at_fork(after_in_child=_after_fork)
