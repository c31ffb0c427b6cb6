"""Both bounded maps: order, bounds, laziness, contexts, failures, stopping, interruption."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from telic.runtime import cancel
from telic.runtime.executor import Failure, Outcome, abounded_map, bounded_map
from telic.runtime.portal import run
from tests.runtime.scripts import run_script

colour: contextvars.ContextVar[str] = contextvars.ContextVar("colour", default="none")

Map = Callable[..., "Outcome[Any, Any]"]


def with_threads(function: Callable[[Any], Any], items: Iterable[Any], *, limit: int = 4, **more: Any) -> Any:
    return bounded_map(function, items, num_threads=limit, **more)


def with_coroutines(
    function: Callable[[Any], Any], items: Iterable[Any], *, limit: int = 4, **more: Any
) -> Any:
    async def call(item: Any) -> Any:
        await asyncio.sleep(0)
        return function(item)

    return asyncio.run(abounded_map(call, items, limit=limit, **more))


def with_a_stage(function: Callable[[Any], Any], items: Iterable[Any], *, limit: int = 4, **more: Any) -> Any:
    async def call(item: Any) -> Any:
        await asyncio.sleep(0)
        return item

    def then(item: Any, value: Any) -> Any:
        assert item is value
        return function(item)

    return asyncio.run(abounded_map(call, items, limit=limit, then=then, num_threads=limit, **more))


FORMS = [with_threads, with_coroutines, with_a_stage]
every_form = pytest.mark.parametrize("form", FORMS)


def fail_on(*bad: int) -> Callable[[int], int]:
    def function(item: int) -> int:
        if item in bad:
            raise ValueError(f"item {item}")
        return item * 10

    return function


@every_form
@pytest.mark.parametrize("limit", [1, 2, 16])
def test_results_are_in_order(form: Map, limit: int) -> None:
    def slow_first(item: int) -> int:
        time.sleep(0.003 if item < 5 else 0)
        return item * 10

    outcome = form(slow_first, range(50), limit=limit)
    assert outcome.results == [item * 10 for item in range(50)]
    assert outcome.values() == outcome.results
    assert outcome.failures == []
    assert not outcome.stopped


@every_form
def test_nothing_to_do(form: Map) -> None:
    assert form(fail_on(), []) == Outcome()


@every_form
def test_failures_are_counted_apart(form: Map) -> None:
    outcome = form(fail_on(3, 7), range(10))
    assert sorted((f.index, f.item, str(f.error)) for f in outcome.failures) == [
        (3, 3, "item 3"),
        (7, 7, "item 7"),
    ]
    assert outcome.results[3] is None
    assert outcome.values() == [0, 10, 20, 40, 50, 60, 80, 90]


@pytest.mark.parametrize("form", [with_threads, with_coroutines])
@pytest.mark.parametrize("limit", [1, 3])
def test_items_are_pulled_only_when_somebody_is_free(form: Map, limit: int) -> None:
    pulled = done = 0
    ahead = 0

    def items() -> Iterator[int]:
        nonlocal pulled, ahead
        for item in range(30):
            pulled += 1
            ahead = max(ahead, pulled - done)
            yield item

    def work(item: int) -> int:
        nonlocal done
        time.sleep(0.001)
        done += 1
        return item

    assert form(work, items(), limit=limit).results == list(range(30))
    assert ahead <= limit + 1  # counted while the generator runs, before the item's place is taken


@every_form
def test_no_more_at_once_than_allowed(form: Map) -> None:
    now = most = 0
    lock = threading.Lock()

    def work(item: int) -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.005)
        with lock:
            now -= 1

    form(work, range(40), limit=4)
    assert most <= 4
    assert most > 1 or form is with_coroutines


async def test_coroutines_in_flight_are_bounded() -> None:
    now = most = 0

    async def work(item: int) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.002)
        now -= 1

    await abounded_map(work, range(60), limit=7)
    assert most == 7


@every_form
def test_each_item_has_a_copy_of_the_callers_context(form: Map) -> None:
    def work(item: int) -> str:
        seen = colour.get()
        colour.set(f"item {item}")
        return seen

    token = colour.set("red")
    try:
        assert form(work, range(20), limit=3).results == ["red"] * 20
        assert colour.get() == "red"
    finally:
        colour.reset(token)


async def test_the_stage_runs_in_the_context_the_coroutine_left_behind() -> None:
    async def work(item: int) -> int:
        colour.set(f"item {item}")
        await asyncio.sleep(0.001)
        return item

    outcome = await abounded_map(work, range(50), limit=8, then=lambda item, value: (value, colour.get()))
    assert outcome.results == [(item, f"item {item}") for item in range(50)]


@every_form
def test_on_result_is_told_of_everything_once_and_one_at_a_time(form: Map) -> None:
    told: list[tuple[int, Any, str]] = []
    inside = threading.Lock()

    def on_result(index: int, item: int, value: Any, error: BaseException | None) -> None:
        assert inside.acquire(blocking=False)
        told.append((index, value, str(error or "")))
        inside.release()

    form(fail_on(2), range(30), limit=8, on_result=on_result)
    assert sorted(told) == [(i, None if i == 2 else i * 10, "item 2" if i == 2 else "") for i in range(30)]


@every_form
def test_a_limit_on_failures_stops_and_keeps_what_was_done(form: Map) -> None:
    outcome = form(fail_on(*range(5, 100)), range(1000), limit=4, stop=3)
    assert outcome.stopped
    assert len(outcome.failures) >= 3
    assert len(outcome.results) < 60
    assert outcome.results[:5] == [0, 10, 20, 30, 40]


@every_form
def test_stop_may_judge_each_failure(form: Map) -> None:
    seen: list[int] = []

    def stop(failure: Failure[int], count: int) -> bool:
        seen.append(count)
        return failure.item >= 20

    outcome = form(fail_on(1, 2, 20), range(100), limit=1, stop=stop)
    assert outcome.stopped
    assert sorted(f.item for f in outcome.failures) == [1, 2, 20]
    assert seen == [1, 2, 3]


@every_form
@pytest.mark.parametrize("limit", [1, 4])
@pytest.mark.parametrize("where", ["items", "on_result", "stop"])
def test_a_bug_in_the_callers_own_parts_is_raised_to_the_caller(form: Map, limit: int, where: str) -> None:
    def items() -> Iterator[int]:
        yield from range(3)
        if where == "items":
            raise LookupError("my bug")
        yield from range(3, 100)

    def on_result(index: int, item: int, value: Any, error: BaseException | None) -> None:
        if where == "on_result":
            raise LookupError("my bug")

    def stop(failure: Any, count: int) -> bool:
        raise LookupError("my bug")

    begun: list[int] = []

    def work(item: int) -> int:
        begun.append(item)
        time.sleep(0.001)
        return fail_on(1)(item)

    with pytest.raises(LookupError, match="my bug"):
        form(work, items(), limit=limit, on_result=on_result, stop=stop if where == "stop" else None)
    assert len(begun) < 30


@every_form
def test_exit_in_the_function_is_not_a_failure_but_ends_the_map(form: Map) -> None:
    def work(item: int) -> None:
        if item == 2:
            raise SystemExit(5)

    with pytest.raises(SystemExit):
        form(work, range(1000), limit=3)


@pytest.mark.parametrize("form", [with_threads, with_a_stage])
def test_the_function_may_call_the_portal(form: Map) -> None:
    def work(item: int) -> int:
        return run(asyncio.sleep(0.002, item))

    assert form(work, range(64), limit=16).results == list(range(64))


@pytest.mark.parametrize("form", [with_threads, with_a_stage])
def test_maps_nest(form: Map) -> None:
    def work(item: int) -> list[int]:
        return bounded_map(lambda inner: item * inner, range(3), num_threads=2).results  # type: ignore[return-value]

    assert form(work, range(8), limit=4).results == [[0, item, 2 * item] for item in range(8)]


@pytest.mark.parametrize("limit", [0, -1])
def test_a_bound_below_one_is_refused(limit: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        bounded_map(fail_on(), [1], num_threads=limit)
    with pytest.raises(ValueError, match="at least 1"):
        with_coroutines(fail_on(), [1], limit=limit)


def test_one_thread_is_the_callers_own() -> None:
    assert set(bounded_map(lambda _: threading.get_ident(), range(9), num_threads=1).results) == {
        threading.get_ident()
    }


def test_no_more_threads_are_started_than_find_work() -> None:
    def workers(_: object = None) -> int:
        time.sleep(0.05)
        return sum(thread.name == "telic-worker" for thread in threading.enumerate())

    before = workers()
    outcome = bounded_map(workers, range(3), num_threads=64)
    assert max(outcome.values()) <= before + 4  # three with an item, one that finds none
    assert workers() == before


async def test_cancelling_the_caller_cancels_what_is_in_flight() -> None:
    cancelled = 0

    async def work(item: int) -> None:
        nonlocal cancelled
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled += 1
            raise

    task = asyncio.create_task(abounded_map(work, range(100), limit=5))
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert cancelled == 5


async def test_cancelling_the_caller_wakes_portal_calls_of_the_stage() -> None:
    woken: list[BaseException] = []

    async def work(item: int) -> int:
        return item

    def then(item: int, value: int) -> None:
        try:
            run(asyncio.sleep(60))
        except BaseException as error:
            woken.append(error)
            raise

    task = asyncio.create_task(abounded_map(work, range(2), limit=2, then=then, num_threads=2))
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    for _ in range(100):
        if woken:
            break
        await asyncio.sleep(0.01)
    assert isinstance(woken[0], asyncio.CancelledError)


def test_an_item_that_cancels_itself_is_a_failure_and_no_end() -> None:
    async def work(item: int) -> int:
        if item == 1:
            raise asyncio.CancelledError
        return item

    outcome = asyncio.run(abounded_map(work, range(4), limit=2))
    assert outcome.values() == [0, 2, 3]
    assert [f.index for f in outcome.failures] == [1]


def test_an_outer_cancellation_ends_a_map_of_threads() -> None:
    stop = cancel.Cancellation()
    token = cancel.current.set(stop)
    threading.Timer(0.1, stop.cancel).start()
    began = time.monotonic()
    try:
        with pytest.raises(asyncio.CancelledError):
            bounded_map(lambda _: run(asyncio.sleep(60)), range(100), num_threads=4)
    finally:
        cancel.current.reset(token)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("threads", [1, 8])
def test_ctrl_c_ends_a_map_of_blocked_calls(threads: int) -> None:
    done = run_script(
        f"""
        import asyncio, os, signal, threading, time
        from telic.runtime.executor import bounded_map
        from telic.runtime.portal import run

        threading.Timer(0.4, os.kill, (os.getpid(), signal.SIGINT)).start()
        began = time.monotonic()
        try:
            bounded_map(lambda _: run(asyncio.sleep(60)), range(1000), num_threads={threads})
        except KeyboardInterrupt:
            print("interrupted", time.monotonic() - began < 4)
        """
    )
    assert done.stdout == "interrupted True\n", done.stderr
    assert done.stderr == ""


def test_ctrl_c_ends_a_portal_map_with_its_stage() -> None:
    done = run_script(
        """
        import asyncio, os, signal, threading, time
        from telic.runtime.executor import abounded_map
        from telic.runtime.portal import run

        async def work(item):
            return item

        threading.Timer(0.4, os.kill, (os.getpid(), signal.SIGINT)).start()
        began = time.monotonic()
        try:
            run(abounded_map(work, range(1000), limit=4, then=lambda i, v: run(asyncio.sleep(60))))
        except KeyboardInterrupt:
            print("interrupted", time.monotonic() - began < 4)
        """
    )
    assert done.stdout == "interrupted True\n", done.stderr
    assert done.stderr == ""


@every_form
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_nothing_is_lost_or_done_twice(form: Map, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, 60))
    limit = data.draw(st.integers(1, 9))
    bad = data.draw(st.sets(st.integers(0, max(0, count - 1))))
    done: list[int] = []
    lock = threading.Lock()

    def work(item: int) -> int:
        with lock:
            done.append(item)
        return fail_on(*bad)(item)

    outcome = form(work, iter(range(count)), limit=limit)
    assert sorted(done) == list(range(count))
    assert sorted(f.index for f in outcome.failures) == sorted(bad & set(range(count)))
    assert outcome.values() == [item * 10 for item in range(count) if item not in bad]
