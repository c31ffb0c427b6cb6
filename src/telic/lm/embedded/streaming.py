"""Chunks of running jobs, from the threads that write them to the coroutine that reads."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from typing import Any

from telic.lm.embedded.runner import Job, Runner
from telic.lm.embedded.scheduler import Waiting
from telic.lm.http.answer import chunks_in
from telic.runtime.pipe import Pipe
from telic.types.chunk import Chunk


async def heard_chunks(
    jobs: list[Job], submit: Callable[[], tuple[Runner, list[Waiting[Job]]]]
) -> AsyncGenerator[Chunk, None]:
    """Queue the jobs of one request, and give what they write as it comes, each under its number.

    Closed before its end, it stops the jobs.

    Args:
        jobs: of one request.
        submit: queues them.

    Raises:
        LMError: what a job ends in.
    """
    pipe: Pipe[tuple[int, dict[str, Any] | None]] = Pipe()
    for number, job in enumerate(jobs):
        job.heard = _writer(pipe, number)
        job.future.add_done_callback(lambda _, number=number: pipe.put((number, None)))  # type: ignore[misc]
    runner, placed = submit()
    left = len(jobs)
    try:
        while left:
            number, payload = await anext(pipe)
            if payload is None:
                jobs[number].future.result()
                left -= 1
                continue
            for chunk in chunks_in(payload):
                if chunk.usage is None:
                    yield replace(chunk, index=number)
    finally:
        if left:
            runner.stop(placed)


def _writer(pipe: Pipe[tuple[int, dict[str, Any] | None]], number: int) -> Any:
    def heard(payload: dict[str, Any]) -> None:
        if payload.get("choices"):
            pipe.put((number, payload))

    return heard
