"""Server-sent events: a scripted answer, piece by piece."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from aiohttp import web

Split: TypeAlias = Callable[[str], Sequence[str]]
"""Cuts a text into the pieces it is streamed in."""

Break: TypeAlias = Literal["truncate", "malformed", "error"]


def words(text: str) -> list[str]:
    """A word at a time, with the space before it."""
    return re.findall(r"\s*\S+\s*\Z|\s*\S+|\s+\Z", text)


async def stream_answer(
    request: web.Request,
    answer: dict[str, Any],
    *,
    chat: bool,
    split: Split = words,
    pace: float = 0.0,
    usage: bool = True,
    broken: Break | None = None,
) -> web.StreamResponse:
    """Send `answer` as OpenAI streams it: deltas, the reason of the end, the usage if asked for, `[DONE]`.

    Args:
        request: who asked.
        answer: a complete answer's body.
        chat: chat completion, else text completion.
        split: cuts texts.
        pace: seconds between two events.
        usage: tell token counts at the end.
        broken: after the first event, end without the rest, send what is not JSON, or report an error.
    """
    from aiohttp import web

    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
    await response.prepare(request)
    for chunk in chunks_of(answer, chat=chat, split=split, usage=usage):
        await response.write(f"data: {json.dumps(chunk)}\n\n".encode())
        if pace:
            await asyncio.sleep(pace)
        if broken == "truncate":
            return response
        if broken == "malformed":
            await response.write(b'data: {"id": "local", "choices": [{"delta": <\n\n')
            return response
        if broken == "error":
            await response.write(b'data: {"error": {"message": "Injected failure.", "code": 503}}\n\n')
            return response
    await response.write(b"data: [DONE]\n\n")
    return response


def chunks_of(
    answer: dict[str, Any], *, chat: bool, split: Split = words, usage: bool = True
) -> Iterator[dict[str, Any]]:
    """Split a complete answer into the chunks of a stream: what was thought, what is said, what is called."""
    frame: dict[str, Any] = {name: answer[name] for name in ("id", "created", "model") if name in answer}
    frame["object"] = "chat.completion.chunk" if chat else "text_completion"
    for choice in answer["choices"]:
        index = choice["index"]
        message = choice["message"] if chat else {"content": choice["text"]}
        for delta in _deltas(message, split):
            yield {**frame, "choices": [_piece(index, delta, None, chat)]}
        yield {**frame, "choices": [_piece(index, {}, choice["finish_reason"], chat)]}
    if usage and "usage" in answer:
        yield {**frame, "choices": [], "usage": answer["usage"]}


def _deltas(message: dict[str, Any], split: Split) -> Iterator[dict[str, Any]]:
    for name in ("reasoning_content", "content", "refusal"):
        for piece in split(message.get(name) or ""):
            yield {name: piece}
    for number, call in enumerate(message.get("tool_calls") or ()):
        function = call["function"]
        opening = {"name": function["name"], "arguments": ""}
        yield {"tool_calls": [{**call, "index": number, "function": opening}]}
        for piece in split(function.get("arguments") or ""):
            yield {"tool_calls": [{"index": number, "function": {"arguments": piece}}]}


def _piece(index: int, delta: dict[str, Any], reason: str | None, chat: bool) -> dict[str, Any]:
    piece: dict[str, Any] = {"index": index, "finish_reason": reason}
    if chat:
        piece["delta"] = delta
    else:
        piece["text"] = delta.get("content", "")
    return piece
