"""Every place in which a program's code may find itself running."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

from telic.runtime.executor import abounded_map, bounded_map
from telic.runtime.portal import run, submit

Probe = Callable[[], Any]
Place = Callable[[Probe], Any]


async def _call(probe: Probe) -> Any:
    await asyncio.sleep(0)
    value = probe()
    await asyncio.sleep(0)
    return value


def here(probe: Probe) -> Any:
    return probe()


def executor_with_one_thread(probe: Probe) -> Any:
    return _only(bounded_map(lambda _: probe(), [0], num_threads=1))


def executor_thread(probe: Probe) -> Any:
    return _only(bounded_map(lambda _: probe(), [0], num_threads=4))


def executor_in_executor(probe: Probe) -> Any:
    return executor_thread(lambda: executor_thread(probe))


def coroutine_map(probe: Probe) -> Any:
    return _only(asyncio.run(abounded_map(lambda _: _call(probe), [0], limit=2)))


def blocking_stage(probe: Probe) -> Any:
    async def nothing(_: int) -> None:
        await asyncio.sleep(0)

    return _only(run(abounded_map(nothing, [0], limit=2, then=lambda _, __: probe())))


def portal_coroutine(probe: Probe) -> Any:
    return run(_call(probe))


def portal_future(probe: Probe) -> Any:
    return submit(_call(probe)).result(10)


def executor_thread_to_portal(probe: Probe) -> Any:
    return executor_thread(lambda: portal_coroutine(probe))


def own_loop(probe: Probe) -> Any:
    return asyncio.run(_call(probe))


def task(probe: Probe) -> Any:
    async def main() -> Any:
        return await asyncio.create_task(_call(probe))

    return asyncio.run(main())


def gathered(probe: Probe) -> Any:
    async def main() -> Any:
        return (await asyncio.gather(_call(lambda: None), _call(probe), _call(lambda: None)))[1]

    return asyncio.run(main())


def to_thread(probe: Probe) -> Any:
    async def main() -> Any:
        return await asyncio.to_thread(probe)

    return asyncio.run(main())


def loop_in_a_thread_of_a_task(probe: Probe) -> Any:
    async def main() -> Any:
        return await asyncio.create_task(_in_thread(lambda: asyncio.run(_call(probe))))

    return asyncio.run(main())


def blocking_call_under_a_running_loop(probe: Probe) -> Any:
    """As in a notebook: the cell is plain code, called while a loop runs in its thread."""

    async def cell() -> Any:
        return probe()

    return asyncio.run(cell())


def portal_under_a_running_loop(probe: Probe) -> Any:
    return blocking_call_under_a_running_loop(lambda: portal_coroutine(probe))


def executor_under_a_running_loop(probe: Probe) -> Any:
    return blocking_call_under_a_running_loop(lambda: executor_thread(probe))


def thread_of_a_portal_task(probe: Probe) -> Any:
    return run(_in_thread(probe))


def bare_thread(probe: Probe) -> Any:
    """Python gives it an empty context."""
    seen: list[Any] = []
    thread = threading.Thread(target=lambda: seen.append(probe()))
    thread.start()
    thread.join()
    return seen[0]


def pool_of_the_loop(probe: Probe) -> Any:
    """Python gives it an empty context, too."""

    async def main() -> Any:
        return await asyncio.get_running_loop().run_in_executor(None, probe)

    return asyncio.run(main())


async def _in_thread(probe: Probe) -> Any:
    return await asyncio.to_thread(probe)


def _only(outcome: Any) -> Any:
    for failure in outcome.failures:
        raise failure.error
    (value,) = outcome.results
    return value


PLACES = [
    here,
    executor_with_one_thread,
    executor_thread,
    executor_in_executor,
    coroutine_map,
    blocking_stage,
    portal_coroutine,
    portal_future,
    executor_thread_to_portal,
    own_loop,
    task,
    gathered,
    to_thread,
    loop_in_a_thread_of_a_task,
    blocking_call_under_a_running_loop,
    portal_under_a_running_loop,
    executor_under_a_running_loop,
    thread_of_a_portal_task,
]
"""All of these carry the context of the caller along."""
BARE = [bare_thread, pool_of_the_loop]
"""These begin with an empty one."""

_ON_THE_PORTAL = [portal_coroutine, portal_future, executor_thread_to_portal, portal_under_a_running_loop]
_USE_THE_PORTAL = [blocking_stage, thread_of_a_portal_task, *_ON_THE_PORTAL]
_ON_A_LOOP = [
    coroutine_map,
    own_loop,
    task,
    gathered,
    loop_in_a_thread_of_a_task,
    blocking_call_under_a_running_loop,
    *_ON_THE_PORTAL,
]
_START_A_LOOP = [
    coroutine_map,
    own_loop,
    task,
    gathered,
    to_thread,
    loop_in_a_thread_of_a_task,
    blocking_call_under_a_running_loop,
    portal_under_a_running_loop,
    executor_under_a_running_loop,
]


def can_go_on(first: Place, second: Place) -> bool:
    """Whether code that runs in the first place can go to the second."""
    if first in _ON_THE_PORTAL and second in _USE_THE_PORTAL:
        return False
    return not (first in _ON_A_LOOP and second in _START_A_LOOP)
