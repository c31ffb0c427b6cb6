"""How fast an endpoint may be asked: an adaptive limit, shared by all threads and loops.

As long as nobody is told to slow down there is no limit and `enter` is a counter. The first "too many
requests" pauses the endpoint for as long as the server asks and cuts the number of requests in flight;
refusals of others that were already under way narrow it further, to as many as the server did take. Answers
widen it again, quickly up to what went well before and slowly beyond; a minute without complaint removes it.
This is how TCP finds its rate (additive increase, multiplicative decrease), with CUBIC's gentler cut.
"""

from __future__ import annotations

import asyncio
import os
import random
import threading
from collections import deque
from hashlib import blake2b
from time import monotonic

CUT = 0.7
"""What is left of the window after a refusal."""
KNOWN_GOOD = 0.85
"""Share of the window before the cut, up to which it widens quickly again."""
QUICK = 0.25
"""Places that each answer adds up to there; beyond, it takes a whole round of answers to add one."""
FORGIVEN_AFTER = 60.0
"""Seconds without a complaint after which there is no limit any more."""
SPREAD = 0.25
"""Requests that a pause holds back start within this share of it (at most a second) after its end."""

_Waiter = tuple[asyncio.AbstractEventLoop, "asyncio.Future[None]"]


class Limiter:
    """The limit of one endpoint and key.

    Attributes:
        in_flight: requests under way.
        window: most requests under way; `None` is no limit.
        paused_until: no request starts before this time (`time.monotonic`).
        throttled: how often the server asked to slow down.
    """

    def __init__(self) -> None:
        self.in_flight = 0
        self.window: float | None = None
        self.paused_until = 0.0
        self.throttled = 0
        self._cut_at = 0.0
        self._peak = 0
        self._burst = 0.0
        self._known_good = 0.0
        self._waiting: deque[_Waiter] = deque()
        self._lock = threading.Lock()

    def enter_now(self) -> float | None:
        """`enter` for a request that has nothing to wait for; `None`, and no place, for one that has."""
        with self._lock:
            now = monotonic()
            if now < self.paused_until or not (self.window is None or self.in_flight < self.window):
                return None
            self._count()
            return now

    async def enter(self, *, first: bool = False) -> float:
        """Wait until a request may start.

        Args:
            first: go before those who wait already, as a request that was sent back does.

        Returns:
            When it started; `throttle` is told this.
        """
        while True:
            with self._lock:
                now = monotonic()
                pause = self.paused_until - now
                if pause <= 0 and (self.window is None or self.in_flight < self.window):
                    self._count()
                    return now
                waiter = None
                if pause <= 0:
                    loop = asyncio.get_running_loop()
                    waiter = loop.create_future()
                    (self._waiting.appendleft if first else self._waiting.append)((loop, waiter))
            if waiter is None:
                await asyncio.sleep(pause + random.random() * min(1.0, pause * SPREAD))
            else:
                await self._granted(waiter)
                if self.paused_until <= monotonic():
                    return monotonic()
                self.leave()

    async def _granted(self, waiter: asyncio.Future[None]) -> None:
        try:
            await waiter
        except asyncio.CancelledError:
            with self._lock:
                granted = not self._forget(waiter)
            if granted:
                self.leave()
            raise

    def _forget(self, waiter: asyncio.Future[None]) -> bool:
        """Take `waiter` out of the queue; whether it was still there."""
        for entry in self._waiting:
            if entry[1] is waiter:
                self._waiting.remove(entry)
                return True
        return False

    def leave(self, *, answered: bool = False) -> None:
        """Say that a request ended; an answer widens the window."""
        with self._lock:
            self.in_flight -= 1
            if not self.in_flight:
                self._peak = 0
            if self.window is not None:
                if answered:
                    self._widen(self.window)
                self._admit()

    def throttle(self, started: float, pause: float) -> None:
        """Say that the server refused a request for coming too fast; said before `leave`.

        Args:
            started: what `enter` returned for it.
            pause: seconds to keep still.
        """
        with self._lock:
            now = monotonic()
            self.throttled += 1
            self.paused_until = max(self.paused_until, now + pause)
            if started >= self._cut_at or self.window is None:
                self._cut_at = now
                self._burst = self._peak if self.window is None else min(self.window, self._peak)
                self._peak = self.in_flight
                self._known_good = self._burst * KNOWN_GOOD
                self.window = self._burst * CUT
            # Those of the burst that were not refused are what the server takes at once.
            self._burst -= 1
            self.window = max(1.0, min(self.window, self._burst))

    def reset(self) -> None:
        """Forget what was under way; for a forked child, whose requests these are not."""
        self._lock = threading.Lock()
        self._waiting.clear()
        self.in_flight = 0

    def _count(self) -> None:
        self.in_flight += 1
        if self.in_flight > self._peak:
            self._peak = self.in_flight

    def _widen(self, window: float) -> None:
        # Beyond what is known, a twentieth per round of answers, so that wide windows are explored soon, too.
        self.window = window + (QUICK if window < self._known_good else max(1.0, window / 20) / window)
        if monotonic() - self._cut_at > FORGIVEN_AFTER:
            self.window = None

    def _admit(self) -> None:
        """Hand free places to those who wait; called under the lock."""
        while self._waiting and (self.window is None or self.in_flight < self.window):
            loop, waiter = self._waiting.popleft()
            self._count()
            try:
                loop.call_soon_threadsafe(_wake, waiter)
            except RuntimeError:  # that loop was closed while its task waited
                self.in_flight -= 1


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


_limiters: dict[tuple[str, str], Limiter] = {}
_registry = threading.Lock()


def _after_fork() -> None:
    global _registry
    _registry = threading.Lock()
    for limiter in _limiters.values():
        limiter.reset()


os.register_at_fork(after_in_child=_after_fork)


def limiter_for(endpoint: str, key: str | None) -> Limiter:
    """The one limiter of an endpoint and key (of which only a hash is kept)."""
    name = (endpoint, blake2b((key or "").encode(), digest_size=8).hexdigest())
    with _registry:
        return _limiters.setdefault(name, Limiter())
