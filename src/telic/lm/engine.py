"""What an engine is: from a request to a response, one method each way."""

from __future__ import annotations

from typing import Protocol

from telic.types import Capabilities, Request, Response


class Engine(Protocol):
    """Asks one model. Retries, rate limits and error mapping are the engine's; caching, budgets and history
    are not.

    An engine may also have `stream(request) -> AsyncIterator[Chunk]`, an async generator that gives the
    answer as it is written. It tries again only before the first chunk; closing it stops the request.
    """

    @property
    def endpoint(self) -> str:
        """Who answers, part of every request's key: base URL or weights hash; no secret."""
        ...

    @property
    def native_async(self) -> bool:
        """Whether `acomplete` waits on a network or a queue, so that coroutines serve it better than
        threads.
        """
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What the model can do."""
        ...

    def complete(self, request: Request) -> Response:
        """Ask, blocking. Raises only errors of `telic.errors` (and `KeyboardInterrupt`)."""
        ...

    async def acomplete(self, request: Request) -> Response:
        """Ask, on the running loop. Cancelling the task stops the request."""
        ...

    def count_tokens(self, request: Request) -> int | None:
        """Exact number of prompt tokens, where the engine can tell without a call; else `None`."""
        ...

    def close(self) -> None:
        """Release what is held; the engine may be used again afterwards."""
        ...
