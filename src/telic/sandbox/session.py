"""An interpreter for the time of one run, and running code in it both ways."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from telic.errors import CodeExecutionError
from telic.runtime.steps import Do
from telic.sandbox.factory import resolve_interpreter_factory
from telic.sandbox.interpreter import CodeInterpreter


@contextmanager
def session(
    factory: Callable[[], CodeInterpreter] | None, owned: CodeInterpreter | None = None
) -> Iterator[CodeInterpreter]:
    """An interpreter, shut down at the end of the block.

    Args:
        factory: makes it; see `resolve_interpreter_factory`.
        owned: the caller's own, which is taken instead and left running.
    """
    if owned is not None:
        yield owned
        return
    interpreter = resolve_interpreter_factory(factory)()
    try:
        yield interpreter
    finally:
        interpreter.shutdown()


class Ran:
    """What came of some code.

    Attributes:
        result: what `execute` returned.
        error: what went wrong, in words for the model, or `None`.
        state_lost: whether the variables are gone.
    """

    __slots__ = ("error", "result", "state_lost")

    def __init__(self, result: Any = None, error: str | None = None, state_lost: bool = False) -> None:
        self.result = result
        self.error = error
        self.state_lost = state_lost


def running(interpreter: CodeInterpreter, code: str, variables: Mapping[str, Any] | None = None) -> Do:
    """The step that runs code, in a thread where the caller is a coroutine; its outcome is a `Ran`.

    It raises what no other code could mend: `CodeInterpreterError`, a spent budget.
    """

    def run() -> Ran:
        try:
            return Ran(interpreter.execute(code, dict(variables) if variables else None))
        except CodeExecutionError as error:
            return Ran(error=error.message, state_lost=error.state_lost)
        except SyntaxError as error:  # of interpreters that are not ours
            return Ran(error=str(error))

    async def arun() -> Ran:
        import asyncio

        return await asyncio.to_thread(run)

    return Do(run, arun)
