"""Tools as code calls them: by a name that is an identifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from telic.errors import InputError


def tools_by_name(tools: Any) -> dict[str, Any]:
    """The user's tools under their names.

    Raises:
        InputError: it is no list, something in it cannot be called, or two have one name.
    """
    from telic.types.tool import Tool

    if tools is None:
        return {}
    if isinstance(tools, Mapping) or not isinstance(tools, Sequence):
        raise InputError("tools must be a list of functions; name one with telic.Tool(func, name='…').")
    made: dict[str, Any] = {}
    for tool in tools:
        if not callable(tool):
            raise InputError(f"A tool must be callable, but {tool!r:.80} is not.")
        wrapped = tool if isinstance(tool, Tool) else Tool(tool)
        name = str(wrapped.name)
        if not name.isidentifier():
            raise InputError(
                f"'{name}' cannot be called in code: give the tool a name, Tool(func, name='…')."
            )
        if name in made:
            raise InputError(f"Two tools are called '{name}'. Give one another name: Tool(func, name='…').")
        made[name] = wrapped
    return made
