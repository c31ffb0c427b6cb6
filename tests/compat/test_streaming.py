"""Streaming, and the ways between sync and async, in DSPy's terms."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.compat.scripts import chat, served
from tests.compat.target import dspy


class Steps(dspy.Module):
    """Two steps, of which each has an output called answer."""

    def __init__(self) -> None:
        super().__init__()
        self.first = dspy.Predict("question -> answer")
        self.second = dspy.Predict("question, answer -> judgement")

    def forward(self, question: str) -> Any:
        answer = self.first(question=question).answer
        return self.second(question=question, answer=answer)


def listener(name: str, **options: Any) -> Any:
    return dspy.streaming.StreamListener(signature_field_name=name, **options)


async def everything(stream: Any) -> list[Any]:
    return [item async for item in stream]


def chunks(items: list[Any], name: str | None = None) -> list[Any]:
    return [
        item
        for item in items
        if isinstance(item, dspy.streaming.StreamResponse) and name in (None, item.signature_field_name)
    ]


def said(items: list[Any], name: str) -> str:
    return "".join(item.chunk for item in chunks(items, name))


ANSWER = "To get to the other side of the road, of course."


async def test_a_field_is_streamed() -> None:
    with served(chat(answer=ANSWER)):
        program = dspy.streamify(dspy.Predict("question -> answer"), stream_listeners=[listener("answer")])
        items = await everything(program(question="Why?"))
    assert said(items, "answer") == ANSWER
    assert len(chunks(items)) > 2
    assert isinstance(items[-1], dspy.Prediction)
    assert items[-1].answer == ANSWER


async def test_the_request_asks_for_a_stream() -> None:
    with served(chat(answer=ANSWER)) as (server, _):
        program = dspy.streamify(dspy.Predict("question -> answer"), stream_listeners=[listener("answer")])
        await everything(program(question="Why?"))
    assert server.bodies[0]["stream"] is True


async def test_the_last_chunk_says_so() -> None:
    with served(chat(answer=ANSWER)):
        program = dspy.streamify(dspy.Predict("question -> answer"), stream_listeners=[listener("answer")])
        items = await everything(program(question="Why?"))
    assert [item.is_last_chunk for item in chunks(items)][-1] is True
    assert not any(item.is_last_chunk for item in chunks(items)[:-1])


async def test_chunks_name_their_predictor() -> None:
    with served(chat(reasoning="think", answer=ANSWER)):
        program = dspy.streamify(
            dspy.ChainOfThought("question -> answer"), stream_listeners=[listener("answer")]
        )
        items = await everything(program(question="Why?"))
    assert {item.predict_name for item in chunks(items)} == {"predict"}


async def test_several_fields() -> None:
    listeners = [listener("reasoning"), listener("answer")]
    with served(chat(reasoning="First this, then that.", answer=ANSWER)):
        program = dspy.streamify(dspy.ChainOfThought("question -> answer"), stream_listeners=listeners)
        items = await everything(program(question="Why?"))
    assert said(items, "reasoning") == "First this, then that."
    assert said(items, "answer") == ANSWER
    names = [item.signature_field_name for item in chunks(items)]
    assert names == sorted(names, key=["reasoning", "answer"].index)


async def test_fields_of_several_predictors() -> None:
    listeners = [listener("answer"), listener("judgement")]
    with served([chat(answer=ANSWER), chat(judgement="very funny indeed")]):
        program = dspy.streamify(Steps(), stream_listeners=listeners)
        items = await everything(program(question="Why?"))
    assert said(items, "answer") == ANSWER
    assert said(items, "judgement") == "very funny indeed"
    assert {(i.predict_name, i.signature_field_name) for i in chunks(items)} == {
        ("first", "answer"), ("second", "judgement"),
    }  # fmt: skip


async def test_markers_are_not_streamed() -> None:
    with served(chat(reasoning="hm", answer=ANSWER)):
        program = dspy.streamify(
            dspy.ChainOfThought("question -> answer"), stream_listeners=[listener("reasoning")]
        )
        items = await everything(program(question="Why?"))
    assert "[[" not in said(items, "reasoning")
    assert said(items, "reasoning").strip() == "hm"


async def test_json_fields_are_streamed() -> None:
    reply = json.dumps({"reasoning": "hm", "answer": ANSWER})
    with served(reply), dspy.context(adapter=dspy.JSONAdapter()):
        program = dspy.streamify(
            dspy.ChainOfThought("question -> answer"), stream_listeners=[listener("answer")]
        )
        items = await everything(program(question="Why?"))
    assert said(items, "answer").strip('"') == ANSWER  # DSPy streams the quotes too
    assert items[-1].answer == ANSWER


async def test_xml_fields_are_streamed() -> None:
    reply = f"<reasoning>\nhm\n</reasoning>\n\n<answer>\n{ANSWER}\n</answer>"
    with served(reply), dspy.context(adapter=dspy.XMLAdapter()):
        program = dspy.streamify(
            dspy.ChainOfThought("question -> answer"), stream_listeners=[listener("answer")]
        )
        items = await everything(program(question="Why?"))
    assert said(items, "answer").strip() == ANSWER


async def test_without_the_final_prediction() -> None:
    with served(chat(answer=ANSWER)):
        program = dspy.streamify(
            dspy.Predict("question -> answer"),
            stream_listeners=[listener("answer")],
            include_final_prediction_in_output_stream=False,
        )
        items = await everything(program(question="Why?"))
    assert not any(isinstance(item, dspy.Prediction) for item in items)
    assert said(items, "answer") == ANSWER


async def test_without_listeners_the_prediction_comes() -> None:
    with served(chat(answer=ANSWER)):
        items = await everything(dspy.streamify(dspy.Predict("question -> answer"))(question="Why?"))
    assert items[-1].answer == ANSWER


async def test_an_async_program() -> None:
    class Async(dspy.Module):
        def __init__(self) -> None:
            super().__init__()
            self.step = dspy.Predict("question -> answer")

        async def aforward(self, question: str) -> Any:
            return await self.step.acall(question=question)

    with served(chat(answer=ANSWER)):
        program = dspy.streamify(Async(), stream_listeners=[listener("answer")], is_async_program=True)
        items = await everything(program(question="Why?"))
    assert said(items, "answer") == ANSWER


def test_sync_streaming() -> None:
    with served(chat(answer=ANSWER)):
        program = dspy.streamify(
            dspy.Predict("question -> answer"), stream_listeners=[listener("answer")], async_streaming=False
        )
        items = list(program(question="Why?"))
    assert said(items, "answer") == ANSWER
    assert items[-1].answer == ANSWER


async def test_a_listener_of_an_unknown_field() -> None:
    with pytest.raises((ValueError, TypeError)):
        dspy.streamify(dspy.Predict("question -> answer"), stream_listeners=[listener("nothing")])


async def test_a_field_of_two_predictors_needs_a_name() -> None:
    class Twice(dspy.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one = dspy.Predict("question -> answer")
            self.two = dspy.Predict("question, answer -> answer, score")

        def forward(self, question: str) -> Any:
            return self.one(question=question)

    with pytest.raises(ValueError):
        dspy.streamify(Twice(), stream_listeners=[listener("answer")])


async def test_a_listener_by_predictor() -> None:
    program = Steps()
    chosen = listener("answer", predict=program.first, predict_name="first")
    with served([chat(answer=ANSWER), chat(judgement="fine")]):
        items = await everything(dspy.streamify(program, stream_listeners=[chosen])(question="Why?"))
    assert said(items, "answer") == ANSWER


async def test_a_listener_hears_once_unless_told_otherwise() -> None:
    class Loop(dspy.Module):
        def __init__(self) -> None:
            super().__init__()
            self.step = dspy.Predict("question -> answer")

        def forward(self, question: str) -> Any:
            self.step(question=question)
            return self.step(question=question + "!")

    for reuse, times in ((False, 1), (True, 2)):
        with served(chat(answer="short answer here")):
            program = dspy.streamify(Loop(), stream_listeners=[listener("answer", allow_reuse=reuse)])
            items = await everything(program(question="Why?"))
        assert said(items, "answer") == "short answer here" * times


async def test_what_comes_from_the_cache_is_not_lost() -> None:
    with served(chat(answer=ANSWER), cache=True) as (server, _):
        for _ in range(2):
            program = dspy.streamify(
                dspy.Predict("question -> answer"), stream_listeners=[listener("answer")]
            )
            items = await everything(program(question="Why?"))
            assert items[-1].answer == ANSWER
    assert server.count == 1


async def test_an_error_reaches_the_consumer() -> None:
    class Bad(dspy.Module):
        def forward(self, question: str) -> Any:
            raise KeyError("gone")

    with served("x"), pytest.raises(BaseException) as caught:
        await everything(dspy.streamify(Bad())(question="?"))
    assert "gone" in repr(caught.value) or "gone" in repr(getattr(caught.value, "exceptions", ""))


# Status messages.


def add(a: int, b: int) -> int:
    """Add."""
    return a + b


class Agent(dspy.Module):
    """Calls a tool, then a predictor."""

    def __init__(self) -> None:
        super().__init__()
        self.tool = dspy.Tool(add, name="add")
        self.step = dspy.Predict("question -> answer")

    def forward(self, question: str) -> Any:
        self.tool(a=1, b=2)
        return self.step(question=question)


async def test_tools_have_status_messages() -> None:
    with served(chat(answer="a")):
        items = await everything(dspy.streamify(Agent())(question="?"))
    messages = [item.message for item in items if isinstance(item, dspy.streaming.StatusMessage)]
    assert len(messages) == 2
    assert "add" in messages[0]


async def test_status_messages_of_ones_own() -> None:
    class Told(dspy.streaming.StatusMessageProvider):
        def tool_start_status_message(self, instance: Any, inputs: Any) -> str:
            return f"calling {instance.name}"

        def tool_end_status_message(self, outputs: Any) -> str:
            return f"got {outputs}"

        def module_start_status_message(self, instance: Any, inputs: Any) -> str | None:
            return "asking" if isinstance(instance, dspy.Predict) else None

    with served(chat(answer="a")):
        items = await everything(dspy.streamify(Agent(), status_message_provider=Told())(question="?"))
    messages = [item.message for item in items if isinstance(item, dspy.streaming.StatusMessage)]
    assert messages == ["calling add", "got 3", "asking"]


# Server-sent events.


async def test_streaming_response() -> None:
    with served(chat(answer=ANSWER)):
        program = dspy.streamify(dspy.Predict("question -> answer"))
        events = [event async for event in dspy.streaming.streaming_response(program(question="Why?"))]
    assert all(event.startswith("data: ") for event in events)
    assert events[-1].strip() == "data: [DONE]"
    assert ANSWER in events[-2]


def test_apply_sync_streaming() -> None:
    async def numbers() -> Any:
        for n in range(3):
            yield n

    assert list(dspy.streaming.apply_sync_streaming(numbers())) == [0, 1, 2]


# asyncify and syncify.


async def test_asyncify() -> None:
    with dspy.context(lm=dspy.utils.DummyLM([{"answer": "a"}])):
        program = dspy.asyncify(dspy.Predict("question -> answer"))
        assert (await program(question="?")).answer == "a"


async def test_asyncify_keeps_the_context() -> None:
    class Marked(dspy.Module):
        def forward(self) -> Any:
            return dspy.settings.get("mark")

    async def run(mark: str) -> Any:
        with dspy.context(mark=mark):
            return await dspy.asyncify(Marked())()

    assert await asyncio.gather(run("a"), run("b")) == ["a", "b"]


async def test_asyncify_does_not_block() -> None:
    import time

    class Slow(dspy.Module):
        def forward(self) -> None:
            time.sleep(0.2)

    started = time.perf_counter()
    await asyncio.gather(*(dspy.asyncify(Slow())() for _ in range(4)))
    assert time.perf_counter() - started < 0.7


class OnlyAsync(dspy.Module):
    """Has no forward."""

    async def aforward(self, n: int) -> int:
        await asyncio.sleep(0)
        return n + 1


def test_syncify_in_place() -> None:
    program = dspy.syncify(OnlyAsync())
    assert program(n=1) == 2


def test_syncify_a_wrapper() -> None:
    program = OnlyAsync()
    assert dspy.syncify(program, in_place=False)(n=1) == 2
