"""One timer holds many tries to their limit."""

from __future__ import annotations

import asyncio
from time import perf_counter

import pytest

from telic.lm.http.watch import Watch


async def sleep(watch: Watch, seconds: float) -> float:
    begun = perf_counter()
    try:
        with watch.limit():
            await asyncio.sleep(seconds)
    except TimeoutError:
        return begun - perf_counter()
    return perf_counter() - begun


async def test_each_try_has_its_own_time() -> None:
    watch = Watch(0.1)
    tasks = []
    for number in range(8):
        tasks.append(asyncio.create_task(sleep(watch, 0.02 if number % 2 else 5)))
        await asyncio.sleep(0.02)
    took = await asyncio.gather(*tasks)
    assert [seconds > 0 for seconds in took] == [False, True] * 4
    assert all(0.09 < -seconds < 0.3 for seconds in took if seconds < 0)


async def test_a_try_after_a_quiet_time_is_watched_too() -> None:
    watch = Watch(0.03)
    assert await sleep(watch, 0.001) > 0
    await asyncio.sleep(0.05)
    assert await sleep(watch, 5) < 0
    assert await sleep(watch, 5) < 0


async def test_cancelling_is_not_taken_for_lateness() -> None:
    watch = Watch(0.05)
    task = asyncio.create_task(sleep(watch, 5))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_cancelled_while_it_rings() -> None:
    watch = Watch(0.02)
    task = asyncio.create_task(sleep(watch, 5))
    await asyncio.sleep(0.01)
    watch._loop.call_at(next(iter(watch._tries)).end, task.cancel)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelling() == 1


async def test_a_late_task_goes_on_uncancelled() -> None:
    watch = Watch(0.01)
    assert await sleep(watch, 5) < 0
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    await asyncio.sleep(0)


async def test_an_error_of_the_block_comes_through() -> None:
    with pytest.raises(ValueError, match="boom"), Watch(5).limit():
        raise ValueError("boom")
