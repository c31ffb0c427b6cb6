"""Status messages: what a streamed program tells about what it is doing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from telic.runtime.events import BaseCallback
from telic.streaming.messages import StatusMessage


class StatusMessageProvider:
    """Derive from it and return a text where you want a status message, `None` where not.

    As it is, it tells of tools that a model has called.
    """

    def tool_start_status_message(self, instance: Any, inputs: dict[str, Any]) -> str | None:
        """A tool is about to be called with `inputs`."""
        return f"Calling tool {getattr(instance, 'name', instance)}..."

    def tool_end_status_message(self, outputs: Any) -> str | None:
        """A tool returned."""
        return "Tool calling finished! Querying the LLM with tool calling results..."

    def module_start_status_message(self, instance: Any, inputs: dict[str, Any]) -> str | None:
        """A module or predictor is about to run; `inputs` has `args` and `kwargs`."""
        return None

    def module_end_status_message(self, outputs: Any) -> str | None:
        """A module or predictor returned."""
        return None

    def lm_start_status_message(self, instance: Any, inputs: dict[str, Any]) -> str | None:
        """An LM is about to be asked; `inputs` has `prompt`, `messages` and `kwargs`."""
        return None

    def lm_end_status_message(self, outputs: Any) -> str | None:
        """An LM answered."""
        return None


FINISH = "finish"
"""The name of the tool by which an agent ends; no work is done in it, so it is not told of."""


class StatusCallback(BaseCallback):
    """Turns calls into status messages.

    Args:
        provider: gives the texts.
        emit: called with each `StatusMessage`, from any thread.
    """

    def __init__(self, provider: StatusMessageProvider, emit: Callable[[StatusMessage], None]) -> None:
        self._provider = provider
        self._emit = emit
        self._ending: set[str] = set()

    def _say(self, text: str | None) -> None:
        if text:
            self._emit(StatusMessage(text))

    def on_tool_start(self, call_id: str, instance: Any, inputs: dict[str, Any]) -> None:
        """Tell of it."""
        if getattr(instance, "name", None) == FINISH:
            self._ending.add(call_id)
            return
        self._say(self._provider.tool_start_status_message(instance, inputs))

    def on_tool_end(self, call_id: str, outputs: Any, exception: BaseException | None = None) -> None:
        """Tell of it."""
        if call_id in self._ending:
            self._ending.discard(call_id)
            return
        self._say(self._provider.tool_end_status_message(outputs))

    def on_module_start(self, call_id: str, instance: Any, inputs: dict[str, Any]) -> None:
        """Tell of it."""
        self._say(self._provider.module_start_status_message(instance, inputs))

    def on_module_end(self, call_id: str, outputs: Any, exception: BaseException | None = None) -> None:
        """Tell of it."""
        self._say(self._provider.module_end_status_message(outputs))

    def on_lm_start(self, call_id: str, instance: Any, inputs: dict[str, Any]) -> None:
        """Tell of it."""
        self._say(self._provider.lm_start_status_message(instance, inputs))

    def on_lm_end(self, call_id: str, outputs: Any, exception: BaseException | None = None) -> None:
        """Tell of it."""
        self._say(self._provider.lm_end_status_message(outputs))
