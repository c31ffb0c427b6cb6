"""An MCP server for tests: `mcp_server.py` speaks over stdio, `mcp_server.py PORT` over HTTP."""

from __future__ import annotations

import asyncio
import base64
import sys
from typing import Any

from pydantic import BaseModel, Field

try:
    from mcp.server.mcpserver import Image, MCPServer
    from mcp.server.mcpserver.exceptions import ToolError
except ImportError:  # before version 2
    from mcp.server.fastmcp import (
        FastMCP as MCPServer,  # type: ignore[no-redef]
        Image,  # type: ignore[no-redef]
    )
    from mcp.server.fastmcp.exceptions import ToolError  # type: ignore[no-redef]

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

server = MCPServer("test", log_level="CRITICAL")


class Guest(BaseModel):
    name: str
    age: int = Field(default=0, description="in years")


@server.tool()
def add(a: int, b: int = 2) -> int:
    """Add two numbers."""
    return a + b


@server.tool()
def greet(guest: Guest) -> str:
    """Greet a guest."""
    return f"Hello {guest.name}, {guest.age}"


@server.tool()
def words(text: str) -> list[str]:
    """Split into words."""
    return text.split()


@server.tool()
def fail(reason: str) -> str:
    """Fail."""
    raise ToolError(f"because {reason}")


@server.tool()
def picture() -> Image:
    """Draw a dot."""
    return Image(data=base64.b64decode(PNG), format="png")


@server.tool()
def weather(city: str) -> dict[str, Any]:
    """Tell the weather."""
    return {"city": city, "degrees": 20}


@server.tool()
async def slow(seconds: float) -> str:
    """Take a while."""
    await asyncio.sleep(seconds)
    return "done"


if __name__ == "__main__":
    if len(sys.argv) == 1:
        server.run()
    else:
        import uvicorn

        uvicorn.run(server.streamable_http_app(), host="127.0.0.1", port=int(sys.argv[1]), log_level="error")
