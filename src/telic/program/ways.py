"""A program called the other way: a blocking one awaited, an async one called; and which way suits it."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Coroutine
from types import MethodType
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

from telic.program.module import Module, defines
from telic.program.predict import Predict
from telic.program.stepped import SteppedModule
from telic.runtime.settings import settings

if TYPE_CHECKING:
    import asyncio

R = TypeVar("R")

_OWN_FORWARDS = (Predict.forward, SteppedModule.forward)


def awaits_natively(program: Any) -> bool:
    """Whether a program runs as a coroutine without a thread: its async way is its own, or its only one.

    A program with a hand-written `forward` is called by that, even where it has an `aforward` too.
    """
    if inspect.iscoroutinefunction(program) or inspect.iscoroutinefunction(type(program).__call__):
        return True
    if not hasattr(program, "acall"):
        return False
    return not defines(program, "forward") or (
        getattr(type(program), "forward", None) in _OWN_FORWARDS and "forward" not in vars(program)
    )


async def arun(program: Any, args: tuple[Any, ...], kwargs: dict[str, Any], *, native: bool = False) -> Any:
    """Run a program on the loop where it can, else in a thread of its own.

    Args:
        program: a module or any callable.
        args: for it.
        kwargs: for it.
        native: use its async way if it has one, whatever else it has.
    """
    if native or awaits_natively(program):
        call = getattr(program, "acall", program)
        value = call(*args, **kwargs)
        return await value if inspect.isawaitable(value) else value
    from telic.runtime.threads import in_thread

    return await in_thread(program, *args, **kwargs)


def run(program: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call a program, blocking; one that can only be awaited runs on telic's own loop."""
    value = program(*args, **kwargs)
    return run_coroutine(value) if inspect.iscoroutine(value) else value


def run_coroutine(coroutine: Coroutine[Any, Any, R]) -> R:
    """Wait for a coroutine here, whether or not a loop runs in this thread; in the caller's context."""
    from telic.runtime.threads import await_here

    return await_here(coroutine)


def asyncify(program: Any) -> Callable[..., Awaitable[Any]]:
    """Make a function that awaits `program`, beside whatever else the running loop does.

    A program that blocks runs in a thread, `settings.async_max_workers` of them at a time; one with an async
    way of its own needs none. Settings and scope of the caller hold inside.

    Args:
        program: a module, or any callable.
    """

    async def acalled(*args: Any, **kwargs: Any) -> Any:
        if awaits_natively(program):
            return await arun(program, args, kwargs)
        places = _places()
        await places.enter()
        try:
            return await arun(program, args, kwargs)
        finally:
            places.leave()

    return acalled


def syncify(program: Any, in_place: bool = True) -> Any:
    """Make a program that can only be awaited callable from blocking code, under a running loop too.

    Args:
        program: a module with an `aforward`, or a coroutine function.
        in_place: give the module itself a `forward`; otherwise it stays as it is, and a module around it is
            returned. A function is never changed.
    """
    if not isinstance(program, Module):
        return lambda *args, **kwargs: run(program, args, kwargs)
    if not in_place:
        return Synced(program)
    if defines(program, "aforward"):
        # A method, so that a copy of the program gets one of its own.
        program.__dict__["forward"] = MethodType(_forward, program)
    return program


class Synced(Module):
    """A module around one that can only be awaited.

    Args:
        program: that one.
    """

    def __init__(self, program: Any) -> None:
        self.program = program

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Run it, blocking."""
        return run_coroutine(self.program.acall(*args, **kwargs))

    async def aforward(self, *args: Any, **kwargs: Any) -> Any:
        """Run it on the running loop."""
        return await self.program.acall(*args, **kwargs)


def _forward(self: Any, *args: Any, **kwargs: Any) -> Any:
    return run_coroutine(self.aforward(*args, **kwargs))


class _Places:
    """How many blocking programs of one loop may run at a time: as many as the settings say when one asks."""

    def __init__(self) -> None:
        self._taken = 0
        self._waiting: list[asyncio.Future[None]] = []

    async def enter(self) -> None:
        """Wait for a place."""
        import asyncio

        while self._taken >= settings.async_max_workers:
            waiter = asyncio.get_running_loop().create_future()
            self._waiting.append(waiter)
            try:
                await waiter
            except asyncio.CancelledError:
                if waiter.cancelled():
                    self._waiting.remove(waiter)
                else:  # it was this one's turn
                    self._call_next()
                raise
        self._taken += 1

    def leave(self) -> None:
        """Give the place back."""
        self._taken -= 1
        self._call_next()

    def _call_next(self) -> None:
        while self._waiting:
            waiter = self._waiting.pop(0)
            if not waiter.done():
                waiter.set_result(None)
                return


_places_by_loop: WeakKeyDictionary[Any, _Places] = WeakKeyDictionary()


def _places() -> _Places:
    import asyncio

    return _places_by_loop.setdefault(asyncio.get_running_loop(), _Places())
