"""The door from threads to coroutines: one event loop in a daemon thread of this process.

Network calls of all threads share this loop, and with it one connection pool and one rate limiter. `run`
blocks the calling thread until the coroutine is done; `submit` gives a future. The coroutine sees the
caller's context (settings, scope), whatever thread or loop the caller is in.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from contextvars import Context, copy_context
from typing import Any, TypeVar

from telic.runtime import cancel

R = TypeVar("R")

_EXIT_SECONDS = 5.0
"""How long the end of the process waits for coroutines that were cancelled and do not end."""


class _Call:
    """A coroutine on its way through the portal."""

    __slots__ = ("cancelled", "context", "coroutine", "ended", "error", "finish", "portal", "task", "value")

    def __init__(
        self, portal: Portal, coroutine: Coroutine[Any, Any, Any], finish: Callable[[], Any]
    ) -> None:
        self.portal = portal
        self.coroutine = coroutine
        self.context: Context = copy_context()
        self.finish = finish
        self.task: asyncio.Task[None] | None = None
        self.value: Any = None
        self.error: BaseException | None = None
        self.cancelled = False
        self.ended = False

    async def drive(self) -> None:
        """Await the coroutine; every outcome, `SystemExit` too, belongs to the caller and not to the loop."""
        try:
            self.value = await self.coroutine
        except BaseException as error:  # noqa: BLE001 - handed to the caller, who raises it
            self.error = error
        self.end()

    def end(self) -> None:
        """Tell the caller."""
        self.ended = True
        self.portal._running.discard(self)
        self.task = None
        self.finish()

    def turn(self) -> None:
        """On the loop: begin, or be cancelled."""
        if self.ended:
            return
        loop = asyncio.get_running_loop()
        if self.task is None:
            self.portal._running.add(self)  # the loop itself holds tasks only weakly
            self.task = loop.create_task(self.drive(), context=self.context)
        if self.cancelled:
            self.cancelled = False  # once only: a second one would break into the coroutine's own cleaning up
            loop.call_soon(self.task.cancel)  # a turn later: `drive` must have begun in order to end

    def cancel(self) -> None:
        """From any thread: cancel the coroutine."""
        if not self.ended:
            self.cancelled = True
            self.portal._post(self)

    def abandon(self) -> None:
        """The loop is gone: fail what never began."""
        if not self.ended:
            self.coroutine.close()
            self.error = RuntimeError("telic's event loop was shut down before this call began.")
            self.end()

    def outcome(self) -> Any:
        """The value, or raise what the coroutine raised."""
        if self.error is None:
            return self.value
        error, self.error = self.error, None
        try:
            raise error
        finally:
            del error, self  # the traceback holds this frame: leave no cycle behind


class Portal:
    """One loop thread per process, started at the first use; a forked child gets its own."""

    def __init__(self) -> None:
        self._reset()

    def _reset(self) -> None:
        self._start = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._ident: int | None = None
        self._inbox: deque[_Call] = deque()
        self._woken = False
        self._running: set[_Call] = set()
        self._hooks: list[Callable[[], Awaitable[Any]]] = []

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop; starts its thread if need be."""
        loop = self._loop
        if loop is None:
            with self._start:
                loop = self._loop or self._launch()
        return loop

    @property
    def inside(self) -> bool:
        """Whether the caller is in the loop's own thread, where blocking would stop everything."""
        return threading.get_ident() == self._ident

    def run(self, coroutine: Coroutine[Any, Any, R]) -> R:
        """Run a coroutine on the loop and wait for it here; raises what it raises.

        Ctrl-C, or the cancellation of the surrounding `bounded_map`, cancels the coroutine.

        Raises:
            RuntimeError: called from a coroutine that itself runs on this loop.
        """
        if threading.get_ident() == self._ident:
            coroutine.close()
            raise RuntimeError(
                "A blocking telic call was made from a coroutine that runs on telic's own event loop, which "
                "it would stop. Use the async form there: `await program.acall(...)`, or run the blocking "
                "code with `await asyncio.to_thread(...)`."
            )
        done = threading.Lock()
        done.acquire()
        call = _Call(self, coroutine, done.release)
        stop = cancel.current.get()
        self._send(call)
        key = 0 if stop is None else stop.register(call.cancel)
        try:
            done.acquire()
        except BaseException:
            call.cancel()
            done.acquire()  # so that it ends before we go on; another Ctrl-C leaves at once
            raise
        finally:
            if stop is not None:
                stop.forget(key)
        result: R = call.outcome()
        return result

    def submit(self, coroutine: Coroutine[Any, Any, R]) -> Future[R]:
        """Run a coroutine on the loop; cancelling the future cancels it."""
        future: Future[R] = Future()
        call = _Call(self, coroutine, lambda: _settle(future, call))
        future.add_done_callback(lambda f: call.cancel() if f.cancelled() else None)
        self._send(call)
        return future

    def at_shutdown(self, hook: Callable[[], Awaitable[Any]]) -> None:
        """Have `hook()` awaited on the loop when the process (or the portal) ends: close sessions there."""
        self._hooks.append(hook)

    def shutdown(self) -> None:
        """Cancel what runs, await the hooks, end the thread. The next use starts a new one."""
        with self._start:
            loop, thread = self._loop, self._thread
            if loop is None or thread is None:
                return
            loop.call_soon_threadsafe(loop.stop)
            thread.join(_EXIT_SECONDS)
            left, self._inbox = self._inbox, deque()
            self._loop = self._thread = self._ident = None
            self._woken = False
        for call in left:
            call.abandon()

    def _send(self, call: _Call) -> None:
        try:
            self._post(call)
        except BaseException:
            call.coroutine.close()
            raise

    def _post(self, call: _Call) -> None:
        """Have the call take its turn on the loop. Many posts, of many threads, share one wake-up."""
        loop = self.loop
        self._inbox.append(call)
        if not self._woken:
            self._woken = True
            loop.call_soon_threadsafe(self._drain)

    def _drain(self) -> None:
        self._woken = False  # first: what is appended from here on may need its own wake-up
        inbox = self._inbox
        while inbox:
            inbox.popleft().turn()

    def _launch(self) -> asyncio.AbstractEventLoop:
        loop = asyncio.new_event_loop()
        ready = threading.Event()
        thread = threading.Thread(target=self._main, args=(loop, ready), name="telic-portal", daemon=True)
        thread.start()
        ready.wait()
        self._thread = thread
        self._ident = thread.ident
        self._loop = loop
        return loop

    def _main(self, loop: asyncio.AbstractEventLoop, ready: threading.Event) -> None:
        asyncio.set_event_loop(loop)
        loop.call_soon(ready.set)
        try:
            loop.run_forever()
        finally:
            try:
                loop.run_until_complete(self._wind_up())
            finally:
                asyncio.set_event_loop(None)
                loop.close()

    async def _wind_up(self) -> None:
        """Cancel every task, then let the owners of connections close them."""
        self._drain()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        hooks, self._hooks = self._hooks, []
        await asyncio.gather(*(hook() for hook in hooks), return_exceptions=True)
        await asyncio.get_running_loop().shutdown_asyncgens()


def _settle(future: Future[Any], call: _Call) -> None:
    error, call.error = call.error, None
    if isinstance(error, asyncio.CancelledError):
        future.cancel()
    if future.set_running_or_notify_cancel():
        if error is None:
            future.set_result(call.value)
        else:
            future.set_exception(error)


portal = Portal()
"""The portal of this process."""
run = portal.run
submit = portal.submit

_left_behind: list[Any] = []


def _after_fork() -> None:
    # The child has the parent's loop but not its thread. The loop must not be closed here: its selector is
    # shared with the parent. So it is kept, unused, and a new one is made when one is needed.
    _left_behind.append((portal._loop, portal._thread))
    portal._reset()


os.register_at_fork(after_in_child=_after_fork)
atexit.register(portal.shutdown)
