"""Tools in a running program: async ones on telic's loop from sync code, each call told to the callbacks.

Importing this module puts the runtime in charge of the tools of the process.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from telic.errors import BudgetExceededError, InputError
from telic.runtime.events import active_callbacks, notify_around
from telic.runtime.portal import portal
from telic.runtime.settings import settings
from telic.runtime.steps import Do
from telic.types.tool import Tool
from telic.types.tool_calls import ToolCalls
from telic.types.tool_host import ToolHost, install_tool_host

__all__ = ["Called", "Tool", "ToolCalls", "calling"]

logger = logging.getLogger("telic")


class RuntimeToolHost(ToolHost):
    """The host of a program under telic's runtime."""

    def run(self, tool: Any, start: Callable[[], Awaitable[Any]]) -> Any:
        """Wait for an async tool on the portal's loop; refused where the settings forbid it."""
        if not settings.allow_tool_async_sync_conversion:
            raise InputError(
                f"The tool '{tool.name}' is async and was called from sync code. Use `await tool.acall(...)` "
                "or allow it with `telic.configure(allow_tool_async_sync_conversion=True)`."
            )
        if portal.inside:  # blocking there would stop everything; a thread with a loop of its own does not
            return super().run(tool, start)

        async def main() -> Any:
            return await start()

        return portal.run(main())

    def around(self, tool: Any, inputs: dict[str, Any]) -> AbstractContextManager[Callable[[Any], None]]:
        """Callbacks are told of the start and the end of each call."""
        callbacks = active_callbacks()
        if not callbacks:
            return super().around(tool, inputs)
        return notify_around(callbacks, "tool", tool, {"kwargs": inputs})


install_tool_host(RuntimeToolHost())


@dataclass(frozen=True, slots=True)
class Called:
    """What came of a tool.

    Attributes:
        value: what it returned.
        error: what it raised, where it did.
    """

    value: Any = None
    error: Exception | None = None

    @property
    def observation(self) -> Any:
        """What an agent is shown: the value as it is now, or what went wrong."""
        if self.error is None:
            return _as_now(self.value)
        return f"Execution error: {type(self.error).__name__}: {self.error}"


def _as_now(value: Any) -> Any:
    """Plain data that the tool does not change any more: what an agent was shown must stay as it was."""
    if type(value) is dict:
        return {key: _as_now(item) for key, item in value.items()}
    if type(value) is list:
        return [_as_now(item) for item in value]
    return value


def calling(tool: Tool, arguments: Mapping[str, Any]) -> Do:
    """The step that calls a tool for an agent; its outcome is a `Called`.

    What the tool raises is logged with its traceback and told to callbacks, and is no end of the program: the
    agent may do something about it. A budget that is spent is no tool's failure, and goes through.
    """

    def act() -> Called:
        try:
            return Called(tool(**arguments))
        except Exception as error:  # noqa: BLE001 - an agent is told; see above
            return _failed(tool, error)

    async def aact() -> Called:
        try:
            return Called(await tool.acall(**arguments))
        except Exception as error:  # noqa: BLE001 - an agent is told; see above
            return _failed(tool, error)

    return Do(act, aact)


def _failed(tool: Tool, error: Exception) -> Called:
    if isinstance(error, BudgetExceededError):
        raise error
    logger.warning("The tool '%s' raised, and the agent is told so.", tool.name, exc_info=error)
    return Called(error=error)
