"""One pipeline, two drivers.

A pipeline is a generator that yields *steps*: what it wants done, not how. `drive` performs the steps in the
calling thread, `adrive` on the running event loop; the logic between the steps is written once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from typing import Any, Protocol, TypeVar

R = TypeVar("R")


class Step(Protocol):
    """Something that can be done both ways."""

    def perform(self) -> Any:
        """Do it in this thread, blocking."""
        ...

    def aperform(self) -> Awaitable[Any]:
        """Do it on the running loop."""
        ...


Steps = Generator[Step, Any, R]


class Do:
    """A step from a pair of functions."""

    __slots__ = ("_async", "_sync")

    def __init__(self, sync: Callable[[], Any], asynchronous: Callable[[], Awaitable[Any]]) -> None:
        self._sync = sync
        self._async = asynchronous

    def perform(self) -> Any:
        """Call the blocking one."""
        return self._sync()

    def aperform(self) -> Awaitable[Any]:
        """Begin the other."""
        return self._async()


def drive(steps: Steps[R]) -> R:
    """Run a pipeline to its result in this thread."""
    try:
        step = next(steps)
        while True:
            try:
                value = step.perform()
            except BaseException as error:  # noqa: BLE001 - handed to the pipeline, which decides
                step = steps.throw(error)
            else:
                step = steps.send(value)
    except StopIteration as end:
        result: R = end.value
        return result


async def adrive(steps: Steps[R]) -> R:
    """Run a pipeline to its result on the running loop."""
    try:
        step = next(steps)
        while True:
            try:
                value = await step.aperform()
            except BaseException as error:  # noqa: BLE001 - handed to the pipeline, which decides
                step = steps.throw(error)
            else:
                step = steps.send(value)
    except StopIteration as end:
        result: R = end.value
        return result
