"""From any thread to one coroutine: what is put in comes out in order, without a thread that waits."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class End:
    """The last thing in a pipe or queue.

    Args:
        error: why there is no more, if it is not simply all.
    """

    __slots__ = ("error",)

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class Pipe(Generic[T]):
    """Made by the coroutine that reads it, on its loop; `async for item in pipe` ends with `close`.

    It has no bound: what writes into it does not wait for what reads.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._items: deque[Any] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._woken = False

    def put(self, item: T) -> None:
        """Add an item; from any thread."""
        self._add(item)

    def close(self, error: BaseException | None = None) -> None:
        """Say that this is all, or why there is no more; from any thread."""
        self._add(End(error))

    def _add(self, item: Any) -> None:
        self._items.append(item)
        if not self._woken:  # many items share one wake-up
            self._woken = True
            with suppress(RuntimeError):  # the loop is closed: nobody reads any more
                self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        self._woken = False  # first: what is added from here on may need its own wake-up
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def __aiter__(self) -> Pipe[T]:
        return self

    async def __anext__(self) -> T:
        while not self._items:
            self._waiter = self._loop.create_future()
            await self._waiter
        item = self._items.popleft()
        if isinstance(item, End):
            self._items.append(item)  # whoever asks again is told the same
            if item.error is not None:
                raise item.error
            raise StopAsyncIteration
        value: T = item
        return value
