"""From the body that came back to a response. Pure: nothing here knows about connections."""

from __future__ import annotations

from typing import Any

from telic.types import Choice, Usage

_REASONS = {
    "eos": "stop",
    "eos_token": "stop",
    "stop_sequence": "stop",
    "end_turn": "stop",
    "max_tokens": "length",
    "max_output_tokens": "length",
    "model_length": "length",
    "function_call": "tool_calls",
}


def choices_of(payload: dict[str, Any]) -> tuple[Choice, ...]:
    """Read the choices of a chat or text completion.

    Raises:
        KeyError, TypeError, AttributeError, IndexError: the body is not of that shape.
    """
    return tuple([_choice(row) for row in payload["choices"]])


def _choice(row: dict[str, Any]) -> Choice:
    reason = row.get("finish_reason") or "stop"
    reason = _REASONS.get(reason, reason)
    message = row.get("message")
    if message is None:
        return Choice(row["text"], reason, (), None, row.get("logprobs"))
    text = message.get("content")
    reasoning = message.get("reasoning_content") or message.get("reasoning")
    if isinstance(text, list):
        text, thought = _join(text)
        reasoning = reasoning or thought
    calls = message.get("tool_calls")
    if text is None and not calls:
        text = message.get("refusal") or ""
    return Choice(
        text,
        reason,
        tuple(calls) if calls else (),
        reasoning if isinstance(reasoning, str) else None,
        row.get("logprobs"),
    )


def _join(parts: list[Any]) -> tuple[str, str | None]:
    """Content that came as a list of parts: the text of it, and the thinking."""
    text: list[str] = []
    thought: list[str] = []
    for part in parts:
        if part.get("type") == "text":
            text.append(part.get("text") or "")
        elif part.get("type") == "thinking":
            inner = part.get("thinking") or ""
            thought.append(inner if isinstance(inner, str) else _join(inner)[0])
    return "".join(text), "".join(thought) or None


def usage_of(payload: dict[str, Any]) -> Usage | None:
    """Read the token counts; `None` where the server gave none."""
    row = payload.get("usage")
    if not row:
        return None
    details = row.get("prompt_tokens_details")
    # DeepSeek tells cache hits under a name of its own.
    cached = details.get("cached_tokens") if details else row.get("prompt_cache_hit_tokens")
    return Usage(row.get("prompt_tokens") or 0, row.get("completion_tokens") or 0, cached)
