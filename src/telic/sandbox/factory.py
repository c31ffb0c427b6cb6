"""Which interpreter runs the code of a module."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from telic.errors import InputError
from telic.runtime.settings import settings
from telic.sandbox.interpreter import CodeInterpreter
from telic.sandbox.python_interpreter import PythonInterpreter


def resolve_interpreter_factory(
    factory: Callable[[], CodeInterpreter] | None = None,
) -> Callable[[], CodeInterpreter]:
    """The factory that makes the next interpreter: the module's own, or `settings.interpreter_factory`, or
    `PythonInterpreter`.

    Args:
        factory: the module's; `None` and `PythonInterpreter`, which is the modules' default, both mean that
            it has none.

    Raises:
        InputError: the one in the settings cannot be called (a `TypeError`).
    """
    if factory is not None and factory is not PythonInterpreter:
        return factory
    chosen: Any = settings.get("interpreter_factory")
    if chosen is None:
        return PythonInterpreter
    if not callable(chosen):
        raise InputError(f"interpreter_factory={chosen!r} must be callable without arguments, as a class is.")
    made: Callable[[], CodeInterpreter] = chosen
    return made
