"""Tools of a real MCP server process, over stdio and over streamable HTTP."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from telic.errors import InputError, ToolError
from telic.types import Audio, Image, Tool

mcp = pytest.importorskip("mcp")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")

SERVER = str(Path(__file__).with_name("mcp_server.py"))


@asynccontextmanager
async def over_stdio() -> AsyncIterator[Any]:
    from mcp.client.stdio import stdio_client

    parameters = mcp.StdioServerParameters(command=sys.executable, args=[SERVER])
    async with stdio_client(parameters) as (read, write), mcp.ClientSession(read, write) as session:
        await session.initialize()
        yield session


@asynccontextmanager
async def over_http(url: str) -> AsyncIterator[Any]:
    from mcp.client import streamable_http

    connect = (
        getattr(streamable_http, "streamable_http_client", None) or streamable_http.streamablehttp_client
    )
    async with connect(url) as (read, write, *_), mcp.ClientSession(read, write) as session:
        await session.initialize()
        yield session


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, SERVER, str(port)])
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert process.poll() is None, "the server ended"
                assert time.monotonic() < deadline, "the server does not answer"
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.terminate()
        process.wait(10)


async def tools_of(session: Any, **options: Any) -> dict[str, Tool]:
    listed = await session.list_tools()
    return {tool.name: Tool.from_mcp_tool(session, tool, **options) for tool in listed.tools}


async def exercise(session: Any) -> None:
    """What must hold over every transport."""
    tools = await tools_of(session)
    add = tools["add"]
    assert (add.name, add.desc) == ("add", "Add two numbers.")
    assert add.args is not None
    assert (add.args["a"]["type"], add.args["b"]["default"]) == ("integer", 2)
    assert add.arg_types == {"a": int, "b": int}
    assert add.format_as_litellm_function_call()["function"]["parameters"]["required"] == ["a"]
    assert await add.acall(a=1, b=5) == "6"
    assert await add.acall(a="1") == "3"

    guest = tools["greet"].args
    assert guest is not None
    assert guest["guest"]["properties"]["age"]["description"] == "in years"
    assert await tools["greet"].acall(guest={"name": "Ada", "age": 36}) == "Hello Ada, 36"
    assert await tools["words"].acall(text="a b c") == ["a", "b", "c"]

    drawn = await tools["picture"].acall()
    assert isinstance(drawn, Image)
    assert drawn.url.startswith("data:image/png;base64,iVBOR")

    with pytest.raises(ToolError, match="because of me"):
        await tools["fail"].acall(reason="of me")
    with pytest.raises(InputError, match="'a'"):
        await add.acall(a="one")
    with pytest.raises(InputError, match="without its argument 'a'"):
        await add.acall(b=1)
    assert await add.acall(a=2) == "4"  # the session outlived the failures

    structured = await tools_of(session, result_mode="structured")
    assert await structured["weather"].acall(city="Ulm") == {"city": "Ulm", "degrees": 20}

    began = time.monotonic()
    await asyncio.gather(*(tools["slow"].acall(seconds=0.3) for _ in range(5)))
    assert time.monotonic() - began < 1.4


async def test_over_stdio() -> None:
    async with over_stdio() as session:
        await exercise(session)


async def test_over_http(url: str) -> None:
    async with over_http(url) as session:
        await exercise(session)


async def test_a_sync_program_in_a_thread_uses_the_session_of_the_loop(url: str) -> None:
    async with over_http(url) as session:
        add = (await tools_of(session))["add"]
        assert await asyncio.to_thread(add, a=1, b=1) == "2"
        assert await asyncio.to_thread(lambda: [add(a=n, b=1) for n in range(3)]) == ["1", "2", "3"]


async def test_a_sync_call_on_the_loop_of_the_session_is_refused(url: str) -> None:
    async with over_http(url) as session:
        add = (await tools_of(session))["add"]
        with pytest.raises(InputError, match="acall"):
            add(a=1, b=1)


def test_a_sync_program_with_a_session_on_a_thread_of_its_own(url: str) -> None:
    ready: list[Any] = []
    opened, done = threading.Event(), threading.Event()

    async def serve() -> None:
        async with AsyncExitStack() as stack:
            session = await stack.enter_async_context(over_http(url))
            ready.append(await tools_of(session))
            opened.set()
            while not done.is_set():
                await asyncio.sleep(0.01)

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert opened.wait(30)
    add = ready[0]["add"]
    assert add(a=20, b=22) == "42"
    assert asyncio.run(add.acall(a=1)) == "3"  # another loop than the session's
    done.set()
    thread.join(30)
    with pytest.raises(InputError, match="has ended"):
        add(a=1)


# What servers may answer, without a server


def answer(*content: Any, **more: Any) -> Callable[..., Any]:
    class Session:
        async def call_tool(self, name: str, arguments: dict[str, Any]) -> Any:
            return SimpleNamespace(content=list(content), **more)

    described = SimpleNamespace(name="t", description=None, inputSchema={"type": "object"})
    return lambda mode="text": Tool.from_mcp_tool(Session(), described, result_mode=mode)


def piece(kind: str, **fields: Any) -> Any:
    return SimpleNamespace(type=kind, **fields)


@pytest.mark.parametrize(
    ("tool", "value"),
    [
        (answer(piece("text", text="a")), "a"),
        (answer(piece("text", text="a"), piece("text", text="b")), ["a", "b"]),
        (answer(), []),
        (answer(piece("image", data="AAAA", mimeType="image/png")), Image("data:image/png;base64,AAAA")),
        (answer(piece("audio", data="AAAA", mime_type="audio/wav")), Audio(data="AAAA", audio_format="wav")),
        (answer(piece("resource", resource=SimpleNamespace(uri="x", text="inside"))), "inside"),
        (answer(piece("resource_link", uri="file:///x")), "file:///x"),
        (answer(piece("text", text="a"), structuredContent={"r": 1}), "a"),
    ],
)
def test_results_are_made_plain(tool: Callable[..., Tool], value: Any) -> None:
    assert tool()() == value


def test_structured_results_and_failures() -> None:
    assert answer(piece("text", text="a"), structuredContent={"r": 1})("structured")() == {"r": 1}
    assert answer(piece("text", text="a"), structured_content=None)("structured")() == "a"
    for spelling in ("isError", "is_error"):
        with pytest.raises(RuntimeError, match="'t' failed: bad"):
            answer(piece("text", text="bad"), **{spelling: True})()()
    with pytest.raises(ToolError, match="does not say why"):
        answer(isError=True)()()
    with pytest.raises(ValueError, match="result_mode"):
        answer()("other")


def test_a_tool_without_a_description_or_arguments() -> None:
    tool = answer(piece("text", text="a"))()
    assert (tool.desc, tool.args, tool.format()) == (None, {}, "t. Arguments: {}")
    assert tool(anything=1) == "a"
