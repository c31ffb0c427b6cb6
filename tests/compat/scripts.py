"""Scripted LMs and servers that DSPy and telic are asked through alike."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.compat.target import dspy

MARKER = re.compile(r"\[\[ ## (\w+) ## \]\]")


def chat(**fields: Any) -> str:
    """An answer in the chat adapter's form."""
    parts = [f"[[ ## {name} ## ]]\n{value}" for name, value in fields.items()]
    return "\n\n".join([*parts, "[[ ## completed ## ]]"])


def dummy(*answers: dict[str, Any], **options: Any) -> Any:
    """A `DummyLM` with answers by field, set as the LM of the settings."""
    lm = dspy.utils.DummyLM(list(answers), **options)
    dspy.configure(lm=lm)
    return lm


@contextmanager
def served(reply: Any, **options: Any) -> Iterator[tuple[Any, Any]]:
    """A local server and an LM that asks it, set as the LM of the settings."""
    from telic.testing import LocalServer

    model = options.pop("model", "openai/gpt-4o-mini")
    settings = options.pop("server", {})
    with LocalServer(reply=reply, **settings) as server:
        given = {"api_base": server.url, "api_key": "key", "cache": False, **options}
        lm = dspy.LM(model, **given)
        with dspy.context(lm=lm):
            yield server, lm


def sent(lm: Any, index: int = -1) -> list[dict[str, Any]]:
    """The messages of a call."""
    messages: list[dict[str, Any]] = lm.history[index]["messages"]
    return messages


def markers(text: str) -> list[str]:
    """Names in markers, in order."""
    return MARKER.findall(text)


def section(text: str, name: str) -> str:
    """What stands under a marker."""
    after = text.split(f"[[ ## {name} ## ]]", 1)[1]
    return MARKER.split(after, maxsplit=1)[0].strip()


def limit(body: dict[str, Any]) -> int | None:
    """Most tokens to write, under either of the names OpenAI takes."""
    found: int | None = body.get("max_tokens") or body.get("max_completion_tokens")
    return found


def native_call(name: str, **arguments: Any) -> dict[str, Any]:
    """A message of a model that calls a tool natively."""
    function = {"name": name, "arguments": json.dumps(arguments)}
    return {"content": None, "tool_calls": [{"id": "c1", "type": "function", "function": function}]}
