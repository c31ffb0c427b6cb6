"""What models say that call tools, natively and in text, and a server on which they say it."""

from __future__ import annotations

import json
import threading
from types import SimpleNamespace

import telic
from telic.errors import ContextWindowExceededError
from telic.lm.base import BaseLM
from telic.testing import LocalServer
from tests.scripted import chat


def calls(*wanted):
    """A message of a model that calls tools natively."""
    made = [
        {"id": f"c{n}", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
        for n, (name, arguments) in enumerate(wanted)
    ]
    return {"content": None, "tool_calls": made}


def call(name, **arguments):
    return calls((name, arguments))


def said(*wanted):
    """The same in text."""
    made = [{"name": name, "args": arguments} for name, arguments in wanted]
    return chat(next_thought="so", tool_calls=json.dumps({"tool_calls": made}))


class Served:
    """A server with replies, and an LM that asks it."""

    def __init__(self, *replies):
        self.server = LocalServer(list(replies))

    def __enter__(self):
        self.server.start()
        self.lm = telic.LM("openai/gpt-4o", api_base=self.server.url, api_key="k", cache=False, num_retries=0)
        self.context = telic.context(lm=self.lm)
        self.context.__enter__()
        return self

    def __exit__(self, *error):
        self.context.__exit__(*error)
        self.server.stop()

    @property
    def messages(self):
        return [body["messages"] for body in self.server.bodies]


class CallingLM(BaseLM):
    """Has native calls, and says what it is told to; reads at most `window` words of prompt."""

    supports_function_calling = True

    def __init__(self, replies, window=None, counts=False):
        super().__init__("scripted/calling")
        self.replies = list(replies)
        self.window = window
        self.context_window = window if counts else None
        self.asked = []
        self._lock = threading.Lock()

    def count_tokens(self, request):
        return None if self.context_window is None else words(request.messages)

    def forward(self, prompt=None, messages=None, **kwargs):
        with self._lock:
            if self.window is not None and words(messages) >= self.window:
                raise ContextWindowExceededError(model=self.model)
            self.asked.append(messages)
            reply = self.replies.pop(0)
        message = {"content": reply, "tool_calls": None} if isinstance(reply, str) else reply
        return SimpleNamespace(
            choices=[SimpleNamespace(message=SimpleNamespace(**message), finish_reason="stop")],
            usage=SimpleNamespace(prompt_tokens=7, completion_tokens=3),
            model=self.model,
        )

    async def aforward(self, prompt=None, messages=None, **kwargs):
        return self.forward(prompt, messages, **kwargs)


def words(messages):
    """How many words messages have."""
    return sum(len(str(m["content"]).split()) + 5 * len(m.get("tool_calls") or ()) for m in messages)
