"""Consumers of every kind: async, blocking, under a running loop, that stop early, many at once; status."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from typing import Any

import pytest

import telic
from telic.runtime import scope as scopes
from telic.streaming import (
    StatusMessage,
    StatusMessageProvider,
    StreamListener,
    StreamResponse,
    apply_sync_streaming,
    streamify,
    streaming_response,
)
from telic.testing.server import LocalServer
from tests.streaming.served import Awaited, Chain, Loop, chat, collect, lm, text_of

LISTENERS = [StreamListener("answer")]


async def until(happened: Any) -> None:
    async with asyncio.timeout(5):
        while not happened():
            await asyncio.sleep(0.005)


def programs() -> list[Any]:
    async def function(question: str) -> Any:
        return await telic.Predict("question -> answer").acall(question=question)

    one, thinking = telic.Predict("question -> answer"), telic.ChainOfThought("question -> answer")
    return [one, thinking, Loop(1), Awaited(), function]


PROGRAMS = ["predict", "chain of thought", "forward", "aforward", "coroutine function"]


class TestBlocking:
    @pytest.mark.parametrize("number", range(5), ids=PROGRAMS)
    def test_without_a_loop(self, number: int) -> None:
        program = programs()[number]
        with LocalServer(reply=chat(reasoning="r", answer="The sky.")) as server:
            telic.configure(lm=lm(server))
            listeners = LISTENERS if isinstance(program, telic.Module) else None
            items = list(streamify(program, stream_listeners=listeners, async_streaming=False)(question="q"))
        assert items[-1].answer == "The sky."
        assert listeners is None or text_of(items, "answer") == "The sky."
        assert len(items) > 3

    @pytest.mark.parametrize("number", range(5), ids=PROGRAMS)
    async def test_under_a_running_loop(self, number: int) -> None:
        program = programs()[number]
        with LocalServer(reply=chat(reasoning="r", answer="The sky.")) as server:
            telic.configure(lm=lm(server))
            items = list(streamify(program, async_streaming=False)(question="q"))
            assert items[-1].answer == "The sky."
            items = list(apply_sync_streaming(streamify(program)(question="q")))
            assert items[-1].answer == "The sky."

    def test_chunks_arrive_while_the_answer_is_written(self) -> None:
        with LocalServer(reply=chat(answer="word " * 20), pace=0.01) as server:
            telic.configure(lm=lm(server))
            stream = streamify(Loop(1), stream_listeners=LISTENERS, async_streaming=False)(question="q")
            assert next(stream).chunk == "word"
            assert not server.answered
            assert sum(isinstance(item, StreamResponse) for item in stream) == 20

    def test_an_error_is_raised_to_the_consumer(self) -> None:
        class Broken(telic.Module):
            def forward(self) -> None:
                raise LookupError("gone")

        with pytest.raises(LookupError, match="gone"):
            list(streamify(Broken(), async_streaming=False)())

    @pytest.mark.parametrize("make", ["plain", "applied"])
    def test_leaving_stops_the_server(self, make: str) -> None:
        with LocalServer(reply=chat(answer="word " * 500), pace=0.01) as server:
            telic.configure(lm=lm(server))
            if make == "plain":
                stream = streamify(Loop(9), stream_listeners=LISTENERS, async_streaming=False)(question="q")
            else:
                stream = apply_sync_streaming(streamify(Loop(9), stream_listeners=LISTENERS)(question="q"))
            for _ in stream:
                break
            stream.close()
            end = time.monotonic() + 5
            while server.dropped != 1 and time.monotonic() < end:
                time.sleep(0.005)
            assert server.dropped == 1
            time.sleep(0.05)
            assert server.count == 1  # the program did not go on

    def test_from_a_coroutine_on_telics_own_loop(self) -> None:
        from telic.runtime import portal

        with LocalServer(reply=chat(answer="so")) as server:
            telic.configure(lm=lm(server))

            async def inside() -> list[Any]:
                return await collect(Loop(1), LISTENERS, question="q")

            assert text_of(portal.run(inside()), "answer") == "so"


class TestAsync:
    @pytest.mark.parametrize("number", range(5), ids=PROGRAMS)
    async def test_every_kind_of_program(self, number: int) -> None:
        with LocalServer(reply=chat(reasoning="r", answer="The sky.")) as server:
            telic.configure(lm=lm(server))
            items = await collect(programs()[number], question="q")
        assert items[-1].answer == "The sky."
        assert len(items) > 3

    @pytest.mark.parametrize("number", range(5), ids=PROGRAMS)
    @pytest.mark.parametrize("how", ["close", "cancel"])
    async def test_leaving_stops_the_server(self, number: int, how: str) -> None:
        with LocalServer(reply=chat(reasoning="r", answer="word " * 500), pace=0.01) as server:
            telic.configure(lm=lm(server))
            stream = streamify(programs()[number])(question="q")
            if how == "close":
                await anext(stream)
                await stream.aclose()
            else:

                async def consume() -> None:
                    async for _ in stream:
                        pass

                task = asyncio.create_task(consume())
                await until(lambda: server.count == 1)
                await asyncio.sleep(0.05)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            await until(lambda: server.dropped == 1)
            await asyncio.sleep(0.02)
            assert server.count == 1

    async def test_a_loop_that_is_left_stops_the_server(self) -> None:
        with LocalServer(reply=chat(answer="word " * 500), pace=0.01) as server:
            telic.configure(lm=lm(server))
            async for _ in streamify(Chain())(question="q"):
                break
            await until(lambda: server.dropped == 1)

    async def test_many_at_once_do_not_mix(self) -> None:
        with LocalServer(reply=lambda body: chat(answer=_last(body)), pace=0.001) as server:
            telic.configure(lm=lm(server))
            streamer = streamify(Loop(1), stream_listeners=LISTENERS)

            async def one(number: int) -> str:
                return text_of([item async for item in streamer(question=f"<{number}>")], "answer")

            texts = await asyncio.gather(*(one(number) for number in range(20)))
        assert texts == [f"<{number}> 0" for number in range(20)]

    async def test_settings_and_scope_are_those_of_the_call(self) -> None:
        other_server = LocalServer(reply=chat(answer="outer"))
        with LocalServer(reply=chat(answer="inner")) as server, other_server as other:
            telic.configure(lm=lm(other))
            with telic.context(lm=lm(server)), scopes.within(rollout_id="r"):
                streams = [streamify(program)(question="q") for program in (Loop(1), Awaited())]
            for stream in streams:
                assert [item async for item in stream][-1].answer == "inner"
            assert other.count == 0
            assert scopes.current().stream is None

    async def test_the_programs_own_way(self) -> None:
        class Both(telic.Module):
            def forward(self) -> str:
                return f"forward in {threading.current_thread() is threading.main_thread()}"

            async def aforward(self) -> str:
                return "aforward"

        assert await collect(Both()) == ["forward in False"]
        assert await collect(Both(), options={"is_async_program": True}) == ["aforward"]
        assert await collect(lambda: 7) == [7]

    async def test_a_program_without_final_prediction(self) -> None:
        options = {"include_final_prediction_in_output_stream": False}
        with LocalServer(reply=chat(answer="so")) as server:
            telic.configure(lm=lm(server))
            items = await collect(Loop(1), LISTENERS, options=options, question="q")
            assert all(isinstance(item, StreamResponse) for item in items)
            # Nothing was heard, so the prediction is all there is.
            silent = await collect(Loop(1), [], options=options, question="q")
            assert isinstance(silent[-1], telic.Prediction)

    @pytest.mark.parametrize("way", ["forward", "aforward"])
    async def test_a_program_can_send_things_of_its_own(self, way: str) -> None:
        class Sending(telic.Module):
            if way == "forward":

                def forward(self) -> str:
                    telic.settings.send_stream.send_nowait("half way")
                    return "done"

            else:

                async def aforward(self) -> str:
                    await telic.settings.send_stream.send("half way")
                    return "done"

        assert await collect(Sending()) == ["half way", "done"]
        assert list(streamify(Sending(), async_streaming=False)()) == ["half way", "done"]
        assert telic.settings.send_stream is None

    async def test_a_stream_within_a_stream(self) -> None:
        class Outer(telic.Module):
            def __init__(self) -> None:
                self.own = telic.Predict("question -> note")
                self.inner = Loop(1)

            async def aforward(self, question: str) -> Any:
                inner = await collect(self.inner, LISTENERS, question=question)
                note = await self.own.acall(question=text_of(inner, "answer"))
                return telic.Prediction(note=note.note)

        with LocalServer(reply=[chat(answer="so"), chat(note="it is")]) as server:
            telic.configure(lm=lm(server))
            items = await collect(Outer(), [StreamListener("note")], question="q")
        assert text_of(items, "note") == "it is"
        assert text_of(items, "answer") == ""


def _last(body: dict[str, Any]) -> str:
    text = str(body["messages"][-1]["content"])
    return text.partition("[[ ## question ## ]]\n")[2].partition("\n")[0]


class TestStatus:
    def program(self) -> Any:
        def look(place: str) -> str:
            """Look at the weather."""
            return f"sunny in {place}"

        class Working(telic.Module):
            def __init__(self) -> None:
                self.tool = telic.Tool(look)
                self.finish = telic.Tool(look, name="finish")
                self.answer = telic.Predict("weather -> answer")

            def forward(self) -> Any:
                weather = self.tool(place="Rome")
                self.finish(place="")
                return self.answer(weather=weather)

        return Working()

    async def test_tools_are_told_of_unless_otherwise_wanted(self) -> None:
        with LocalServer(reply=chat(answer="so")) as server:
            telic.configure(lm=lm(server))
            items = await collect(self.program(), LISTENERS)
        assert [item.message for item in items if isinstance(item, StatusMessage)] == [
            "Calling tool look...",
            "Tool calling finished! Querying the LLM with tool calling results...",
        ]
        assert isinstance(items[2], StreamResponse)

    async def test_everything_can_be_told_of_in_order(self) -> None:
        class Telling(StatusMessageProvider):
            def tool_start_status_message(self, instance: Any, inputs: Any) -> str:
                return f"tool {instance.name} {inputs['kwargs']['place']}"

            def tool_end_status_message(self, outputs: Any) -> str:
                return f"tool gave {outputs}"

            def module_start_status_message(self, instance: Any, inputs: Any) -> str:
                return f"module {type(instance).__name__}"

            def module_end_status_message(self, outputs: Any) -> str:
                return f"module gave {outputs.answer}"

            def lm_start_status_message(self, instance: Any, inputs: Any) -> str:
                return f"lm {instance.model} {'sunny' in str(inputs['messages'])}"

            def lm_end_status_message(self, outputs: Any) -> str | None:
                return f"lm gave {len(outputs)}"

        with LocalServer(reply=chat(answer="so")) as server:
            telic.configure(lm=lm(server))
            items = await collect(self.program(), LISTENERS, options={"status_message_provider": Telling()})
        shown = [getattr(item, "message", None) or getattr(item, "chunk", None) or "" for item in items[:-1]]
        assert shown == [
            "module Working",
            "tool look Rome",
            "tool gave sunny in Rome",
            "module Predict",
            "lm openai/test True",
            "so",
            "",
            "lm gave 1",
            "module gave so",
            "module gave so",
        ]

    async def test_a_provider_that_fails_is_not_the_programs_trouble(self) -> None:
        class Failing(StatusMessageProvider):
            def module_start_status_message(self, instance: Any, inputs: Any) -> str:
                raise LookupError("no words")

        with LocalServer(reply=chat(answer="so")) as server:
            telic.configure(lm=lm(server))
            items = await collect(Loop(1), options={"status_message_provider": Failing()}, question="q")
        assert items[-1].answer == "so"

    async def test_the_users_callbacks_are_told_too(self) -> None:
        class Counting(telic.BaseCallback):
            told = 0

            def on_module_start(self, call_id: str, instance: Any, inputs: Any) -> None:
                self.told += 1

        counting = Counting()
        with LocalServer(reply=chat(answer="so")) as server:
            telic.configure(lm=lm(server), callbacks=[counting])
            await collect(Loop(1), question="q")
        assert counting.told == 2


async def test_events_for_an_http_response() -> None:
    async def stream() -> Any:
        yield StatusMessage("working")
        yield StreamResponse("p", "answer", 'so "é"', True, value=["so"])
        yield "data: mine\n\n"
        yield telic.Prediction(answer="so", parts=[1, 2])

    lines = [line async for line in streaming_response(stream())]
    assert lines[2] == "data: mine\n\n"
    assert lines[-1] == "data: [DONE]\n\n"
    assert all(line.endswith("\n\n") and line.startswith("data: ") for line in lines)
    rows = [json.loads(lines[n].removeprefix("data: ")) for n in (0, 1, 3)]
    assert rows == [
        {"status": "working"},
        {
            "chunk": 'so "é"',
            "predict_name": "p",
            "signature_field_name": "answer",
            "is_last_chunk": True,
            "value": ["so"],
        },
        {"prediction": {"answer": "so", "parts": [1, 2]}},
    ]


async def test_raw_chunks_for_an_http_response() -> None:
    with LocalServer(reply=chat(answer="so")) as server:
        telic.configure(lm=lm(server))
        lines = [line async for line in streaming_response(streamify(Loop(1))(question="q"))]
    first = json.loads(json.loads(lines[0].removeprefix("data: "))["chunk"])
    assert first["choices"][0]["delta"]["content"] == "[["
    assert json.loads(lines[-2].removeprefix("data: ")) == {"prediction": {"answer": "so"}}
    with pytest.raises(telic.InputError, match="streaming_response"):
        [line async for line in streaming_response(_numbers())]


async def _numbers() -> Any:
    yield 7
