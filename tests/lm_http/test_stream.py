"""Answers over HTTP while they are written: what arrives, what is tried again, what is closed."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp.web
import pytest
from hypothesis import given, settings, strategies as st

from telic.errors import (
    LMAuthError,
    LMInvalidRequestError,
    LMRateLimitError,
    LMServerError,
    LMStreamAssemblyError,
    LMTimeoutError,
    LMTransportError,
    LMUnexpectedError,
)
from telic.lm.http.engine import HttpEngine
from telic.lm.http.events import Events
from telic.lm.http.limiter import limiter_for
from telic.testing.faults import Faults
from telic.testing.server import LocalServer
from telic.types import Constraint, Request, Response, Usage
from telic.types.chunk import Assembly, Chunk

REQUEST = Request("openai/test", messages=[{"role": "user", "content": "hello there"}])


def engine(server: LocalServer, **options: Any) -> HttpEngine:
    return HttpEngine("test", server.url, "key", **{"backoff": 0.01, "num_retries": 2, **options})


async def streamed(asked: HttpEngine, request: Request = REQUEST) -> list[Chunk]:
    return [chunk async for chunk in asked.stream(request)]


def whole(chunks: list[Chunk]) -> Response:
    assembly = Assembly("openai/test")
    for chunk in chunks:
        assembly.add(chunk)
    return assembly.response()


async def until(happened: Any) -> None:
    async with asyncio.timeout(5):
        while not happened():
            await asyncio.sleep(0.005)


class TestEvents:
    STREAM = (
        b"\xef\xbb\xbf: comment\r\ndata: one\r\n\r\n"
        b"event: x\nid: 7\ndata:two\ndata: 2\n\n\ndata: \xc3\xa9\r\r"
    )

    @given(st.lists(st.integers(0, 80), max_size=8))
    @settings(max_examples=60, deadline=None)
    def test_however_the_bytes_come(self, places: list[int]) -> None:
        events, found, at = Events(), [], 0
        for place in [*sorted(places), len(self.STREAM)]:
            found += events.feed(self.STREAM[at : max(at, place)])
            at = max(at, place)
        found += events.end()
        assert found == [b"one", b"two\n2", "é".encode()]

    def test_a_last_event_without_an_empty_line(self) -> None:
        events = Events()
        assert events.feed(b"data: x") == []
        assert events.end() == [b"x"]


async def test_what_arrives_adds_up() -> None:
    with LocalServer(reply="one two  three\n") as server:
        asked = engine(server)
        chunks = await streamed(asked)
        assert [chunk.text for chunk in chunks if chunk.text] == ["one", " two", "  three\n"]
        response = whole(chunks)
        assert response.choices == (await asked.acomplete(REQUEST)).choices
        assert response.usage == Usage(2, 3)
        assert response.cost is None
        sent = server.bodies[0]
        assert sent["stream"] is True
        assert sent["stream_options"] == {"include_usage": True}


async def test_connections_are_used_again() -> None:
    with LocalServer() as server:
        asked = engine(server)
        seen = set()
        for _ in range(3):
            await streamed(asked)
            from telic.lm.http import pool

            connector = (await pool.session()).connector
            assert connector is not None
            seen.add(len(connector._conns))  # one idle connection, not one more each time
        assert seen == {1}


async def test_thoughts_and_tool_calls() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1, "b": 2}'}}
    reply = {"reasoning_content": "let me see", "content": "I call", "tool_calls": [call]}
    with LocalServer(reply=reply) as server:
        chunks = await streamed(engine(server))
        assert "".join(chunk.reasoning or "" for chunk in chunks) == "let me see"
        choice = whole(chunks).choices[0]
    assert (choice.text, choice.reasoning, choice.finish_reason) == ("I call", "let me see", "tool_calls")
    assert choice.tool_calls == (call,)


async def test_several_choices() -> None:
    with LocalServer(reply="one two") as server:
        many = await streamed(engine(server), Request("openai/test", messages=[], params={"n": 2}))
        assert [choice.text for choice in whole(many).choices] == ["one two", "one two"]
        assert server.count == 1


async def test_plain_completions() -> None:
    with LocalServer(reply="one two") as server:
        chunks = await streamed(engine(server), Request("openai/test", prompt="say"))
        assert whole(chunks).choices[0].text == "one two"
        assert server.requests[0].path == "/v1/completions"


@pytest.mark.parametrize("fault", [429, 500, 503, "reset"])
async def test_before_the_first_chunk_it_is_tried_again(fault: Any) -> None:
    with LocalServer(faults=Faults(plan=[fault])) as server:
        assert whole(await streamed(engine(server))).choices[0].text == "ok"
        assert server.count == 2


@pytest.mark.parametrize(
    ("fault", "error", "match"),
    [
        ("truncate", LMTransportError, "cut short|broke the connection"),
        ("malformed", LMTransportError, "cannot be read"),
        ("error", LMServerError, "503: Injected"),
    ],
)
async def test_after_the_first_chunk_it_is_not(fault: Any, error: type[Exception], match: str) -> None:
    with LocalServer(reply="one two three", faults=Faults(plan=[fault])) as server:
        stream = engine(server).stream(REQUEST)
        assert (await anext(stream)).text == "one"
        with pytest.raises(error, match=match):
            await anext(stream)
        assert server.count == 1
        assert limiter_for(engine(server).endpoint, "key").in_flight == 0


async def test_refusals_are_raised_at_once_or_after_the_retries() -> None:
    with LocalServer(api_key="another") as server:
        with pytest.raises(LMAuthError):
            await streamed(engine(server))
        assert server.count == 1
    limited = pytest.raises(LMRateLimitError, match="asked 3 times")
    with LocalServer(faults=Faults(plan=[429] * 3)) as server, limited:
        await streamed(engine(server))


async def test_a_stream_that_stalls_is_late() -> None:
    with LocalServer(reply="one two three", pace=5.0) as server:
        with pytest.raises(LMTimeoutError):
            await streamed(engine(server, timeout=0.2, num_retries=0))
        await until(lambda: server.dropped == 1)


async def test_closing_stops_the_server() -> None:
    with LocalServer(reply="word " * 500, pace=0.01) as server:
        asked = engine(server)
        stream = asked.stream(REQUEST)
        await anext(stream)
        assert limiter_for(asked.endpoint, "key").in_flight == 1
        await stream.aclose()
        assert limiter_for(asked.endpoint, "key").in_flight == 0
        await until(lambda: server.dropped == 1)
        assert not server.answered


@pytest.mark.parametrize("latency", [0.0, 5.0])
async def test_cancelling_the_task_stops_the_server(latency: float) -> None:
    with LocalServer(reply="word " * 500, pace=0.01, latency=latency) as server:
        task = asyncio.create_task(streamed(engine(server)))
        await until(lambda: server.count == 1)
        await asyncio.sleep(0.03)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: server.dropped == 1)


async def serve(respond: Any) -> tuple[aiohttp.web.AppRunner, str, list[dict[str, Any]]]:
    """A server of the test's own making."""
    bodies: list[dict[str, Any]] = []

    async def handle(request: aiohttp.web.Request) -> aiohttp.web.StreamResponse:
        bodies.append(await request.json())
        return await respond(request, bodies[-1])

    app = aiohttp.web.Application()
    app.router.add_post("/v1/chat/completions", handle)
    runner = aiohttp.web.AppRunner(app)
    await runner.setup()
    await aiohttp.web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}/v1", bodies


