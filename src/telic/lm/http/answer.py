"""From the body that came back to a response. Pure: nothing here knows about connections."""

from __future__ import annotations

from typing import Any

from telic.types import Choice, Usage
from telic.types.chunk import Chunk

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
    reason = _reason(row) or "stop"
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


_KNOWN = frozenset({"role", "content", "reasoning_content", "reasoning", "tool_calls", "refusal"})


def chunks_in(payload: dict[str, Any]) -> list[Chunk]:
    """Read one event of a streamed chat or text completion; an event that adds nothing gives no chunk.

    Raises:
        KeyError, TypeError, AttributeError: the event is not of that shape.
    """
    model = payload.get("model") or ""
    usage = usage_of(payload)
    chunks = [chunk for row in payload.get("choices") or () if (chunk := _chunk(row, model)) is not None]
    if usage is not None:
        chunks.append(Chunk(usage=usage, model=model))
    return chunks


def _chunk(row: dict[str, Any], model: str) -> Chunk | None:
    index = row.get("index") or 0
    if "message" in row:  # a server that does not stream
        whole = _choice(row)
        calls = tuple({"index": number, **call} for number, call in enumerate(whole.tool_calls))
        return Chunk(
            whole.text or "", whole.reasoning, calls, whole.finish_reason, None, index, whole.logprobs, model
        )
    delta = row.get("delta") or {}
    text = delta.get("content") or row.get("text") or delta.get("refusal") or ""
    reasoning = delta.get("reasoning_content") or delta.get("reasoning")
    if isinstance(text, list):
        text, thought = _join(text)
        reasoning = reasoning or thought
    if not isinstance(reasoning, str):
        reasoning = None
    calls = tuple(delta.get("tool_calls") or ())
    reason = _reason(row)
    logprobs = row.get("logprobs")
    extra = {name: value for name, value in delta.items() if name not in _KNOWN and value is not None}
    if not (text or reasoning or calls or reason or logprobs or extra):
        return None
    return Chunk(text, reasoning, calls, reason, None, index, logprobs, model, extra=extra or None)


def _reason(row: dict[str, Any]) -> str | None:
    reason = row.get("finish_reason")
    return _REASONS.get(reason, reason) if reason else None


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
