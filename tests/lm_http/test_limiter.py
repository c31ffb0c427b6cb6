"""The adaptive limit: free when nobody complains, shared by threads and loops, quick to give way."""

import asyncio
import threading
import time

import pytest

from telic.lm.http import limiter as limits
from telic.lm.http.engine import HttpEngine
from telic.lm.http.limiter import Limiter, limiter_for
from telic.testing.server import LocalServer
from telic.types import Request


def test_without_complaints_there_is_no_limit_and_no_wait():
    limiter = Limiter()

    async def main():
        for _ in range(2000):
            await limiter.enter()

    begun = time.perf_counter()
    asyncio.run(main())
    assert time.perf_counter() - begun < 0.2
    assert limiter.in_flight == 2000
    assert limiter.window is None


@pytest.mark.parametrize(("refused", "window"), [(1, 22.4), (2, 22.4), (16, 16), (28, 4), (32, 1)])
async def test_a_burst_of_complaints_cuts_once_or_leaves_what_was_taken(refused, window):
    limiter = Limiter()
    started = [await limiter.enter() for _ in range(32)]
    for moment in started[:refused]:
        limiter.throttle(moment, 0.0)
        limiter.leave()
    assert limiter.window == pytest.approx(window)
    assert limiter.throttled == refused


async def test_those_who_were_answered_before_the_first_refusal_count_as_taken():
    limiter = Limiter()
    started = [await limiter.enter() for _ in range(32)]
    for _ in range(10):
        limiter.leave(answered=True)
    for moment in started[10:]:
        limiter.throttle(moment, 0.0)
        limiter.leave()
    assert limiter.window == 10


async def test_the_next_burst_cuts_again():
    limiter = Limiter()
    started = [await limiter.enter() for _ in range(32)]
    limiter.throttle(started[0], 0.0)
    for _ in started:
        limiter.leave()
    again = [await limiter.enter() for _ in range(22)]
    limiter.throttle(again[0], 0.0)
    assert limiter.window == pytest.approx(22 * 0.7)


async def test_answers_widen_the_window_quickly_then_slowly_and_quiet_removes_it(monkeypatch):
    limiter = Limiter()
    started = [await limiter.enter() for _ in range(20)]
    limiter.throttle(started[0], 0.0)
    for _ in range(12):
        limiter.leave(answered=True)
    assert limiter.window == 14 + 12 * 0.25
    limiter.leave(answered=True)
    assert limiter.window == pytest.approx(17 + 1 / 17)
    monkeypatch.setattr(limits, "FORGIVEN_AFTER", 0.0)
    limiter.leave(answered=True)
    assert limiter.window is None


async def test_a_pause_holds_everybody_back_and_they_do_not_start_together():
    limiter = Limiter()
    limiter.throttle(await limiter.enter(), 0.2)
    limiter.leave()
    limiter.window = None
    begun = time.monotonic()
    starts = await asyncio.gather(*[limiter.enter() for _ in range(20)])
    assert all(start - begun >= 0.19 for start in starts)
    assert max(starts) - min(starts) > 0.005


async def test_whoever_is_sent_back_goes_first():
    limiter = Limiter()
    limiter.window = 1.0
    await limiter.enter()
    order = []

    async def wait(name, first):
        await limiter.enter(first=first)
        order.append(name)
        limiter.leave()

    tasks = [asyncio.create_task(wait("new", False)), asyncio.create_task(wait("again", True))]
    await asyncio.sleep(0.01)
    limiter.leave()
    await asyncio.gather(*tasks)
    assert order == ["again", "new"]


async def test_cancelled_waiters_give_their_place_back():
    limiter = Limiter()
    limiter.window = 1.0
    await limiter.enter()
    tasks = [asyncio.create_task(limiter.enter()) for _ in range(5)]
    await asyncio.sleep(0.01)
    tasks[0].cancel()
    limiter.leave()  # grants the place to a task that is being cancelled, or to the next one
    tasks[1].cancel()
    await asyncio.gather(*tasks[:2], return_exceptions=True)
    await asyncio.wait_for(tasks[2], 1)
    assert limiter.in_flight == 1
    for task in tasks[3:]:
        task.cancel()
    await asyncio.gather(*tasks[3:], return_exceptions=True)
    limiter.leave()
    assert limiter.in_flight == 0


def test_many_loops_share_one_window():
    limiter = Limiter()
    limiter.window = 3.0
    most, lock, inside = 0, threading.Lock(), 0

    async def work():
        nonlocal most, inside
        for _ in range(20):
            await limiter.enter()
            with lock:
                inside += 1
                most = max(most, inside)
            await asyncio.sleep(0.0005)
            with lock:
                inside -= 1
            limiter.leave()

    async def several():
        await asyncio.gather(*[work() for _ in range(4)])

    threads = [threading.Thread(target=lambda: asyncio.run(several())) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert most == 3
    assert limiter.in_flight == 0


def test_one_limiter_for_each_endpoint_and_key():
    assert limiter_for("http://a", "k") is limiter_for("http://a", "k")
    assert limiter_for("http://a", "k") is not limiter_for("http://a", "other")
    assert limiter_for("http://a", None) is not limiter_for("http://b", None)
    limiter_for("http://a", "my-secret")
    assert "my-secret" not in str(list(limits._limiters))


class Quota:
    """At most ten requests in a tenth of a second, as hosted models have it; takes the place of `Faults`."""

    retry_after = 0.1

    def __init__(self):
        self.spent = []

    def of(self, number, body_hash, attempt):
        now = time.monotonic()
        self.spent = [moment for moment in self.spent if now - moment < 0.1]
        if len(self.spent) >= 10:
            return 429
        self.spent.append(now)
        return None


async def test_a_quota_is_kept_to_after_the_first_burst():
    with LocalServer(latency=0.02, faults=Quota()) as server:
        engine = HttpEngine("test", server.url)
        begun = time.monotonic()
        asked = [Request("m", messages=[{"role": "user", "content": str(i)}]) for i in range(100)]
        await asyncio.gather(*[engine.acomplete(request) for request in asked])
        took = time.monotonic() - begun
    refused = sum(r.fault == 429 for r in server.requests)
    assert sum(server.answered.values()) == 100
    assert took < 6, "the quota allows it in 1 s"
    assert refused < 90 + 100, "90 of the first burst, then about one or two for each pause"
