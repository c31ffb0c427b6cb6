"""A scripted LM for tests: answers by a function of the last user message, and counts what it is asked."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from telic.lm.base import BaseLM


def completion(text: str, prompt_tokens: int = 7, completion_tokens: int = 3) -> Any:
    """An OpenAI-shaped chat completion."""
    message = SimpleNamespace(content=text, tool_calls=None)
    usage = SimpleNamespace(prompt_tokens=prompt_tokens, completion_tokens=completion_tokens)
    choice = SimpleNamespace(message=message, finish_reason="stop")
    return SimpleNamespace(choices=[choice], usage=usage, model="scripted")


class ScriptedLM(BaseLM):
    """Answers with `reply(last user message)`; a list of texts is used up in turn."""

    def __init__(self, reply: Callable[[str], str] | list[str], **kwargs: Any) -> None:
        super().__init__("scripted/model", **kwargs)
        self._reply = reply
        self._lock = threading.Lock()
        self.asked: list[list[dict[str, Any]]] = []

    def forward(self, prompt: str | None = None, messages: Any = None, **kwargs: Any) -> Any:
        with self._lock:
            self.asked.append(list(messages or [{"role": "user", "content": prompt}]))
            text = self._reply.pop(0) if isinstance(self._reply, list) else None
        if text is None:
            text = self._reply(self.asked[-1][-1]["content"])  # type: ignore[operator]
        return completion(text)

    async def aforward(self, prompt: str | None = None, messages: Any = None, **kwargs: Any) -> Any:
        return self.forward(prompt, messages, **kwargs)


class RecordedLM(ScriptedLM):
    """The same, of a class whose answers are recorded in the store."""

    recorded = True


def chat(**fields: Any) -> str:
    """An answer in the chat adapter's form."""
    return "\n\n".join(f"[[ ## {k} ## ]]\n{v}" for k, v in fields.items()) + "\n\n[[ ## completed ## ]]"
