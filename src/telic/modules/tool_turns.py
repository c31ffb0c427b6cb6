"""For agents that call several tools in a turn: tools by name, their calls, the tool that answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from telic.errors import InputError
from telic.runtime.steps import Do
from telic.runtime.tools import Called, Tool, calling
from telic.signatures.validation import json_schema, validate


def tools_by_name(tools: Sequence[Callable[..., Any] | Tool]) -> dict[str, Tool]:
    """Tools by what the model calls them.

    Raises:
        InputError: two have one name.
    """
    made: dict[str, Tool] = {}
    for tool in tools:
        wrapped = tool if isinstance(tool, Tool) else Tool(tool)
        name = str(wrapped.name)
        if name in made:
            raise InputError(f"Two tools are called '{name}'. Give one another name: Tool(func, name='…').")
        made[name] = wrapped
    return made


def answering_tool(name: str, signature: Any) -> Tool:
    """A tool whose arguments are the outputs of a signature; it gives them back, each of its type.

    It raises what is wrong with them, in words for the model.
    """
    fields = signature.output_fields

    def answer(**values: Any) -> dict[str, Any]:
        missing = [field for field in fields if field not in values]
        if missing:
            raise InputError(f"missing: {', '.join(missing)}.")
        return {field: validate(fields[field], values[field]) for field in fields}

    tool = Tool(
        answer,
        name=name,
        desc="Gives the final outputs and ends the task.",
        args={field: json_schema(fields[field]) for field in fields},
        arg_types=dict.fromkeys(fields, Any),
    )
    tool._built_in = True
    return tool


def called_together(
    calls: Sequence[Any], known: Mapping[str, Tool], problems: Mapping[int, str] | None = None
) -> Do:
    """The step that makes calls, side by side where there are several; its outcome is a `Called` for each.

    Args:
        calls: each with a `name` and `args`.
        known: the tools there are.
        problems: why some calls, by their position, cannot be made.
    """
    wrong = problems or {}
    steps = [_call(call, known, wrong.get(at)) for at, call in enumerate(calls)]

    def perform() -> list[Called]:
        if len(steps) < 2:
            return [step.perform() for step in steps]
        from telic.runtime.executor import bounded_map

        outcome = bounded_map(lambda step: step.perform(), steps, num_threads=len(steps))
        if outcome.failures:  # what `calling` lets through, such as a spent budget
            raise outcome.failures[0].error
        return [called for called in outcome.results if called is not None]

    async def aperform() -> list[Called]:
        import asyncio

        return list(await asyncio.gather(*(step.aperform() for step in steps)))

    return Do(perform, aperform)


def _call(call: Any, known: Mapping[str, Tool], problem: str | None) -> Do:
    tool = known.get(call.name)
    if tool is not None and problem is None:
        return calling(tool, call.args)
    unknown = f"There is no tool '{call.name}'. There are: {', '.join(known)}."
    failed = Called(error=InputError(problem if tool is not None and problem else unknown))

    async def answer() -> Called:
        return failed

    return Do(lambda: failed, answer)
