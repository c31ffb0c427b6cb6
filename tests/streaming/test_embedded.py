"""The model in this process, heard while it writes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import telic
from telic.streaming import StreamListener, streamify
from telic.types import Request
from telic.types.chunk import Assembly
from tests.streaming.served import collect, pieces_of, text_of

pytestmark = pytest.mark.model

ASKED = [{"role": "user", "content": "Tell me about the sea in two sentences."}]


def request(**params: Any) -> Request:
    return Request("local/smollm2-135m", messages=ASKED, params={"max_tokens": 12, **params})


async def streamed(lm: telic.LM, asked: Request) -> Any:
    assembly = Assembly(lm.model)
    count = 0
    async for chunk in lm.engine.stream(asked):  # type: ignore[attr-defined]
        assembly.add(chunk)
        count += 1
    return assembly.response(), count


async def test_it_writes_what_it_writes_otherwise() -> None:
    lm = telic.LM("local/smollm2-135m")
    response, count = await streamed(lm, request())
    whole = await lm.engine.acomplete(request())
    assert response.choices == whole.choices
    assert response.usage.completion_tokens == whole.usage.completion_tokens == 12
    assert response.choices[0].finish_reason == "length"
    assert (response.cost, response.usage.prompt_tokens > 0) == (0.0, True)
    assert count > 10


async def test_several_answers() -> None:
    lm = telic.LM("local/smollm2-135m")
    sampled, _ = await streamed(lm, request(n=2, temperature=1.0, max_tokens=8))
    assert sampled.choices == (await lm.engine.acomplete(request(n=2, temperature=1.0, max_tokens=8))).choices
    greedy, _ = await streamed(lm, request(n=2, max_tokens=4))
    assert greedy.choices[0].text == greedy.choices[1].text


async def test_a_program_and_leaving_it() -> None:
    lm = telic.LM("local/smollm2-135m", max_tokens=40)
    telic.configure(lm=lm)
    program = telic.Predict("question -> answer")
    items = await collect(program, [StreamListener("answer")], question="What is the sea?")
    assert text_of(items, "answer") == items[-1].answer
    assert len(pieces_of(items, "answer")) > 3
    blocking = list(streamify(program, async_streaming=False)(question="What is a river?"))
    assert isinstance(blocking[-1], telic.Prediction)
    before = lm.engine.counters.answers  # type: ignore[attr-defined]
    async for _ in streamify(program)(question="What is a long river, and which are there?"):
        break
    await asyncio.sleep(0.3)
    assert lm.engine.counters.answers == before  # type: ignore[attr-defined]
