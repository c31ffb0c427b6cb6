"""What a program's tools are said to do: read, set, and kept right where a predictor's instructions list
them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from telic.errors import ProgramFileError
from telic.program.tree import named_parts


def named_tools(program: Any) -> list[tuple[str, Any]]:
    """Every `Tool` of `program` with its path, but for those that its modules bring along themselves, such as
    the one that ends an agent's turns.
    """
    from telic.types.tool import Tool

    return [(path, tool) for path, tool in named_parts(program, Tool) if not tool._built_in]


def tool_state(tool: Any) -> dict[str, Any]:
    """The texts of a tool as JSON: its name, and descriptions of it and of each argument."""
    told = {name: schema.get("description", "") for name, schema in (tool.args or {}).items()}
    return {"tool": tool.name, "desc": tool.desc or "", "args": told}


def is_tool_state(state: Any) -> bool:
    """Whether this is what `tool_state` gives."""
    return isinstance(state, Mapping) and "tool" in state


def check_tool_state(tool: Any, path: str, state: Mapping[str, Any]) -> None:
    """Raise `ProgramFileError` where a state does not fit a tool."""
    surplus = sorted(set(state["args"]) - set(tool.args or {}))
    if state["tool"] != tool.name or surplus:
        raise ProgramFileError(
            f"The state has texts of a tool '{state['tool']}' with the arguments {sorted(state['args'])} at "
            f"{path}; this program has '{tool.name}' there, with {sorted(tool.args or {})}."
        )


def set_tool_state(tool: Any, state: Mapping[str, Any]) -> None:
    """Set the texts of a tool; it is noted that they are no longer those it was made with."""
    if state == tool_state(tool):
        return
    tool.desc = state["desc"]
    for name, text in state["args"].items():
        if text != tool.args[name].get("description", ""):
            tool.args[name] = {**tool.args[name], "description": text}
    tool._rewritten = True


Listing = tuple[Any, Any, str]
"""A predictor, a tool, and the line by which the predictor's instructions list the tool."""


def listings(program: Any) -> list[Listing]:
    """Where instructions list tools."""
    tools = named_tools(program)
    if not tools:
        return []
    lines = [(tool, tool.format()) for _, tool in tools]
    return [
        (predictor, tool, line)
        for predictor in program.predictors()
        for tool, line in lines
        if line in predictor.signature.instructions
    ]


def list_again(found: list[Listing]) -> None:
    """After texts changed: have instructions list the tools as they are now.

    Instructions that were rewritten without a tool's line get it at their end: an agent that does not know
    its tools cannot use them.
    """
    for predictor, tool, before in found:
        text, now = predictor.signature.instructions, tool.format()
        if now in text:
            continue
        text = text.replace(before, now) if before in text else f"{text.rstrip()}\n{now}"
        predictor.signature = predictor.signature.with_instructions(text)
