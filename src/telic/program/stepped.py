"""Modules of several calls whose body is written once: a generator of steps, driven either way."""

from __future__ import annotations

from typing import Any

from telic.program.module import Module
from telic.runtime.steps import Steps, adrive, drive


class Call:
    """A step that calls a module with keywords, by whichever way the caller is driven.

    Args:
        module: a module, a predictor, or any callable with an optional `acall`.
        **inputs: its inputs.
    """

    __slots__ = ("_inputs", "_module")

    def __init__(self, module: Any, **inputs: Any) -> None:
        self._module = module
        self._inputs = inputs

    def perform(self) -> Any:
        """Call it, blocking."""
        return self._module(**self._inputs)

    async def aperform(self) -> Any:
        """Await it; what has no async way runs in a thread."""
        acall = getattr(self._module, "acall", None)
        if acall is not None:
            return await acall(**self._inputs)
        import asyncio

        return await asyncio.to_thread(self._module, **self._inputs)


class SteppedModule(Module):
    """A module with one body for both ways: define `steps`, which yields steps and returns the result.

    class Twice(SteppedModule):
        def __init__(self):
            self.answer = Predict("question -> answer")

        def steps(self, **inputs):
            first = yield Call(self.answer, **inputs)
            return (yield Call(self.answer, question=first.answer))
    """

    def steps(self, *args: Any, **inputs: Any) -> Steps[Any]:
        """The body."""
        raise NotImplementedError(f"{type(self).__name__} defines no steps().")

    def forward(self, *args: Any, **inputs: Any) -> Any:
        """Run the body, blocking."""
        return drive(self.steps(*args, **inputs))

    async def aforward(self, *args: Any, **inputs: Any) -> Any:
        """Run the body on the running loop."""
        return await adrive(self.steps(*args, **inputs))
