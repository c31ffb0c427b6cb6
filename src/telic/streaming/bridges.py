"""Streams for consumers of other kinds: blocking code, and clients over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterable, Generator
from contextlib import suppress
from contextvars import copy_context
from queue import SimpleQueue
from typing import Any

from telic._json import plain
from telic.data.prediction import Prediction
from telic.errors import InputError
from telic.runtime import cancel, threads
from telic.runtime.pipe import End
from telic.signatures.validation import to_jsonable
from telic.streaming.messages import StatusMessage, StreamChunk, StreamResponse

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=plain).encode


def apply_sync_streaming(async_generator: AsyncGenerator[Any, None]) -> Generator[Any, None, None]:
    """Iterate an async generator from blocking code, under a running loop too.

    It runs on a loop in a thread of its own. Leaving the iteration closes it.
    """
    queue: SimpleQueue[Any] = SimpleQueue()
    stop = cancel.Cancellation(cancel.current.get())

    async def pump() -> None:
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        assert task is not None

        def cancel_task() -> None:
            with suppress(RuntimeError):  # it has ended, and its loop too
                loop.call_soon_threadsafe(task.cancel)

        stop.register(cancel_task)
        try:
            async for item in async_generator:
                queue.put(item)
        finally:
            await async_generator.aclose()

    threads.begin(lambda: asyncio.run(pump()), lambda _, error: queue.put(End(error)), copy_context(), stop)
    yield from received(queue, stop)


def received(queue: SimpleQueue[Any], stop: cancel.Cancellation) -> Generator[Any, None, None]:
    """What a thread puts into a queue, up to its `End`; leaving the iteration before cancels `stop`."""
    ended = False
    try:
        while not isinstance(item := queue.get(), End):
            yield item
        ended = True
        if item.error is not None:
            raise item.error
    finally:
        if not ended:
            stop.cancel()
        stop.close()


async def streaming_response(streamer: AsyncIterable[Any]) -> AsyncGenerator[str, None]:
    """A stream as server-sent events, for the body of an HTTP response of type `text/event-stream`.

    Each event is a line of JSON with one key that says what it is: `prediction` (its fields), `chunk` (a
    field's text with `predict_name`, `signature_field_name` and `is_last_chunk` beside it; or a chunk as it
    came, as text), `status` (a message). The last one is `[DONE]`. What begins with `data:` is passed on.
    """
    async for item in streamer:
        yield item if isinstance(item, str) and item.startswith("data:") else f"data: {_event(item)}\n\n"
    yield "data: [DONE]\n\n"


def _event(item: Any) -> str:
    row: dict[str, Any]
    if isinstance(item, Prediction):
        row = {"prediction": {name: to_jsonable(value) for name, value in item.items()}}
    elif isinstance(item, StreamResponse):
        row = {
            "chunk": to_jsonable(item.chunk),
            "predict_name": item.predict_name,
            "signature_field_name": item.signature_field_name,
            "is_last_chunk": item.is_last_chunk,
        }
        if item.value is not None:
            row["value"] = item.value
    elif isinstance(item, StreamChunk):
        row = {"chunk": item.json()}
    elif isinstance(item, StatusMessage):
        row = {"status": item.message}
    else:
        raise InputError(f"streaming_response: a stream of a program is needed; this yields {item!r:.200}.")
    return _encode(row)