def events(*payloads: Any, done: bool = True) -> Any:
    async def respond(request: aiohttp.web.Request, body: dict[str, Any]) -> aiohttp.web.StreamResponse:
        answer = aiohttp.web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await answer.prepare(request)
        for payload in payloads:
            await answer.write(f"data: {json.dumps(payload)}\n\n".encode())
        if done:
            await answer.write(b"data: [DONE]\n\n")
        return answer

    return respond


def delta(text: str, reason: str | None = None) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": reason}]}


async def ask(respond: Any, request: Request = REQUEST) -> tuple[list[Chunk], list[dict[str, Any]]]:
    runner, url, bodies = await serve(respond)
    try:
        return await streamed(HttpEngine("test", url, "key", backoff=0.01, num_retries=1), request), bodies
    finally:
        await runner.cleanup()


async def test_an_end_without_a_reason_is_an_end_if_the_server_says_so() -> None:
    chunks, _ = await ask(events(delta("four")))
    assert whole(chunks).choices[0].finish_reason == "stop"


async def test_an_end_without_a_word_is_not_an_answer() -> None:
    chunks, _ = await ask(events(delta("half"), done=False))
    with pytest.raises(LMStreamAssemblyError) as caught:
        whole(chunks)
    assert caught.value.partial.choices[0].text == "half"
    nothing, _ = await ask(events())
    with pytest.raises(LMStreamAssemblyError):
        whole(nothing)


