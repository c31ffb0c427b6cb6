"""Which text reaches a listener: any field, however deep, through every adapter, recorded or native."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

import pytest
from pydantic import BaseModel

import telic
from telic.errors import AdapterParseError, InputError, LMTransportError
from telic.streaming import StatusMessage, StreamChunk, StreamListener, StreamResponse
from telic.testing import DummyLM
from telic.testing.faults import Faults
from telic.testing.server import LocalServer
from telic.types import Reasoning, Type
from telic.types.chunk import Chunk
from tests.agents import call
from tests.streaming.served import Chain, Loop, Twice, chat, collect, lm, pieces_of, text_of


def made(**fields: Any) -> Any:
    """A signature of these types; the first is the input."""
    first = next(iter(fields))
    return telic.Signature(
        {n: (t, telic.InputField() if n == first else telic.OutputField()) for n, t in fields.items()}
    )


def predict() -> Any:
    return telic.Predict("question -> answer")


class City(BaseModel):
    name: str
    people: int | None = None


ANSWER = [StreamListener("answer")]
CHAIN = [chat(outline="first, then"), chat(reasoning="because it is so", answer="It is so.")]


async def test_fields_in_the_order_in_which_they_are_written() -> None:
    with LocalServer(reply=chat(reasoning="I think so.", answer="The sky is blue.")) as server:
        telic.configure(lm=lm(server))
        listeners = [StreamListener("answer"), StreamListener("reasoning")]
        items = await collect(telic.ChainOfThought("question -> answer"), listeners, question="q")
    assert pieces_of(items, "answer") == [
        ("The", False),
        (" sky", False),
        (" is", False),
        (" blue.", False),
        ("", True),
    ]
    fields = [item.signature_field_name for item in items[:-1]]
    assert fields == sorted(fields, key=["reasoning", "answer"].index)
    assert {item.predict_name for item in items[:-1]} == {"predict"}
    assert items[-1].answer == "The sky is blue."


async def test_predictors_deep_inside_and_called_from_blocking_code() -> None:
    with LocalServer(reply=CHAIN) as server:
        telic.configure(lm=lm(server))
        items = await collect(Chain(), [StreamListener("outline"), StreamListener("answer")], question="q")
    assert text_of(items, "outline") == "first, then"
    assert text_of(items, "answer") == "It is so." == items[-1].answer
    names = list(dict.fromkeys(item.predict_name for item in items[:-1]))
    assert names == ["outline", "parts['write'][0].predict"]


async def test_what_is_not_listened_to_is_not_streamed() -> None:
    with LocalServer(reply=CHAIN) as server:
        telic.configure(lm=lm(server))
        await collect(Chain(), [StreamListener("answer")], question="q")
        assert [bool(body.get("stream")) for body in server.bodies] == [False, True]


async def test_without_listeners_every_chunk_comes_as_it_is() -> None:
    with LocalServer(reply=chat(answer="so")) as server:
        telic.configure(lm=lm(server))
        program = Twice()
        items = await collect(program, question="q")
    chunks = [item for item in items if isinstance(item, StreamChunk)]
    assert [item.predict_name for item in chunks if item.chunk.finish_reason] == ["first", "second"]
    assert chunks[0].predict_id == id(program.first)
    text = "".join(item.choices[0].delta.content or "" for item in chunks if item.predict_name == "first")
    assert text == chat(answer="so")
    assert chunks[0].to_json()["choices"][0]["delta"] == {"content": "[["}
    assert items[-1].answer == "so"


class TestWhichPredictor:
    async def test_a_field_of_several_predictors_needs_a_name(self) -> None:
        with pytest.raises(InputError, match=r"not unique.*first, second.*predict_name='first'"):
            await collect(Twice(), [StreamListener("answer")], question="q")

    @pytest.mark.parametrize("by", ["predict", "predict_name", "both", "self."])
    async def test_by_predictor_or_by_name(self, by: str) -> None:
        program = Twice()
        given: dict[str, Any] = {"predict": program.second, "predict_name": "second"}
        if by == "self.":
            given = {"predict_name": "self.second"}
        elif by != "both":
            given = {by: given[by]}
        with LocalServer(reply=[chat(answer="one"), chat(answer="two")]) as server:
            telic.configure(lm=lm(server))
            items = await collect(program, [StreamListener("answer", **given)], question="q")
        assert text_of(items, "answer") == "two"
        assert items[0].predict_name == "second"

    async def test_both_at_once(self) -> None:
        listeners = [StreamListener("answer", predict_name=name) for name in ("first", "second")]
        with LocalServer(reply=[chat(answer="one"), chat(answer="two")]) as server:
            telic.configure(lm=lm(server))
            items = await collect(Twice(), listeners, question="q")
        assert [(i.predict_name, i.chunk) for i in items[:-1] if i.chunk] == [
            ("first", "one"),
            ("second", "two"),
        ]

    async def test_what_is_not_there_is_named(self) -> None:
        with pytest.raises(InputError, match=r"output field 'nothing'.*first \(answer\)"):
            await collect(Twice(), [StreamListener("nothing")], question="q")
        with pytest.raises(InputError, match="'third'"):
            await collect(Twice(), [StreamListener("answer", predict_name="third")], question="q")
        with pytest.raises(InputError, match="no output field 'nothing'; it has answer"):
            await collect(Twice(), [StreamListener("nothing", predict=Twice().first)], question="q")

    async def test_a_compiled_part_is_heard_too(self) -> None:
        program = Chain()
        program.parts["write"][0]._compiled = True
        with LocalServer(reply=CHAIN) as server:
            telic.configure(lm=lm(server))
            items = await collect(program, [StreamListener("answer")], question="q")
        assert text_of(items, "answer") == "It is so."


class TestReuse:
    async def test_the_first_answer_only(self) -> None:
        with LocalServer(reply=[chat(answer="one"), chat(answer="two")]) as server:
            telic.configure(lm=lm(server))
            items = await collect(Loop(), [StreamListener("answer")], question="q")
        assert text_of(items, "answer") == "one"
        assert items[-1].answer == "two"

    async def test_every_answer(self) -> None:
        with LocalServer(reply=[chat(answer="one"), chat(answer="two")]) as server:
            telic.configure(lm=lm(server))
            items = await collect(Loop(), [StreamListener("answer", allow_reuse=True)], question="q")
        assert pieces_of(items, "answer") == [("one", False), ("", True), ("two", False), ("", True)]

    async def test_every_call_begins_anew(self) -> None:
        with LocalServer(reply=chat(answer="one")) as server:
            telic.configure(lm=lm(server))
            streamer = telic.streaming.streamify(Loop(), stream_listeners=[StreamListener("answer")])
            for _ in range(2):
                assert text_of([item async for item in streamer(question="q")], "answer") == "one"


@pytest.mark.parametrize("adapter", ["chat", "json", "xml", "completion"])
async def test_every_adapter(adapter: str) -> None:
    class Facts(telic.Signature):
        """Say something about a place."""

        place: str = telic.InputField()
        note: str = telic.OutputField()
        mood: Literal["good", "bad"] = telic.OutputField()
        cities: list[City] = telic.OutputField()

    made = telic.adapters.adapter_by_name(adapter)
    values = {"note": 'Say "hi" & <wait>\nfor it', "mood": "good", "cities": [City(name="Rome", people=3)]}
    reply = made.format_assistant_message_content(Facts, values)
    with LocalServer(reply=reply, split=lambda text: [text[i : i + 3] for i in range(0, len(text), 3)]) as s:
        telic.configure(lm=lm(s), adapter=made)
        listeners = [StreamListener(name, partial=name == "cities") for name in values]
        items = await collect(telic.Predict(Facts), listeners, place="p")
    assert text_of(items, "note") == values["note"] == items[-1].note
    assert text_of(items, "mood") == "good"
    assert items[-1].cities == values["cities"]
    last = [i for i in items[:-1] if i.signature_field_name == "cities"][-1]
    assert last.is_last_chunk
    assert last.value == [{"name": "Rome", "people": 3}]


class TestWhatCannotBeFollowed:
    async def test_an_answer_without_markers_is_given_whole(self) -> None:
        with LocalServer(reply="It is blue.") as server:
            telic.configure(lm=lm(server))
            items = await collect(predict(), ANSWER, question="q")
        assert pieces_of(items, "answer") == [("It is blue.", True)]

    async def test_so_is_that_of_an_lm_that_cannot_stream(self) -> None:
        telic.configure(lm=DummyLM([{"answer": "blue"}]))
        items = await collect(predict(), ANSWER, question="q")
        assert pieces_of(items, "answer") == [("blue", True)]

    async def test_and_what_an_adapter_of_ones_own_reads(self) -> None:
        class Lines(telic.ChatAdapter):
            def parse(self, signature: Any, completion: str) -> dict[str, Any]:
                return {"answer": completion.upper(), "parts": completion.split()}

        with LocalServer(reply="so it is") as server:
            telic.configure(lm=lm(server), adapter=Lines())
            program = telic.Predict("question -> answer, parts: list[str]")
            items = await collect(program, [*ANSWER, StreamListener("parts")], question="q")
        assert pieces_of(items, "answer") == [("SO IT IS", True)]
        assert pieces_of(items, "parts") == [('["so", "it", "is"]', True)]

    async def test_an_answer_that_was_repaired(self) -> None:
        replies = ["no markers", chat(answer="blue", number="7")]
        with LocalServer(reply=replies) as server:
            telic.configure(lm=lm(server))
            program = telic.Predict("question -> answer, number: int")
            items = await collect(program, [*ANSWER, StreamListener("number")], question="q")
            assert server.count == 2
        assert (text_of(items, "answer"), text_of(items, "number")) == ("blue", "7")

    async def test_an_answer_that_ends_in_the_middle(self) -> None:
        with LocalServer(
            reply={"content": "[[ ## answer ## ]]\nso far", "finish_reason": "length"}
        ) as server:
            telic.configure(lm=lm(server))
            items = await collect(predict(), ANSWER, question="q")
        assert pieces_of(items, "answer") == [("so", False), (" far", False), ("", True)]


class TestTheRecord:
    async def test_a_recorded_answer_is_one_chunk(self) -> None:
        with LocalServer(reply=chat(answer="The sky is blue.")) as server:
            telic.configure(lm=lm(server, cache=True))
            program = telic.Predict("question -> answer")
            first = await collect(program, [StreamListener("answer")], question="q")
            again = await collect(program, [StreamListener("answer")], question="q")
            raw = await collect(program, question="q")
            assert server.count == 1
        assert len(pieces_of(first, "answer")) == 5
        assert pieces_of(again, "answer") == [("The sky is blue.", True)]
        assert [type(item) for item in raw] == [StreamChunk, telic.Prediction]
        assert raw[0].chunk.cached

    async def test_or_none_where_that_is_wanted(self) -> None:
        with LocalServer(reply=chat(answer="blue")) as server:
            telic.configure(lm=lm(server, cache=True))
            program = telic.Predict("question -> answer")
            program(question="q")
            with telic.context(stream_recorded=False):
                options = {"include_final_prediction_in_output_stream": False}
                items = await collect(program, [StreamListener("answer")], options=options, question="q")
        assert [type(item) for item in items] == [telic.Prediction]

    async def test_what_was_streamed_is_recorded_and_counted_as_any_answer(self) -> None:
        with LocalServer(reply=chat(answer="blue")) as server:
            telic.configure(lm=lm(server, cache=True))
            program = telic.Predict("question -> answer")
            with telic.track_usage() as usage, telic.budget(calls=2) as budget:
                await collect(program, [StreamListener("answer")], question="q")
                program(question="q")
            assert server.count == 1
        assert (usage.calls, usage.cached_calls, budget.spent.calls) == (1, 1, 1)
        assert next(iter(usage.get_total_tokens().values()))["completion_tokens"] == len(
            chat(answer="blue").split()
        )

    async def test_two_at_once_are_asked_once(self) -> None:
        with LocalServer(reply=chat(answer="The sky is blue."), pace=0.01) as server:
            telic.configure(lm=lm(server, cache=True))
            program = telic.Predict("question -> answer")
            both = await asyncio.gather(
                *(collect(program, [StreamListener("answer")], question="q") for _ in range(2))
            )
            assert server.count == 1
        assert [text_of(items, "answer") for items in both] == ["The sky is blue."] * 2


class TestNatively:
    async def test_reasoning_that_is_no_part_of_the_text(self) -> None:
        class Thinking(telic.Signature):
            """Answer."""

            question: str = telic.InputField()
            reasoning: Reasoning = telic.OutputField()
            answer: str = telic.OutputField()

        with LocalServer(reply={"reasoning_content": "let me see", "content": chat(answer="blue")}) as server:
            model = telic.LM("openai/deepseek-r1", api_base=server.url, api_key="k", reasoning_effort="low")
            telic.configure(lm=model)
            both = [*ANSWER, StreamListener("reasoning")]
            items = await collect(telic.Predict(Thinking), both, question="q")
            assert "reasoning ##" not in str(server.bodies[0]["messages"])
        assert pieces_of(items, "reasoning") == [("let", False), (" me", False), (" see", False), ("", True)]
        assert text_of(items, "answer") == "blue"
        assert items[-1].reasoning == "let me see"

    async def test_or_that_is(self) -> None:
        class Thinking(telic.Signature):
            """Answer."""

            question: str = telic.InputField()
            reasoning: Reasoning = telic.OutputField()
            answer: str = telic.OutputField()

        both = [*ANSWER, StreamListener("reasoning")]
        with LocalServer(reply=chat(reasoning="let me see", answer="blue")) as server:
            telic.configure(lm=lm(server))
            items = await collect(telic.Predict(Thinking), both, question="q")
        assert (text_of(items, "reasoning"), text_of(items, "answer")) == ("let me see", "blue")
        assert items[-1].reasoning == "let me see"

    async def test_native_tool_calls_come_whole(self) -> None:
        def add(a: int, b: int) -> int:
            """Add."""
            return a + b

        call = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1, "b": 2}'}}
        signature = telic.Signature(
            {
                "question": (str, telic.InputField()),
                "tools": (list[telic.Tool], telic.InputField()),
                "calls": (telic.ToolCalls, telic.OutputField()),
            }
        )
        with LocalServer(reply={"content": None, "tool_calls": [call]}) as server:
            telic.configure(lm=lm(server), adapter=telic.ChatAdapter(use_native_function_calling=True))
            program = telic.Predict(signature)
            items = await collect(program, [StreamListener("calls")], question="q", tools=[telic.Tool(add)])
            raw = await collect(program, question="q", tools=[telic.Tool(add)])
        ((text, last),) = pieces_of(items, "calls")
        assert last
        assert '"add"' in text
        assert items[-1].calls.tool_calls[0].args == {"a": 1, "b": 2}
        deltas = [delta for item in raw[:-1] for delta in item.chunk.tool_calls]
        assert "".join(delta["function"]["arguments"] for delta in deltas) == '{"a": 1, "b": 2}'

    async def test_an_own_type_reads_the_chunks(self) -> None:
        class Loud(Type):
            content: str

            @classmethod
            def is_streamable(cls) -> bool:
                return True

            @classmethod
            def parse_stream_chunk(cls, chunk: Any) -> str | None:
                return chunk.text.upper() if "sky" in chunk.text else None

        with LocalServer(reply=chat(answer="The sky is blue.", loud='{"content": "x"}')) as server:
            telic.configure(lm=lm(server))
            signature = made(question=str, answer=str, loud=Loud)
            items = await collect(telic.Predict(signature), [StreamListener("loud")], question="q")
        assert pieces_of(items, "loud")[:2] == [(" SKY", False), ("", True)]


async def test_a_growing_object() -> None:
    reply = chat(city='{"name": "Rome", "people": 2800000}', note="ok")
    with LocalServer(reply=reply, split=lambda text: list(text)) as server:
        telic.configure(lm=lm(server))
        signature = made(q=str, city=City, note=str)
        listeners = [StreamListener("city", partial=True), StreamListener("note", partial=True)]
        items = await collect(telic.Predict(signature), listeners, q="q")
    values = [item.value for item in items[:-1] if item.signature_field_name == "city"]
    assert {"name": "Ro"} in values
    assert values[-1] == {"name": "Rome", "people": 2800000}
    assert [i.value for i in items[:-1] if i.signature_field_name == "note"] == ["o", "ok", "ok"]


async def test_an_error_comes_after_what_was_heard() -> None:
    with LocalServer(reply=chat(answer="a b c"), faults=Faults(plan=["truncate"])) as server:
        telic.configure(lm=lm(server))
        heard = []
        streamer = telic.streaming.streamify(telic.Predict("question -> answer"))
        with pytest.raises(LMTransportError) as caught:
            heard += [item async for item in streamer(question="q")]
        assert caught.value.program_path == "self"


async def test_an_unreadable_answer_is_the_consumers_error() -> None:
    with LocalServer(reply=chat(other="x")) as server:
        telic.configure(lm=lm(server), max_repairs=0)
        with pytest.raises(AdapterParseError):
            await collect(telic.Predict("question -> a, b"), [StreamListener("a")], question="q")


async def test_tries_of_a_part_are_heard_under_its_name() -> None:
    from telic.modules.best_of_n import BestOfN

    with LocalServer(reply=[chat(answer="one"), chat(answer="two")]) as server:
        telic.configure(lm=lm(server))
        program = BestOfN(telic.Predict("question -> answer"), 2, lambda _, p: float(p.answer == "two"), 1.0)
        items = await collect(program, [StreamListener("answer", allow_reuse=True)], question="q")
    assert pieces_of(items, "answer") == [("one", False), ("", True), ("two", False), ("", True)]
    assert {item.predict_name for item in items[:-1]} == {"module"}


async def test_an_lm_of_ones_own_streams_in_openais_shape() -> None:
    class Own(telic.BaseLM):
        async def astream(self, prompt: Any = None, messages: Any = None, **kwargs: Any) -> Any:
            assert kwargs["temperature"] == 0.5
            for word in ("[[ ## answer ## ]]\n", "so", " it", " is"):
                yield {"choices": [{"index": 0, "delta": {"content": word}}]}
            yield Chunk(finish_reason="stop")

        def forward(self, prompt: Any = None, messages: Any = None, **kwargs: Any) -> Any:
            raise AssertionError("it is to be streamed")

    telic.configure(lm=Own("own/model", temperature=0.5))
    items = await collect(predict(), ANSWER, question="q")
    assert text_of(items, "answer") == "so it is"
    assert len(pieces_of(items, "answer")) == 4


class TestByHand:
    """A listener without a program, fed with chunks of any origin."""

    def test_one_response_a_chunk(self) -> None:
        listener = StreamListener("answer")
        chunks = ["[[ ## answer", " ## ]]\nTo", " be", " or [[ ##", " completed ## ]]"]
        heard = [listener.receive(Chunk(text)) for text in chunks]
        assert heard == [
            None,
            StreamResponse(None, "answer", "To", False),
            StreamResponse(None, "answer", " be", False),
            StreamResponse(None, "answer", " or", False),
            StreamResponse(None, "answer", "", True),
        ]
        assert listener.receive(Chunk("[[ ## answer ## ]]\nmore")) is None

    def test_openais_shape_and_the_adapter_of_the_settings(self) -> None:
        listener = StreamListener("answer", allow_reuse=True)
        row = {"choices": [{"index": 0, "delta": {"content": '{"answer": "so"}'}}]}
        with telic.context(adapter=telic.JSONAdapter()):
            for _ in range(2):
                assert listener.receive(row) == StreamResponse(None, "answer", "so", True)

    def test_what_was_held_back(self) -> None:
        listener = StreamListener("answer")
        listener.receive(Chunk("[[ ## answer ## ]]\nso [["))
        assert listener.flush() == " [["
        listener = StreamListener("answer", predict_name="p")
        listener.receive(Chunk("[[ ## answer ## ]]\nso [["))
        assert listener.finalize() == StreamResponse("p", "answer", " [[", True)
        assert listener.finalize() is None


@pytest.mark.parametrize("native", [True, False])
async def test_an_agents_thoughts_and_its_answer(native: bool) -> None:
    def weather(place: str) -> str:
        """Tell the weather."""
        return f"sunny in {place}"

    turns: list[Any] = [
        chat(next_thought="I must look", next_tool_name="weather", next_tool_args='{"place": "Rome"}'),
        chat(next_thought="I know it", next_tool_name="finish", next_tool_args="{}"),
        chat(reasoning="I looked.", answer="It is sunny."),
    ]
    if native:
        turns[:2] = [
            {**call("weather", place="Rome"), "content": "I must look"},
            {**call("finish"), "content": chat(next_thought="I know it")},
        ]
    with LocalServer(reply=turns) as server:
        model = lm(server, capabilities={"tools": True})
        telic.configure(lm=model, native_agent_tools=native)
        agent = telic.ReAct("question -> answer", tools=[weather])
        items = await collect(
            agent, [StreamListener("next_thought", allow_reuse=True), *ANSWER], question="q"
        )
    assert text_of(items, "next_thought") == "I must lookI know it"
    assert text_of(items, "answer") == "It is sunny."
    kinds = [type(item).__name__ for item in items]
    assert kinds.index("StatusMessage") > kinds.index("StreamResponse")
    assert [item.message for item in items if isinstance(item, StatusMessage)] == [
        "Calling tool weather...",
        "Tool calling finished! Querying the LLM with tool calling results...",
    ]
