"""Calls as an agent reads them: one whose arguments cannot be read is no failure, but something to say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field, model_validator
from pydantic.json_schema import SkipJsonSchema

from telic.errors import InputError
from telic.types import ToolCalls
from telic.types.call_shapes import call_of


class SpokenCalls(ToolCalls):
    """Native calls of a model.

    Attributes:
        problems: why calls, by their position, cannot be made; their arguments are then empty.
    """

    problems: SkipJsonSchema[dict[int, str]] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def validate_input(cls, data: Any) -> Any:
        """Calls as `ToolCalls` reads them, but for those with a name and arguments that are no object."""
        if not isinstance(data, (list, tuple)):
            return {"tool_calls": ToolCalls.model_validate(data).tool_calls}
        problems: dict[int, str] = {}
        calls = [_read(item, at, problems) for at, item in enumerate(data)]
        return {"tool_calls": calls, "problems": problems}


def _read(item: Any, at: int, problems: dict[int, str]) -> Any:
    try:
        call = call_of(item)
    except InputError as error:
        call, problem = None, str(error)
    else:
        if not isinstance(call, Mapping) or isinstance(call["args"], Mapping):
            return call
        problem = f"The arguments of '{call['name']}' are no JSON object: {call['args']!r:.200}"
    name = item.get("name") or (item.get("function") or {}).get("name")
    if not name:  # nobody can say what was meant to be called
        raise InputError(problem)
    problems[at] = problem
    return {"id": item.get("id"), "name": name, "args": {}}
