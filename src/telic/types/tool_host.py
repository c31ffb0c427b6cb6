"""What a tool needs of the program that it runs in: a way across between sync and async, and who is told.

Types know nothing of the layers below them. The runtime installs its own host, with its one event loop and
its callbacks; without it the standard library does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any


class ToolHost:
    """The host without a runtime. Derive from it and `install_tool_host` an instance."""

    def run(self, tool: Any, start: Callable[[], Awaitable[Any]]) -> Any:
        """Wait for the value of an async tool in sync code.

        Args:
            tool: whose call it is.
            start: makes the awaitable; not called where the host refuses.
        """
        import asyncio
        from concurrent.futures import ThreadPoolExecutor
        from contextvars import copy_context

        async def main() -> Any:
            return await start()

        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(main())
        # A loop runs in this thread already; as any sync call inside a coroutine, this one blocks it.
        with ThreadPoolExecutor(1, "telic-tool") as pool:
            return pool.submit(copy_context().run, lambda: asyncio.run(main())).result()

    async def in_thread(self, tool: Any, function: Callable[[], Any]) -> Any:
        """Call a blocking tool in async code without holding up the loop."""
        import asyncio

        return await asyncio.to_thread(function)

    def around(self, tool: Any, inputs: dict[str, Any]) -> AbstractContextManager[Callable[[Any], None]]:
        """A block around each call; it gives a function that is told the value."""
        return _unobserved()


@contextmanager
def _unobserved() -> Iterator[Callable[[Any], None]]:
    yield _ignore


def _ignore(value: Any) -> None:
    pass


_host = ToolHost()


def tool_host() -> ToolHost:
    """The host in charge."""
    return _host


def install_tool_host(host: ToolHost) -> None:
    """Put `host` in charge of all tools of this process."""
    global _host
    _host = host
