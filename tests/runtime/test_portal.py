"""The portal runs coroutines for threads, as if they were called there."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
import traceback
from concurrent.futures import CancelledError

import pytest

from telic.runtime import cancel
from telic.runtime.portal import portal, run, submit
from tests.runtime.scripts import run_script

colour: contextvars.ContextVar[str] = contextvars.ContextVar("colour", default="none")


async def answer(value: object = 42) -> object:
    await asyncio.sleep(0)
    return value


async def deep_failure() -> None:
    await asyncio.sleep(0)
    raise LookupError("lost")


def test_run_gives_the_value() -> None:
    assert run(answer(7)) == 7


def test_run_raises_what_the_coroutine_raises_with_its_own_traceback() -> None:
    with pytest.raises(LookupError, match="lost") as caught:
        run(deep_failure())
    names = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert "deep_failure" in names


def test_an_error_leaves_no_reference_cycle() -> None:
    import gc

    class Big:
        pass

    async def fail() -> None:
        big = Big()
        raise ValueError(str(big))

    gc.collect()
    gc.disable()
    try:
        for _ in range(20):
            with pytest.raises(ValueError, match="Big"):
                run(fail())
        left = sum(type(thing) is Big for thing in gc.get_objects())
    finally:
        gc.enable()
    assert left <= 1


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
def test_exits_raised_inside_belong_to_the_caller_and_spare_the_loop(kind: type[BaseException]) -> None:
    async def leave() -> None:
        raise kind("bye")

    with pytest.raises(kind):
        run(leave())
    assert run(answer(1)) == 1


def test_the_callers_context_is_visible_inside_and_what_is_set_there_stays_there() -> None:
    async def look() -> str:
        seen = colour.get()
        colour.set("green")
        return seen

    token = colour.set("red")
    try:
        assert run(look()) == "red"
        assert colour.get() == "red"
        assert submit(look()).result(5) == "red"
    finally:
        colour.reset(token)


def test_calls_of_many_threads_run_at_the_same_time() -> None:
    async def nap() -> None:
        await asyncio.sleep(0.2)

    threads = [threading.Thread(target=lambda: run(nap())) for _ in range(32)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - began < 2.0  # one after the other: 6.4 s


def test_a_blocking_call_from_the_portals_own_loop_is_refused_with_the_remedy() -> None:
    async def outer() -> None:
        run(answer())

    with pytest.raises(RuntimeError, match="acall"):
        run(outer())  # and the coroutine that was not run gives no warning: warnings are errors here
    assert not portal.inside


async def test_it_works_under_a_running_loop_as_in_a_notebook() -> None:
    assert run(answer(3)) == 3
    assert await asyncio.to_thread(run, answer(4)) == 4


def test_submit_and_cancel() -> None:
    ended = threading.Event()

    async def forever() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    future = submit(forever())
    time.sleep(0.02)
    assert future.cancel()
    assert ended.wait(5)
    with pytest.raises(CancelledError):
        future.result(0)


def test_a_future_cancelled_before_it_began_never_hangs() -> None:
    for _ in range(200):
        future = submit(answer())
        if future.cancel():
            with pytest.raises(CancelledError):
                future.result(0)
        else:
            assert future.result(5) == 42
    assert run(answer(1)) == 1


def test_submit_passes_errors_and_cancellation_on() -> None:
    async def cancelled() -> None:
        raise asyncio.CancelledError

    assert isinstance(submit(deep_failure()).exception(5), LookupError)
    with pytest.raises(CancelledError):
        submit(cancelled()).result(5)


def test_cancellation_of_the_surrounding_work_wakes_a_blocked_call() -> None:
    stop = cancel.Cancellation()
    seen: list[asyncio.CancelledError] = []

    def work() -> None:
        cancel.current.set(stop)
        try:
            run(asyncio.sleep(60))
        except asyncio.CancelledError as error:
            seen.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    time.sleep(0.05)
    stop.cancel()
    thread.join(5)
    assert len(seen) == 1


def test_a_call_under_a_cancellation_already_set_is_cancelled_at_once() -> None:
    stop = cancel.Cancellation(cancel.Cancellation())
    stop.cancel()
    token = cancel.current.set(stop)
    try:
        with pytest.raises(asyncio.CancelledError):
            run(asyncio.sleep(60))
    finally:
        cancel.current.reset(token)


def test_a_cancelled_coroutine_is_left_to_clean_up() -> None:
    steps: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.01)
            steps.append("cleaned")

    stop = cancel.Cancellation()
    token = cancel.current.set(stop)
    try:
        threading.Timer(0.02, stop.cancel).start()
        with pytest.raises(asyncio.CancelledError):
            run(work())
        with pytest.raises(asyncio.CancelledError):
            run(work())
    finally:
        cancel.current.reset(token)
    assert steps == ["cleaned", "cleaned"]


def test_ctrl_c_cancels_the_coroutine_and_waits_for_its_end() -> None:
    done = run_script(
        """
        import asyncio, os, signal, threading
        from telic.runtime.portal import run

        async def work():
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                await asyncio.sleep(0.1)
                print("cleaned up", flush=True)
                raise

        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        try:
            run(work())
        except KeyboardInterrupt:
            print("interrupted")
        """
    )
    assert done.stdout == "cleaned up\ninterrupted\n", done.stderr
    assert done.stderr == ""


def test_the_end_of_the_process_is_quiet_and_runs_the_hooks() -> None:
    done = run_script(
        """
        import asyncio
        from telic.runtime.portal import portal, run, submit

        async def hook():
            print("closed", flush=True)

        async def forever():
            await asyncio.sleep(60)

        run(asyncio.sleep(0))
        portal.at_shutdown(hook)
        submit(forever())
        """
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "closed\n", "")


def test_after_shutdown_the_next_use_starts_anew() -> None:
    first = portal.loop
    portal.shutdown()
    assert run(answer(5)) == 5
    assert portal.loop is not first


def test_a_forked_child_gets_a_loop_of_its_own() -> None:
    done = run_script(
        """
        import asyncio, os, sys, warnings
        from telic.runtime.portal import portal, run

        async def pid():
            await asyncio.sleep(0.01)
            return os.getpid()

        assert run(pid()) == os.getpid()
        child = os.fork()
        if child == 0:
            ok = run(pid()) == os.getpid()
            grandchild = os.fork()
            if grandchild == 0:
                os._exit(0 if run(pid()) == os.getpid() else 3)
            ok = ok and os.waitpid(grandchild, 0)[1] == 0
            os._exit(0 if ok else 3)
        for _ in range(5):
            assert run(pid()) == os.getpid()
        assert os.waitpid(child, 0)[1] == 0
        assert run(pid()) == os.getpid()
        """
    )
    assert done.returncode == 0, done.stderr
