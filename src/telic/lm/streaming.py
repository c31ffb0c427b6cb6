"""Answers heard while they are written: the step that asks for a stream and gives the whole response."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from telic.lm.openai_shape import chunk_from
from telic.runtime.scope import AnswerStream
from telic.runtime.steps import Do, Step
from telic.types import Response
from telic.types.chunk import Assembly, Chunk, chunks_of


class Live:
    """The way to one listener, that knows whether anything went it.

    Args:
        heard: the listener.
    """

    __slots__ = ("_heard", "begun")

    def __init__(self, heard: AnswerStream) -> None:
        self._heard = heard
        self.begun = False

    def hear(self, chunk: Chunk) -> None:
        """Pass a chunk on."""
        self.begun = True
        self._heard.hear(chunk)

    def finish(self, response: Response) -> None:
        """The answer is there; if it did not come as a stream, it is one chunk now."""
        if not self.begun:
            for chunk in chunks_of(response):
                self._heard.hear(chunk)
        self._heard.end()


def streaming_step(
    open_stream: Callable[[], AsyncIterator[Any]], hear: Callable[[Chunk], None], model: str
) -> Step:
    """The step that takes in a stream to its end.

    Done in a thread, the stream runs on the portal's loop, and so do the calls of `hear`.

    Args:
        open_stream: makes the stream, of `Chunk` or of OpenAI-shaped chunks.
        hear: called with each chunk; must not block.
        model: `provider/name`, for messages.
    """

    async def ask() -> Response:
        assembly = Assembly(model)
        stream = open_stream()
        try:
            async for item in stream:
                chunk = item if isinstance(item, Chunk) else chunk_from(item)
                assembly.add(chunk)
                hear(chunk)
        finally:
            # A stream left in the middle is closed now, not when it is collected: the server is to stop.
            close = getattr(stream, "aclose", None)
            if close is not None:
                await close()
        return assembly.response()

    def ask_here() -> Response:
        from telic.runtime.portal import portal

        return portal.run(ask())

    return Do(ask_here, ask)
