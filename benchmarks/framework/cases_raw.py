"""The ceiling: the same requests with nothing but aiohttp."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from time import perf_counter

import aiohttp

from benchmarks.framework import stub


def served(url: str, in_flight: int) -> Callable[[int], float]:
    """`in_flight` coroutines that share one session, each asking for the next question as it is free."""
    return lambda n: asyncio.run(_ask_all(url, in_flight, stub.questions(n)))


async def _ask_all(url: str, in_flight: int, questions: list[str]) -> float:
    pending = iter(questions)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        start = perf_counter()
        await asyncio.gather(*(_ask_next(session, url, pending) for _ in range(in_flight)))
        return perf_counter() - start


async def _ask_next(session: aiohttp.ClientSession, url: str, pending: Iterator[str]) -> None:
    for question in pending:
        body = {
            "model": "stub",
            "messages": [
                {"role": "system", "content": "Answer the question. " * 20},
                {"role": "user", "content": question},
            ],
        }
        async with session.post(f"{url}/chat/completions", json=body) as answer:
            assert (await answer.json())["choices"]
