"""How much a request may take, before it is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from telic.types import Request, Response, Usage

_BYTES_PER_TOKEN = 3
"""Fewer than models need (about 4 for English text), so that the estimate lies above the truth."""
_TOKENS_PER_MESSAGE = 8
_TOKENS_PER_MEDIUM = 1_000


def prompt_tokens(request: Request) -> int:
    """Tokens of the prompt, estimated from its length; nearly always too many rather than too few."""
    if request.prompt is not None:
        return _tokens(request.prompt) + 1
    total = sum(_message_tokens(message) for message in request.messages or ())
    tools = request.params.get("tools")
    return total + (_tokens(repr(tools)) if tools else 0)


def answer_cap(request: Request) -> int | None:
    """Most tokens that all answers together can have, where the request says so."""
    cap = request.params.get("max_completion_tokens") or request.params.get("max_tokens")
    return int(cap) * answers(request) if cap else None


def answers(request: Request) -> int:
    """How many answers the request asks for."""
    return int(request.params.get("n") or 1)


def usage_of(request: Request, response: Response) -> Usage:
    """What the engine said it took, or, where it said nothing, an estimate from the texts."""
    if response.usage.total_tokens:
        return response.usage
    written = sum(_tokens(choice.text or "") + _tokens(choice.reasoning or "") for choice in response.choices)
    return Usage(prompt_tokens(request), written)


def _message_tokens(message: Mapping[str, Any]) -> int:
    content = message.get("content")
    if isinstance(content, str):
        tokens = _tokens(content)
    else:
        tokens = sum(
            _tokens(part["text"]) if isinstance(part.get("text"), str) else _TOKENS_PER_MEDIUM
            for part in content or ()
        )
    calls = message.get("tool_calls")
    return tokens + _TOKENS_PER_MESSAGE + (_tokens(repr(calls)) if calls else 0)


def _tokens(text: str) -> int:
    size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
    return -(-size // _BYTES_PER_TOKEN)