async def test_a_server_that_does_not_stream() -> None:
    async def respond(request: aiohttp.web.Request, body: dict[str, Any]) -> aiohttp.web.Response:
        message = {"role": "assistant", "content": "all at once"}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return aiohttp.web.json_response({"model": "m", "choices": [choice], "usage": {"prompt_tokens": 1}})

    chunks, _ = await ask(respond)
    assert whole(chunks).choices[0].text == "all at once"
    assert whole(chunks).usage == Usage(1, 0)


async def test_a_server_that_does_not_count_is_asked_without() -> None:
    answer = events(delta("four", "stop"))

    async def respond(request: aiohttp.web.Request, body: dict[str, Any]) -> aiohttp.web.StreamResponse:
        if "stream_options" in body:
            message = "Extra inputs are not permitted: stream_options"
            return aiohttp.web.json_response({"error": {"message": message}}, status=422)
        return await answer(request, body)

    chunks, bodies = await ask(respond)
    assert whole(chunks).choices[0].text == "four"
    assert whole(chunks).usage == Usage()
    assert [("stream_options" in body) for body in bodies] == [True, False]


async def test_a_constraint_that_is_refused_is_dropped_and_another_refusal_is_raised() -> None:
    answer = events(delta("{}", "stop"))

    async def respond(request: aiohttp.web.Request, body: dict[str, Any]) -> aiohttp.web.StreamResponse:
        if "response_format" in body:
            return aiohttp.web.json_response({"error": {"message": "no response_format"}}, status=400)
        if body.get("temperature") == 9:
            return aiohttp.web.json_response({"error": {"message": "grammar: too hot"}}, status=400)
        assert body["stream"] is True
        return await answer(request, body)

    wish = Constraint(json_schema={"type": "object", "properties": {"a": {"type": "string"}}})
    request = Request("openai/test", messages=[], constraint=wish)
    chunks, bodies = await ask(respond, request)
    assert whole(chunks).choices[0].text == "{}"
    assert len(bodies) == 2
    hot = Request("openai/test", messages=[], params={"temperature": 9}, constraint=wish)
    with pytest.raises(LMInvalidRequestError, match="too hot"):
        await ask(respond, hot)


async def test_an_event_of_an_unknown_shape() -> None:
    with pytest.raises(LMUnexpectedError, match="unknown shape"):
        await ask(events({"choices": ["text"]}))


async def test_a_key_in_a_failure_is_not_shown() -> None:
    with pytest.raises(LMServerError) as caught:
        await ask(events(delta("x"), {"error": {"message": "bad key sk-1234567890abcdef", "code": 500}}))
    assert "1234567890" not in str(caught.value)
