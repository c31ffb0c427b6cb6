"""Tools of LangChain. Works on the tool object alone; `langchain_core` is not imported."""

from __future__ import annotations

from typing import Any

from telic.errors import InputError
from telic.types.mcp_tool import tool_of_schema
from telic.types.tool_schema import inlined


def tool_of_langchain(cls: Any, tool: Any) -> Any:
    """See `Tool.from_langchain`."""
    if not all(hasattr(tool, name) for name in ("name", "args", "invoke", "ainvoke")):
        raise InputError(f"Tool: a value of type {type(tool).__name__} is no LangChain tool (a BaseTool).")

    def call(**arguments: Any) -> Any:
        return tool.invoke(arguments)

    async def acall(**arguments: Any) -> Any:
        return await tool.ainvoke(arguments)

    # A StructuredTool may have a coroutine alone; `invoke` then raises.
    only_async = getattr(tool, "func", call) is None and getattr(tool, "coroutine", None) is not None
    made = tool_of_schema(cls, acall if only_async else call, tool.name, tool.description, _schema(tool))
    made._afunc = acall
    return made


def _schema(tool: Any) -> dict[str, Any]:
    """The JSON schema of what a model gives (injected arguments are not among it)."""
    shape = getattr(tool, "tool_call_schema", None) or getattr(tool, "args_schema", None)
    if isinstance(shape, dict):
        return inlined(shape)
    if shape is not None and hasattr(shape, "model_json_schema"):
        return inlined(shape.model_json_schema())
    required = [name for name, schema in tool.args.items() if "default" not in schema]
    return inlined({"properties": tool.args, "required": required})
