"""Tools of MCP servers. Works on the session and tool objects of the package `mcp`, of either spelling."""

from __future__ import annotations

from typing import Any

from telic.errors import InputError, ToolError
from telic.types.audio import Audio
from telic.types.image import Image
from telic.types.tool_arguments import type_of_schema
from telic.types.tool_schema import inlined

_MODES = ("text", "structured")


def tool_of_mcp(cls: Any, session: Any, tool: Any, result_mode: str, loop: Any) -> Any:
    """See `Tool.from_mcp_tool`."""
    if result_mode not in _MODES:
        raise InputError(f"Tool: the result_mode {result_mode!r} is none of {', '.join(_MODES)}.")
    home = loop or _running_loop()

    async def call(**arguments: Any) -> Any:
        asked = session.call_tool(tool.name, arguments=arguments)
        return value_of(await _on(home, asked, tool.name), tool.name, result_mode)

    schema = inlined(_either(tool, "inputSchema", "input_schema") or {})
    made = tool_of_schema(cls, call, tool.name, tool.description, schema)
    made._home = home
    return made


def tool_of_schema(cls: Any, function: Any, name: str, desc: str | None, schema: dict[str, Any]) -> Any:
    """A tool whose arguments are described by the JSON schema of an object."""
    properties = {
        key: value if isinstance(value, dict) else {} for key, value in schema.get("properties", {}).items()
    }
    made = cls(
        function,
        name=name,
        desc="",
        args=properties,
        arg_types={key: type_of_schema(value) for key, value in properties.items()},
        arg_desc={key: value["description"] for key, value in properties.items() if value.get("description")},
        has_kwargs=schema.get("additionalProperties") is not False,
    )
    made.desc = desc  # `None` at once would have meant the function's own
    made._required = set(schema.get("required") or ()) & properties.keys()
    return made


def value_of(result: Any, name: str, result_mode: str = "text") -> Any:
    """The value of an MCP result: structured content, a text, or a list of texts, pictures and sounds.

    Raises:
        ToolError: the server says that the tool failed.
    """
    pieces = [_piece(content) for content in result.content or ()]
    value = pieces[0] if len(pieces) == 1 else pieces
    if _either(result, "isError", "is_error"):
        raise ToolError(f"The MCP tool '{name}' failed: {value if value != [] else 'it does not say why.'}")
    structured = _either(result, "structuredContent", "structured_content")
    return structured if result_mode == "structured" and structured is not None else value


def _piece(content: Any) -> Any:
    if content.type == "text":
        return content.text
    mime = _either(content, "mimeType", "mime_type")
    if content.type == "image":
        return Image(url=f"data:{mime};base64,{content.data}")
    if content.type == "audio":
        return Audio(f"data:{mime};base64,{content.data}")
    if content.type == "resource":  # embedded: text, or bytes that stay what they are
        return getattr(content.resource, "text", content.resource)
    return str(content.uri) if content.type == "resource_link" else content


def _either(holder: Any, *names: str) -> Any:
    return next((getattr(holder, name) for name in names if hasattr(holder, name)), None)


def _running_loop() -> Any:
    import asyncio

    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


async def _on(home: Any, coroutine: Any, name: str) -> Any:
    """Await a coroutine of a session on the loop that the session lives on, from whatever loop this is."""
    import asyncio

    if home is None or home is asyncio.get_running_loop():
        return await coroutine
    if not home.is_running():
        coroutine.close()
        raise InputError(f"Tool '{name}': the event loop that its MCP session was opened on has ended.")
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(coroutine, home))
