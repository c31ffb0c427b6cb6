"""Blocking functions beside an event loop, each in a thread of its own; and coroutines for blocking code."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import Context, copy_context
from typing import Any, TypeVar

from telic.runtime import cancel
from telic.runtime.portal import portal

R = TypeVar("R")


async def in_thread(function: Callable[..., R], *args: Any, **kwargs: Any) -> R:
    """Call `function` in a new thread, in a copy of the caller's context, and await what comes of it.

    Unlike `asyncio.to_thread` it needs no free place in a pool, and cancelling it wakes what blocks on the
    portal in there: requests are stopped, and the thread ends as soon as `function` lets it.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[R] = loop.create_future()
    context = copy_context()
    stop = cancel.Cancellation(cancel.current.get())

    def deliver(value: Any, error: BaseException | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(value)
        elif isinstance(error, StopIteration):  # a future cannot hold it
            future.set_exception(RuntimeError(f"{function!r} raised StopIteration"))
        else:
            future.set_exception(error)

    def told(value: Any, error: BaseException | None) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(deliver, value, error)

    begin(lambda: function(*args, **kwargs), told, context, stop)
    try:
        return await future
    finally:
        stop.cancel()
        stop.close()


def await_here(coroutine: Coroutine[Any, Any, R]) -> R:
    """Wait for a coroutine in this thread, which may run a loop of its own; raises what it raises.

    It runs on the portal's loop; where that is the one that waits, on a new loop in a new thread.
    """
    if not portal.inside:
        return portal.run(coroutine)
    outcome: list[Any] = []
    done = threading.Event()

    def told(value: Any, error: BaseException | None) -> None:
        outcome.extend((value, error))
        done.set()

    stop = cancel.Cancellation(cancel.current.get())
    begin(lambda: asyncio.run(coroutine), told, copy_context(), stop)
    done.wait()
    stop.close()
    if outcome[1] is not None:
        raise outcome[1]
    value: R = outcome[0]
    return value


def begin(
    function: Callable[[], Any],
    told: Callable[[Any, BaseException | None], None],
    context: Context,
    stop: cancel.Cancellation,
) -> None:
    """Start a thread that calls `function` in `context` and tells what came of it.

    Args:
        function: what to do.
        told: called in the thread with its value and `None`, or `None` and what it raised.
        context: not in use anywhere else.
        stop: what cancels calls that block on the portal.
    """

    def work() -> None:
        cancel.current.set(stop)
        try:
            value = function()
        except BaseException as error:  # noqa: BLE001 - handed to whoever waits for it
            told(None, error)
        else:
            told(value, None)

    threading.Thread(target=context.run, args=(work,), name="telic-program", daemon=True).start()
