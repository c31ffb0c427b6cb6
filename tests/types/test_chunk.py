"""Chunks add up to the response they were cut from."""

from __future__ import annotations

import pytest

from telic.errors import LMCollectionLimitError, LMStreamAssemblyError
from telic.types import Choice, Response, Usage
from telic.types.chunk import Assembly, Chunk, chunks_of

CALL = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}}


def assembled(*chunks: Chunk) -> Response:
    assembly = Assembly("openai/m")
    for chunk in chunks:
        assembly.add(chunk)
    return assembly.response()


def test_a_response_survives_being_one_chunk_a_choice() -> None:
    response = Response(
        (
            Choice("one", "length", (CALL,), "because", {"content": [1]}, ({"cited_text": "x"},)),
            Choice(None, "tool_calls", (CALL,)),
        ),
        Usage(3, 4, 1),
        "m",
        0.5,
        cached=True,
    )
    chunks = list(chunks_of(response))
    assert [chunk.index for chunk in chunks] == [0, 0, 1]
    assert all(chunk.cached for chunk in chunks)
    again = assembled(*chunks)
    assert (again.choices, again.usage, again.model, again.cost) == (
        response.choices,
        response.usage,
        "m",
        0.5,
    )
    assert again.latency > 0


def test_texts_thoughts_and_probabilities_are_joined() -> None:
    response = assembled(
        Chunk(reasoning="I "),
        Chunk(reasoning="think"),
        Chunk("fo", logprobs={"content": [1]}, model="m-1"),
        Chunk("ur", logprobs={"content": [2, 3]}),
        Chunk(finish_reason="stop"),
        Chunk(usage=Usage(1, 2), cost=0.1),
    )
    assert response.choices == (Choice("four", "stop", (), "I think", {"content": [1, 2, 3]}),)
    assert (response.usage, response.model, response.cost) == (Usage(1, 2), "m-1", 0.1)


def test_tool_calls_come_in_pieces() -> None:
    def delta(index: int | None, arguments: str, **rest: str) -> Chunk:
        function = {"arguments": arguments, **({"name": rest.pop("name")} if "name" in rest else {})}
        return Chunk(tool_calls=({"index": index, "function": function, **rest},))

    response = assembled(
        delta(0, "", id="c1", name="add"),
        delta(0, '{"a"'),
        delta(1, "{}", id="c2", name="now"),
        delta(0, ": 1}"),
        Chunk(finish_reason="tool_calls"),
    )
    assert response.choices[0].text is None
    assert [c["function"] for c in response.choices[0].tool_calls] == [
        {"name": "add", "arguments": '{"a": 1}'},
        {"name": "now", "arguments": "{}"},
    ]
    # Some servers give no index: a new id begins a new call.
    unnumbered = assembled(
        delta(None, "{", id="c1", name="a"),
        delta(None, "}"),
        delta(None, "[]", id="c2", name="b"),
        Chunk(finish_reason="tool_calls"),
    )
    assert [c["function"]["arguments"] for c in unnumbered.choices[0].tool_calls] == ["{}", "[]"]


def test_a_stream_that_stops_before_its_end_says_what_there_was() -> None:
    with pytest.raises(LMStreamAssemblyError, match="before its answer was complete") as caught:
        assembled(Chunk("half of"))
    assert caught.value.partial.choices[0].text == "half of"
    assert caught.value.part_index == 0
    with pytest.raises(LMStreamAssemblyError):
        assembled(Chunk(usage=Usage(1, 0)))


def test_a_tool_call_of_no_known_shape() -> None:
    with pytest.raises(LMStreamAssemblyError, match="tool call"):
        assembled(Chunk(tool_calls=({"index": "first", "function": {}},)), Chunk(tool_calls=("x",)))  # type: ignore[arg-type]


def test_a_stream_without_end_is_cut() -> None:
    assembly = Assembly("openai/m", longest=10)
    assembly.add(Chunk("0123456789"))
    with pytest.raises(LMCollectionLimitError, match="max_tokens") as caught:
        assembly.add(Chunk("x"))
    assert caught.value.partial.choices[0].text == "0123456789x"


def test_the_shape_that_openai_users_read() -> None:
    chunk = Chunk("hi", "thought", extra={"provider_specific_fields": {"citation": 1}}, model="m")
    delta = chunk.choices[0].delta
    assert (delta.content, delta.reasoning_content) == ("hi", "thought")
    assert delta.provider_specific_fields == {"citation": 1}
    assert chunk.to_json()["choices"][0]["delta"] == {"content": "hi", "reasoning_content": "thought"}
