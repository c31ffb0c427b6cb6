"""What coroutines write in one turn of their loop, gathered, so that it costs one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from telic.store.writer import Action, Operation


class Tray:
    """Holds what is to be written until the tasks that are ready now have had their turn.

    Args:
        commit: writes a batch, and tells each of its operations; called on the loop.
    """

    def __init__(self, commit: Callable[[list[Operation]], None]) -> None:
        self._commit = commit
        self._batches: dict[asyncio.AbstractEventLoop, list[Operation]] = {}

    async def write(self, action: Action) -> Any:
        """Have `action(connection)`, one statement, done; its result once it is durable. Cancelled, it still
        writes.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        operation = Operation(action, loop, future)
        batch = self._batches.get(loop)
        if batch is None:
            self._batches[loop] = [operation]
            loop.call_soon(self._empty, loop)
        else:
            batch.append(operation)
        return await future

    def remains(self) -> list[Operation]:
        """Take what lies here because its loop stopped turning."""
        left: list[Operation] = []
        while self._batches:
            left += self._batches.popitem()[1]
        return left

    def _empty(self, loop: asyncio.AbstractEventLoop) -> None:
        batch = self._batches.pop(loop, None)
        if batch:
            self._commit(batch)
