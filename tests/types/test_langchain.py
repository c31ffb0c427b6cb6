"""Tools of LangChain."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, Field

from telic.errors import InputError
from telic.types import Tool

tools = pytest.importorskip("langchain_core.tools")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::PendingDeprecationWarning")


class Wanted(BaseModel):
    query: str = Field(description="what to look for")
    limit: int = 3


def make() -> dict[str, Any]:
    @tools.tool
    def multiply(a: int, b: int = 3) -> int:
        """Multiply two numbers."""
        return a * b

    @tools.tool
    async def later(a: int) -> int:
        """Answer later."""
        return a + 1

    @tools.tool(args_schema=Wanted)
    def find(query: str, limit: int) -> str:
        """Find something."""
        return f"{query} {limit}"

    class Both(tools.BaseTool):  # type: ignore[misc,name-defined]
        name: str = "both"
        description: str = "Says how it was called."

        def _run(self, x: int) -> str:
            return f"sync {x}"

        async def _arun(self, x: int) -> str:
            return f"async {x}"

    return {"multiply": multiply, "later": later, "find": find, "both": Both()}


async def test_sync_and_async_tools_from_both_kinds_of_program() -> None:
    made = {name: Tool.from_langchain(tool) for name, tool in make().items()}
    multiply = made["multiply"]
    assert (multiply.name, multiply.desc) == ("multiply", "Multiply two numbers.")
    assert multiply.args is not None
    assert (multiply.args["a"]["type"], multiply.args["b"]["default"]) == ("integer", 3)
    assert multiply.arg_types == {"a": int, "b": int}
    assert multiply.format_as_litellm_function_call()["function"]["parameters"]["required"] == ["a"]
    assert multiply(a="2") == 6
    assert await multiply.acall(a=2, b=5) == 10
    assert made["later"](a=1) == 2
    assert await made["later"].acall(a=1) == 2
    assert made["both"](x=1) == "sync 1"
    assert await made["both"].acall(x=1) == "async 1"


def test_a_schema_of_arguments() -> None:
    find = Tool.from_langchain(make()["find"])
    assert find.args is not None
    assert find.args["query"]["description"] == "what to look for"
    assert find.format_as_litellm_function_call()["function"]["parameters"]["required"] == ["query"]
    assert find(query="x") == "x 3"
    with pytest.raises(InputError, match="'query'"):
        find(limit=1)


def test_what_is_no_langchain_tool() -> None:
    with pytest.raises(InputError, match="BaseTool"):
        Tool.from_langchain(len)
