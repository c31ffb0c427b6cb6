"""Blocking programs awaited, async programs called: in every place, in the caller's context."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest

import telic
from telic.program.ways import Synced, asyncify, awaits_natively, syncify
from telic.runtime import portal, scope as scopes
from telic.runtime.settings import settings
from tests.scripted import ScriptedLM, chat


class Blocking(telic.Module):
    """Says in which thread and settings it ran."""

    def forward(self, seconds: float = 0.0) -> Any:
        time.sleep(seconds)
        return threading.get_ident(), settings.max_errors, scopes.current().rollout_id


class Awaited(telic.Module):
    def __init__(self) -> None:
        self.step = telic.Predict("question -> answer")

    async def aforward(self, question: str = "q") -> Any:
        await asyncio.sleep(0)
        return await self.step.acall(question=question)


class Both(telic.Module):
    def forward(self) -> str:
        return "forward"

    async def aforward(self) -> str:
        return "aforward"


def lm() -> ScriptedLM:
    return ScriptedLM(lambda _: chat(answer="so"))


class TestAsyncify:
    async def test_a_blocking_program_runs_in_a_thread_in_the_callers_context(self) -> None:
        call = asyncify(Blocking())
        with telic.context(max_errors=77), scopes.within(rollout_id="r"):
            thread, max_errors, rollout = await call()
        assert thread != threading.get_ident()
        assert (max_errors, rollout) == (77, "r")

    async def test_so_does_a_function(self) -> None:
        assert await asyncify(lambda a, b=1: (a, b, threading.get_ident()))(2, b=3) != (
            2,
            3,
            threading.get_ident(),
        )

    async def test_the_loop_stays_free(self) -> None:
        turns = 0

        async def count() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0.005)
                turns += 1

        counting = asyncio.create_task(count())
        await asyncify(Blocking())(seconds=0.1)
        counting.cancel()
        assert turns > 3

    @pytest.mark.parametrize("most", [1, 3])
    async def test_as_many_at_a_time_as_the_settings_say(self, most: int) -> None:
        lock, running, peak = threading.Lock(), 0, 0

        def work(number: int) -> int:
            nonlocal running, peak
            with lock:
                running += 1
                peak = max(peak, running)
            time.sleep(0.01)
            with lock:
                running -= 1
            return number

        with telic.context(async_max_workers=most):
            numbers = await asyncio.gather(*(asyncify(work)(n) for n in range(8)))
        assert numbers == list(range(8))
        assert peak == most

    async def test_more_than_a_default_pool_holds(self) -> None:
        together = threading.Barrier(40, timeout=5)
        with telic.context(async_max_workers=40):
            await asyncio.gather(*(asyncify(together.wait)() for _ in range(40)))

    async def test_one_that_waits_can_be_cancelled(self) -> None:
        release = threading.Event()
        with telic.context(async_max_workers=1):
            first = asyncio.create_task(asyncify(release.wait)())
            await asyncio.sleep(0.01)
            second = asyncio.create_task(asyncify(Blocking())())
            third = asyncio.create_task(asyncify(Blocking())())
            await asyncio.sleep(0.01)
            second.cancel()
            release.set()
            assert await first
            assert await third
        with pytest.raises(asyncio.CancelledError):
            await second

    async def test_an_error_is_the_callers(self) -> None:
        def fail() -> None:
            raise LookupError("gone")

        def stop() -> None:
            raise StopIteration

        with pytest.raises(LookupError, match="gone"):
            await asyncify(fail)()
        with pytest.raises(RuntimeError, match="StopIteration"):
            await asyncify(stop)()

    async def test_what_can_be_awaited_needs_no_thread(self) -> None:
        class Telling(telic.Module):
            async def aforward(self) -> int:
                await asyncio.sleep(0)
                return threading.get_ident()

        with telic.context(async_max_workers=1):
            threads = await asyncio.gather(*(asyncify(Telling())() for _ in range(5)))
        assert set(threads) == {threading.get_ident()}

    def test_which_programs_those_are(self) -> None:
        class Own(telic.Predict):
            def forward(self, **kwargs: Any) -> Any:
                return super().forward(**kwargs)

        async def function() -> None: ...

        native = [telic.Predict("q -> a"), telic.ChainOfThought("q -> a"), Awaited(), function]
        assert [awaits_natively(program) for program in native] == [True] * 4
        blocking = [Blocking(), Both(), Own("q -> a"), len, lambda: 1]
        assert [awaits_natively(program) for program in blocking] == [False] * 5

    async def test_cancelling_stops_the_request_in_the_thread(self) -> None:
        from telic.testing.server import LocalServer

        class Asking(telic.Module):
            def __init__(self) -> None:
                self.step = telic.Predict("question -> answer")

            def forward(self, question: str) -> Any:
                return self.step(question=question)

        with LocalServer(reply=chat(answer="so"), latency=30) as server:
            telic.configure(lm=telic.LM("openai/test", api_base=server.url, api_key="k", cache=False))
            task = asyncio.create_task(asyncify(Asking())(question="q"))
            while not server.count:
                await asyncio.sleep(0.005)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            async with asyncio.timeout(5):
                while not server.dropped:
                    await asyncio.sleep(0.005)


class TestSyncify:
    @pytest.mark.parametrize("in_place", [True, False])
    def test_without_a_loop(self, in_place: bool) -> None:
        telic.configure(lm=lm())
        program = Awaited()
        made = syncify(program, in_place=in_place)
        assert (made is program) is in_place
        assert made(question="q").answer == "so"
        assert made.forward(question="q").answer == "so"
        assert [path for path, _ in made.named_predictors()] == ["step" if in_place else "program.step"]

    @pytest.mark.parametrize("in_place", [True, False])
    async def test_under_a_running_loop(self, in_place: bool) -> None:
        telic.configure(lm=lm())
        assert syncify(Awaited(), in_place=in_place)(question="q").answer == "so"

    @pytest.mark.parametrize("in_place", [True, False])
    def test_on_telics_own_loop(self, in_place: bool) -> None:
        telic.configure(lm=lm())
        made = syncify(Awaited(), in_place=in_place)

        async def inside() -> Any:
            with telic.context(max_errors=5):
                return made(question="q")

        assert portal.run(inside()).answer == "so"

    def test_the_async_way_is_the_one(self) -> None:
        assert syncify(Both())() == "aforward"
        both = Both()
        assert syncify(both, in_place=False)() == "aforward"
        assert both() == "forward"

    def test_in_the_callers_context(self) -> None:
        class Telling(telic.Module):
            async def aforward(self) -> Any:
                return settings.max_errors, scopes.current().rollout_id

        with telic.context(max_errors=77), scopes.within(rollout_id="r"):
            for in_place in (True, False):
                assert syncify(Telling(), in_place=in_place)() == (77, "r")

    def test_a_copy_is_a_program_of_its_own(self) -> None:
        telic.configure(lm=lm())
        made = syncify(Awaited())
        copy = made.deepcopy()
        copy.step.lm = ScriptedLM(lambda _: chat(answer="copy"))
        assert (made(question="q").answer, copy(question="q").answer) == ("so", "copy")
        assert copy.forward(question="q").answer == "copy"

    async def test_it_can_still_be_awaited(self) -> None:
        telic.configure(lm=lm())
        for in_place in (True, False):
            made = syncify(Awaited(), in_place=in_place)
            assert (await made.acall(question="q")).answer == "so"
        assert isinstance(made, Synced)

    def test_a_coroutine_function(self) -> None:
        async def double(number: int) -> int:
            await asyncio.sleep(0)
            return 2 * number

        assert syncify(double)(4) == 8

    def test_errors_are_raised(self) -> None:
        async def fail() -> None:
            raise LookupError("gone")

        with pytest.raises(LookupError, match="gone"):
            syncify(fail)()

        async def inside() -> None:
            syncify(fail)()

        with pytest.raises(LookupError, match="gone"):
            portal.run(inside())
