"""The blocking stage grows where its work blocks, and only there."""

from __future__ import annotations

import asyncio
import threading
import time

from telic.runtime.executor import abounded_map


async def test_a_quick_function_needs_few_threads() -> None:
    threads: set[str] = set()

    async def work(item: int) -> int:
        await asyncio.sleep(0)
        return item

    def then(item: int, value: int) -> int:
        threads.add(threading.current_thread().name + str(threading.get_ident()))
        return value

    outcome = await abounded_map(work, range(3000), limit=32, then=then, num_threads=32)
    assert outcome.results == list(range(3000))
    assert len(threads) <= 8


async def test_a_blocking_function_gets_as_many_as_it_needs() -> None:
    async def work(item: int) -> int:
        return item

    began = time.monotonic()
    outcome = await abounded_map(
        work, range(64), limit=32, then=lambda i, v: time.sleep(0.1) or v, num_threads=32
    )
    assert outcome.results == list(range(64))
    assert time.monotonic() - began < 3.0  # one after the other: 6.4 s


async def test_slow_work_holds_the_coroutines_back() -> None:
    begun = 0
    finished = 0
    most = 0

    async def work(item: int) -> int:
        nonlocal begun, most
        begun += 1
        most = max(most, begun - finished)
        return item

    def then(item: int, value: int) -> None:
        nonlocal finished
        time.sleep(0.002)
        finished += 1

    await abounded_map(work, range(200), limit=4, then=then, num_threads=2)
    assert most <= 4 + 4 + 2 + 1


async def test_the_loop_turns_while_the_stage_is_blocked() -> None:
    turns = 0

    async def work(item: int) -> int:
        return item

    async def tick() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.005)

    ticking = asyncio.create_task(tick())
    await abounded_map(work, range(2), limit=2, then=lambda i, v: time.sleep(0.2), num_threads=1)
    ticking.cancel()
    assert turns > 20


async def test_its_threads_end_with_the_map() -> None:
    async def work(item: int) -> int:
        return item

    before = threading.active_count()
    for _ in range(5):
        await abounded_map(work, range(20), limit=4, then=lambda i, v: time.sleep(0.01), num_threads=4)
    for _ in range(100):
        if threading.active_count() <= before:
            break
        await asyncio.sleep(0.01)
    assert threading.active_count() <= before
