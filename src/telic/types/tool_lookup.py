"""From the name in a call to the tool that is meant."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import BuiltinFunctionType, FrameType, FunctionType, MethodType
from typing import Any, Literal, TypeAlias

from telic.errors import InputError, ToolError
from telic.types.tool import Tool

Functions: TypeAlias = Mapping[str, Callable[..., Any]] | Sequence[Callable[..., Any]]
"""Tools and functions, by name or as a list."""


def find_tool(name: str, functions: Functions | None, caller: FrameType) -> Tool:
    """The tool that `name` means.

    Args:
        name: as a model wrote it.
        functions: where to look; `None` for the names that `caller` sees.
        caller: the frame that asks.

    Raises:
        InputError: there is none.
    """
    if functions is None:
        found = caller.f_locals.get(name, caller.f_globals.get(name))
        # Not classes, modules or whatever else a name may mean: a model chose it.
        if isinstance(found, (Tool, FunctionType, MethodType, BuiltinFunctionType)):
            return as_tool(found)
        raise InputError(f"The tool '{name}' was not found where it is called; give `functions`.")
    known = by_name(functions)
    if name not in known:
        raise InputError(f"The tool '{name}' was not found among: {', '.join(known) or 'none'}.")
    return as_tool(known[name])


def by_name(functions: Functions) -> dict[str, Callable[..., Any]]:
    """The functions under the names that calls use."""
    if isinstance(functions, Mapping):
        return dict(functions)
    return {_name(function): function for function in functions}


def as_tool(function: Callable[..., Any]) -> Tool:
    """A tool as it is; a function as one."""
    return function if isinstance(function, Tool) else Tool(function)


class failures_of:
    """A block in which a tool runs: what goes wrong in it becomes a `ToolError`, with its cause chained."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> Literal[False]:
        if isinstance(error, Exception):
            raise ToolError(f"The tool '{self._name}' failed: {type(error).__name__}: {error}") from error
        return False


def _name(function: Callable[..., Any]) -> str:
    if isinstance(function, Tool):
        return str(function.name)
    return str(getattr(function, "__name__", type(function).__name__))
