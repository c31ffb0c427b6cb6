"""An answer that has begun to arrive as server-sent events."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import aiohttp

from telic.errors import LMError
from telic.lm.http.events import Events

DONE = b"[DONE]"
"""What OpenAI's protocol sends as its last event."""


LAST_BYTES_WITHIN = 0.2
"""Seconds to wait after the last event for the end of the body."""


class Incoming:
    """The payloads of a stream, one after the other.

    Args:
        answer: the open response; `None` where `first` is all of it.
        read: makes the payload of an event's data, or raises.
        broken: maps what aiohttp raises.
        first: a payload that is there already.

    Attributes:
        done: the server said that this was all.
    """

    def __init__(
        self,
        answer: aiohttp.ClientResponse | None,
        read: Callable[[bytes], dict[str, Any]],
        broken: Callable[[Exception], LMError],
        first: dict[str, Any] | None = None,
    ) -> None:
        self.done = answer is None
        self._answer = answer
        self._read = read
        self._broken = broken
        self._events = Events()
        self._ready: deque[bytes] = deque()
        self._over = answer is None
        self._first = first

    async def begin(self) -> Incoming:
        """Wait for the first payload, so that a failure before it can still be tried again."""
        self._first = await self._next()
        return self

    async def next(self) -> dict[str, Any] | None:
        """The next payload; `None` after the last.

        Raises:
            LMError: the connection broke, the server reported a failure, or sent what is not JSON.
        """
        if self._first is not None:
            first, self._first = self._first, None
            return first
        return await self._next()

    async def _next(self) -> dict[str, Any] | None:
        while not self._ready:
            if self._over or self._answer is None:
                return None
            await self._fill(self._answer)
        data = self._ready.popleft()
        if data == DONE:
            self.done = self._over = True
            self._ready.clear()
            return None
        return self._read(data)

    async def _fill(self, answer: aiohttp.ClientResponse) -> None:
        try:
            piece = await answer.content.readany()
        except (aiohttp.ClientError, OSError) as error:
            broken = self._broken(error)
        else:
            self._over = not piece
            self._ready.extend(self._events.feed(piece) if piece else self._events.end())
            return
        # Raised out here, because some of aiohttp's errors carry the request's headers, key included.
        raise broken

    async def drain(self) -> None:
        """After the last payload, wait for the end of the body, so that the connection can be used again."""
        if not self.done or self._answer is None or self._answer.content.at_eof():
            return
        with suppress(TimeoutError, aiohttp.ClientError, OSError):
            async with asyncio.timeout(LAST_BYTES_WITHIN):
                await self._answer.content.readany()

    def close(self) -> None:
        """Let the connection go: back into the pool after the end of the body, else closed at once."""
        if self._answer is None:
            return
        if self._answer.content.at_eof():
            self._answer.release()
        else:
            self._answer.close()
