"""What tools gave back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, model_validator

from telic._json import dumps
from telic.errors import InputError
from telic.types.tool_calls import ToolCalls


class ToolCallResults(BaseModel):
    """The values (or errors) of calls, in their order."""

    class ToolCallResult(BaseModel):
        """The value of one call; where `is_error`, what went wrong."""

        call_id: str | None = None
        name: str
        value: Any
        is_error: bool = False

    tool_call_results: list[ToolCallResult]

    @classmethod
    def from_tool_calls_and_values(
        cls,
        tool_calls: ToolCalls | Sequence[ToolCalls.ToolCall],
        values: Sequence[Any],
        is_errors: Sequence[bool] | None = None,
    ) -> ToolCallResults:
        """Put calls and their values together.

        Raises:
            InputError: they are not of the same number.
        """
        calls = tool_calls.tool_calls if isinstance(tool_calls, ToolCalls) else tool_calls
        failed = [False] * len(calls) if is_errors is None else is_errors
        if not len(calls) == len(values) == len(failed):
            raise InputError(
                f"There must be one value for each call: {len(calls)} calls, {len(values)} values,"
                f" {len(failed)} marks."
            )
        rows = zip(calls, values, failed, strict=True)
        return cls(
            tool_call_results=[
                cls.ToolCallResult(call_id=call.id, name=call.name, value=value, is_error=wrong)
                for call, value, wrong in rows
            ]
        )

    def format_as_openai(self) -> list[dict[str, Any]]:
        """A message with the role `tool` for each; ids as `ToolCalls.format_as_openai` gives them."""
        return [
            {"role": "tool", "tool_call_id": row.call_id or f"call_{number}", "content": _text(row.value)}
            for number, row in enumerate(self.tool_call_results)
        ]

    @model_validator(mode="before")
    @classmethod
    def validate_input(cls, data: Any) -> Any:
        """Results from a list of them, or `{"tool_call_results": list}`."""
        if isinstance(data, ToolCallResults):
            return {"tool_call_results": data.tool_call_results}
        if isinstance(data, (list, tuple)):
            return {"tool_call_results": list(data)}
        if isinstance(data, dict) and "tool_call_results" in data:
            return data
        raise InputError(f"ToolCallResults: a list of results is needed, not {data!r:.200}.")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else dumps(value)
