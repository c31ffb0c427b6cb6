"""What a model wants called, and what came of it."""

from __future__ import annotations

import sys
from typing import Annotated, Any

from pydantic import Field, model_validator
from pydantic.json_schema import SkipJsonSchema

from telic._json import dumps
from telic.errors import InputError
from telic.types.base_type import Type
from telic.types.call_shapes import call_of, data_of_text
from telic.types.tool_lookup import Functions, failures_of, find_tool


class ToolCalls(Type):
    """The calls that a model asks for: `calls.tool_calls`, each with a `name` and `args`."""

    class ToolCall(Type):
        """One call. `id` is the provider's, where the call came natively."""

        id: SkipJsonSchema[str | None] = None
        name: str
        args: Annotated[dict[str, Any], Field(json_schema_extra={"additionalProperties": True})]

        def format(self) -> dict[str, Any]:
            """Name and arguments."""
            return {"name": self.name, "args": self.args}

        def execute(self, functions: Functions | None = None) -> Any:
            """Make the call, blocking.

            Args:
                functions: what the name may mean; `None` looks among what the caller sees.

            Raises:
                InputError: there is no such function.
                ToolError: it raised, or does not take the arguments (a `RuntimeError`); the cause is chained.
            """
            tool = find_tool(self.name, functions, sys._getframe(1))
            with failures_of(self.name):
                return tool(**self.args)

        async def aexecute(self, functions: Functions | None = None) -> Any:
            """`execute` on the running loop; blocking tools run in a thread."""
            tool = find_tool(self.name, functions, sys._getframe(1))
            with failures_of(self.name):
                return await tool.acall(**self.args)

    tool_calls: list[ToolCall]
    tool_call_results: SkipJsonSchema[Any | None] = None

    @classmethod
    def from_dict_list(cls, tool_calls_dicts: list[dict[str, Any]]) -> ToolCalls:
        """From `[{"name": …, "args": {…}}, …]`; OpenAI's shape of calls is read too.

        Raises:
            InputError: one of them is no call.
        """
        return cls(tool_calls=[cls.ToolCall.model_validate(call_of(item)) for item in tool_calls_dicts])

    @classmethod
    def description(cls) -> str:
        """Shows the JSON that is expected."""
        return (
            "Calls of tools, as a JSON object with the key `tool_calls`: a list with the `name` and `args` of"
            ' each call. For instance: {"tool_calls": [{"name": "lookup", "args": {"term": "tides"}}]}'
        )

    def format(self) -> dict[str, Any]:
        """`{"tool_calls": [{"name": …, "args": …}, …]}`."""
        return {"tool_calls": [call.format() for call in self.tool_calls]}

    def format_as_openai(self) -> list[dict[str, Any]]:
        """The calls as an assistant message carries them; calls without an id get `call_0`, `call_1`, …."""
        return [
            {
                "id": call.id or f"call_{number}",
                "type": "function",
                "function": {"name": call.name, "arguments": dumps(call.args)},
            }
            for number, call in enumerate(self.tool_calls)
        ]

    @model_validator(mode="before")
    @classmethod
    def validate_input(cls, data: Any) -> Any:
        """Calls from JSON text, a list of calls, one call, or `{"tool_calls": list}`."""
        if isinstance(data, ToolCalls):
            return {"tool_calls": data.tool_calls, "tool_call_results": data.tool_call_results}
        if isinstance(data, str):
            data = data_of_text(data)
        if isinstance(data, ToolCalls.ToolCall):
            return {"tool_calls": [data]}
        if isinstance(data, (list, tuple)):
            return {"tool_calls": [call_of(item) for item in data]}
        if isinstance(data, dict) and isinstance(data.get("tool_calls"), (list, tuple)):
            return {**data, "tool_calls": [call_of(item) for item in data["tool_calls"]]}
        if isinstance(data, dict) and ("name" in data or "function" in data):
            return {"tool_calls": [call_of(data)]}
        raise InputError(
            f"ToolCalls: a list of calls, each with `name` and `args`, is needed, not {data!r:.200}."
        )
