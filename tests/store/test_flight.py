"""Of twins in flight one does the work; nobody waits for somebody whom that would hold up."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections import Counter
from typing import Any

import pytest

from telic.errors import AdapterParseError, BudgetExceededError, LMRateLimitError, LMServerError
from telic.runtime.executor import bounded_map
from telic.runtime.portal import portal, run
from telic.runtime.steps import Do, Steps, adrive, drive
from telic.store import flight
from telic.store.flight import SingleFlight
from tests.runtime.scripts import run_script


class Work:
    """Counts who did it, and how often."""

    def __init__(self, seconds: float = 0, error: BaseException | None = None, followers: int = 0) -> None:
        self.seconds = seconds
        self.followers = followers
        self.error = error
        self.done = 0
        self.flights: SingleFlight[str] = SingleFlight()

    def once(self) -> str:
        self.done += 1
        if self.error is not None:
            raise self.error
        return f"result {self.done}"

    def followed(self) -> bool:
        """Whether as many follow as were announced."""
        return sum(len(one._wakers) for one in self.flights._flights.values()) >= self.followers

    def steps(self) -> Steps[str]:
        async def later() -> str:
            while not self.followed():
                await asyncio.sleep(0.001)
            await asyncio.sleep(self.seconds)
            return self.once()

        def now() -> str:
            while not self.followed():
                time.sleep(0.001)
            time.sleep(self.seconds)
            return self.once()

        return (yield Do(now, later))

    def sync(self, key: str = "k") -> str:
        return drive(self.flights.fly(key, self.steps))

    async def later(self, key: str = "k") -> str:
        return await adrive(self.flights.fly(key, self.steps))


def in_threads(count: int, function: Any) -> list[Any]:
    outcome = bounded_map(lambda _: function(), range(count), num_threads=count)
    for failure in outcome.failures:
        raise failure.error
    return outcome.results


def test_one_of_many_threads_does_it() -> None:
    work = Work(followers=15)
    assert set(in_threads(16, work.sync)) == {"result 1"}
    assert (work.done, len(work.flights)) == (1, 0)


async def test_one_of_many_tasks_does_it() -> None:
    work = Work(followers=49)
    assert set(await asyncio.gather(*(work.later() for _ in range(50)))) == {"result 1"}
    assert (work.done, len(work.flights)) == (1, 0)


def test_one_of_many_loops_and_threads_does_it() -> None:
    work = Work(followers=17)
    callers = [work.sync, lambda: asyncio.run(work.later()), lambda: run(work.later())] * 6
    outcome = bounded_map(lambda caller: caller(), callers, num_threads=18)
    assert set(outcome.results) == {"result 1"}
    assert work.done == 1


def test_other_keys_do_not_wait() -> None:
    work = Work()
    outcome = bounded_map(lambda n: work.sync(f"k{n}"), range(8), num_threads=8)
    assert len(set(outcome.results)) == 8


def test_one_after_the_other_each_does_it() -> None:
    work = Work(0)
    assert [work.sync(), work.sync(), asyncio.run(work.later())] == ["result 1", "result 2", "result 3"]


def test_an_error_reaches_everybody_as_an_error_of_ones_own() -> None:
    original = LMRateLimitError("too fast", model="openai/m", status=429, retry_after=2.0)
    work = Work(error=original, followers=7)
    errors: list[LMRateLimitError] = []

    def call() -> None:
        with pytest.raises(LMRateLimitError, match="too fast") as caught:
            work.sync()
        errors.append(caught.value)

    in_threads(8, call)
    assert work.done == 1
    assert len({id(error) for error in errors}) == 8
    assert all((error.status, error.retry_after) == (429, 2.0) for error in errors)
    errors[0].program_path = "self.first"
    assert all(error.program_path is None for error in errors[1:])
    assert sum(error is original for error in errors) == 1
    assert all(error.__cause__ is original for error in errors if error is not original)


@pytest.mark.parametrize(
    "error",
    [
        AdapterParseError("ChatAdapter", None, "text", "unfit", {"a": 1}, missing=["b"]),
        OSError(5, "broken", "file"),
        KeyError("x"),
        UnicodeDecodeError("utf-8", b"x", 0, 1, "bad"),
    ],
)
def test_any_error_can_be_shared(error: Exception) -> None:
    work = Work(error=error, followers=2)
    seen: list[Exception] = []

    def call() -> None:
        with pytest.raises(type(error)) as caught:
            work.sync()
        seen.append(caught.value)

    in_threads(3, call)
    assert work.done == 1
    assert {str(one) for one in seen} == {str(error)}


@pytest.mark.parametrize(
    "error", [BudgetExceededError("spent", spent={}, caps={}), asyncio.CancelledError(), SystemExit()]
)
def test_what_concerns_the_leader_alone_lets_a_follower_lead(error: BaseException) -> None:
    work = Work(followers=3)
    led = threading.Event()

    def failing() -> Steps[str]:
        led.set()
        while not work.followed():
            time.sleep(0.001)
        work.followers = 2
        raise error
        yield

    def leader() -> str:
        with pytest.raises(type(error)):
            drive(work.flights.fly("k", failing))
        return "failed"

    def follower() -> str:
        led.wait(5)
        return work.sync()

    outcome = bounded_map(lambda one: one(), [leader, follower, follower, follower], num_threads=4)
    assert outcome.results == ["failed", "result 1", "result 1", "result 1"]


async def test_a_cancelled_leader_lets_a_follower_lead() -> None:
    work = Work(0.05)
    tasks = [asyncio.create_task(work.later()) for _ in range(5)]
    await asyncio.sleep(0.01)
    tasks[0].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(results[0], asyncio.CancelledError)
    assert results[1:] == ["result 1"] * 4


async def test_a_cancelled_follower_disturbs_nobody() -> None:
    work = Work(0.05)
    tasks = [asyncio.create_task(work.later()) for _ in range(5)]
    await asyncio.sleep(0.01)
    tasks[3].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(results[3], asyncio.CancelledError)
    assert results[:3] == ["result 1"] * 3
    assert work.done == 1


async def test_a_blocking_twin_in_the_leaders_own_loop_does_the_work_itself() -> None:
    work = Work(0.05)
    leader = asyncio.create_task(work.later())
    await asyncio.sleep(0.01)
    assert work.sync() == "result 1"
    assert await leader == "result 2"


def test_work_that_asks_for_itself_does_not_wait_for_itself() -> None:
    work = Work(0)

    def outer() -> Steps[str]:
        inner = yield Do(work.sync, work.later)
        elsewhere = yield Do(lambda: run(work.later()), work.later)
        return f"{inner}, {elsewhere}, outer"

    expected = "result {}, result {}, outer"
    assert drive(work.flights.fly("k", outer)) == expected.format(1, 2)
    assert asyncio.run(adrive(work.flights.fly("k", outer))) == expected.format(3, 4)
    assert in_threads(2, lambda: drive(work.flights.fly("k", outer)))[0].endswith("outer")


def test_a_leader_whose_loop_stands_still_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flight, "_PULSE_SECONDS", 0.05)
    work = Work(0.01)

    async def main() -> str:
        leader = asyncio.create_task(work.later())
        await asyncio.sleep(0)
        # The loop now waits for threads that wait for the leader, which runs on the loop.
        seen = bounded_map(lambda one: one(), [work.sync, lambda: run(work.later())], num_threads=2)
        assert len(seen.values()) == 2
        return await leader

    assert asyncio.run(main()).startswith("result")


def test_a_leader_whose_loop_is_gone_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flight, "_PULSE_SECONDS", 0.05)
    work = Work(60)
    loop = asyncio.new_event_loop()
    steps = work.flights.fly("k", work.steps)

    async def begin() -> None:
        next(steps)

    loop.run_until_complete(begin())
    loop.close()
    work.seconds = 0
    in_threads(2, work.sync)
    assert work.done == 2
    steps.close()


def test_a_slow_leader_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flight, "_PULSE_SECONDS", 0.15)
    work = Work(0.6)
    work.followers = 5
    callers = [lambda: run(work.later()), work.sync, lambda: asyncio.run(work.later())] * 2
    assert set(bounded_map(lambda one: one(), callers, num_threads=6).results) == {"result 1"}
    assert work.done == 1


def test_a_pipeline_that_is_dropped_lets_others_lead() -> None:
    work = Work(0)
    steps = work.flights.fly("k", work.steps)
    next(steps)
    assert len(work.flights) == 1
    del steps
    gc.collect()
    assert len(work.flights) == 0
    assert work.sync() == "result 1"


def test_ctrl_c_of_the_leader(capfd: pytest.CaptureFixture[str]) -> None:
    work = Work(0.1, KeyboardInterrupt())
    outcomes: Counter[str] = Counter()

    def call() -> None:
        try:
            work.sync()
        except KeyboardInterrupt:
            outcomes["interrupted"] += 1

    threads = [threading.Thread(target=call) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert outcomes == {"interrupted": 3}
    assert work.done == 3


def test_no_flight_crosses_a_fork() -> None:
    done = run_script(
        """
        import os, threading, time
        from telic.runtime.steps import Do, drive
        from telic.store.flight import SingleFlight

        flights = SingleFlight()

        def slow():
            return (yield Do(lambda: time.sleep(1) or "slow", None))

        def quick():
            return "quick"
            yield

        thread = threading.Thread(target=lambda: drive(flights.fly("k", slow)))
        thread.start()
        time.sleep(0.1)
        if os.fork() == 0:
            os._exit(0 if drive(flights.fly("k", quick)) == "quick" else 1)
        assert os.wait()[1] == 0
        assert drive(flights.fly("k", quick)) == "slow"
        """
    )
    assert done.returncode == 0, done.stderr


def test_under_a_storm_each_round_is_done_once() -> None:
    done: Counter[int] = Counter()
    memory: dict[int, str] = {}
    flights: SingleFlight[str] = SingleFlight()

    def call(number: int) -> str:
        def work() -> Steps[str]:
            if number in memory:
                return memory[number]
            done[number] += 1
            if done[number] == 1 and number % 5 == 0:
                raise LMServerError("first time")
            yield Do(lambda: time.sleep(0.001), lambda: asyncio.sleep(0.001))
            memory[number] = f"answer {number}"
            return memory[number]

        steps = flights.fly(str(number), work)
        return drive(steps) if number % 2 else portal.run(adrive(steps))

    outcome = bounded_map(call, [n // 8 for n in range(800)], num_threads=16)
    assert all(isinstance(failure.error, LMServerError) for failure in outcome.failures)
    assert all(done[number] == (2 if number % 5 == 0 else 1) for number in range(100) if number in memory)
    assert all(outcome.results[n] in (None, f"answer {n // 8}") for n in range(800))
