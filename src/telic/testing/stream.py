"""Server-sent events: a scripted answer, a word at a time."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiohttp import web


async def stream_answer(request: web.Request, answer: dict[str, Any], *, chat: bool) -> web.StreamResponse:
    """Send `answer` as OpenAI streams it: deltas, the reason of the end, the usage, `[DONE]`."""
    from aiohttp import web

    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
    await response.prepare(request)
    for chunk in chunks_of(answer, chat=chat):
        await response.write(f"data: {json.dumps(chunk)}\n\n".encode())
    await response.write(b"data: [DONE]\n\n")
    return response


def chunks_of(answer: dict[str, Any], *, chat: bool) -> Iterator[dict[str, Any]]:
    """Split a complete answer into the chunks of a stream."""
    frame: dict[str, Any] = {name: answer[name] for name in ("id", "created", "model") if name in answer}
    frame["object"] = "chat.completion.chunk" if chat else "text_completion"
    for choice in answer["choices"]:
        index = choice["index"]
        message = choice["message"] if chat else {"content": choice["text"]}
        for word in re.findall(r"\s*\S+\s*$|\s*\S+", message.get("content") or ""):
            yield {**frame, "choices": [_piece(index, {"content": word}, None, chat)]}
        rest = {k: v for k, v in message.items() if k not in ("content", "role") and v is not None}
        yield {**frame, "choices": [_piece(index, rest, choice["finish_reason"], chat)]}
    if "usage" in answer:
        yield {**frame, "choices": [], "usage": answer["usage"]}


def _piece(index: int, delta: dict[str, Any], reason: str | None, chat: bool) -> dict[str, Any]:
    piece: dict[str, Any] = {"index": index, "finish_reason": reason}
    if chat:
        piece["delta"] = delta
    else:
        piece["text"] = delta.get("content", "")
    return piece
