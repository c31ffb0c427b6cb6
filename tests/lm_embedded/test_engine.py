"""The embedded engine on the default model."""

from __future__ import annotations

import asyncio
import gc
import json
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from telic.errors import (
    ContextWindowExceededError,
    LMConfigurationError,
    LMInvalidRequestError,
    LMUnsupportedFeatureError,
    ModelWeightsError,
)
from telic.lm.embedded import loaded
from telic.lm.embedded.engine import EmbeddedEngine
from telic.types import Constraint, Request
from tests.lm_embedded.wheelhouse import gguf

pytestmark = pytest.mark.model

MODEL = "local/smollm2-135m"


@pytest.fixture
def engine() -> Iterator[EmbeddedEngine]:
    made = EmbeddedEngine.shared(MODEL, n_ctx=2048)
    yield made
    made.close()


def ask(prompt: str | None = None, *, max_tokens: int = 8, **more: Any) -> Request:
    params = {"max_tokens": max_tokens, **more.pop("params", {})}
    return Request(model=MODEL, prompt=prompt, params=params, **more)


def chat(text: str, **more: Any) -> Request:
    return ask(messages=[{"role": "user", "content": text}], **more)


def test_says_what_it_is_without_loading(engine: EmbeddedEngine):
    assert engine.endpoint == "local:b179c9523d0e6a0f"
    able = engine.capabilities
    assert (able.chat, able.completion, able.json_schema, able.grammar, able.tools) == (
        True,
        True,
        True,
        True,
        False,
    )
    assert able.context_window == 2048
    assert engine.counters is None


def test_continues_a_text_and_tells_exactly_what_it_took(engine: EmbeddedEngine):
    response = engine.complete(ask("The capital of France is", max_tokens=3))
    assert response.choices[0].text.startswith(" Paris")
    assert response.choices[0].finish_reason == "length"
    assert (response.usage.prompt_tokens, response.usage.completion_tokens) == (5, 3)
    assert response.usage.prompt_tokens == engine.count_tokens(ask("The capital of France is"))
    assert response.cost == 0.0


def test_answers_through_its_own_chat_template(engine: EmbeddedEngine):
    request = chat("Say hello.", max_tokens=60)
    response = engine.complete(request)
    assert response.choices[0].finish_reason in ("stop", "length")
    assert "<|im" not in response.choices[0].text
    assert response.usage.prompt_tokens == engine.count_tokens(request)


def test_stops_where_it_is_told(engine: EmbeddedEngine):
    response = engine.complete(ask("1, 2, 3, 4,", max_tokens=40, params={"stop": [" 7"]}))
    assert response.choices[0].finish_reason == "stop"
    assert response.choices[0].text == " 5, 6,"


def test_logprobs_come_with_alternatives(engine: EmbeddedEngine):
    for request in (
        ask("The capital of France is", max_tokens=2, params={"logprobs": True, "top_logprobs": 3}),
        chat("Say hello.", max_tokens=2, params={"logprobs": True, "top_logprobs": 3}),
    ):
        content = engine.complete(request).choices[0].logprobs["content"]
        assert len(content) == 2
        assert all(len(token["top_logprobs"]) == 3 and token["logprob"] <= 0 for token in content)


def test_samples_differ_by_rollout_and_number_and_come_again_alike(engine: EmbeddedEngine):
    hot = {"temperature": 1.5, "n": 3}
    first = engine.complete(chat("Invent a name.", params=hot, rollout_id=1))
    again = engine.complete(chat("Invent a name.", params=hot, rollout_id=1))
    other = engine.complete(chat("Invent a name.", params=hot, rollout_id=2))
    texts = [choice.text for choice in first.choices]
    assert texts == [choice.text for choice in again.choices]
    assert len({*texts, *(choice.text for choice in other.choices)}) > 3
    assert first.usage.prompt_tokens == engine.count_tokens(chat("Invent a name."))
    seeded = [
        engine.complete(chat("Invent a name.", params={"temperature": 1.5, "seed": s})) for s in (5, 5, 6)
    ]
    assert seeded[0].choices == seeded[1].choices != seeded[2].choices


def test_many_greedy_answers_are_one(engine: EmbeddedEngine):
    response = engine.complete(ask("One two", max_tokens=3, params={"n": 4}))
    assert len(response.choices) == 4
    assert len(set(response.choices)) == 1
    assert response.usage.completion_tokens == 3


def test_a_prefix_is_read_once_and_its_answers_are_those_of_a_cold_start(engine: EmbeddedEngine):
    shared = "Item: sales rose by 4% in the north and fell in the south.\n" * 20
    prompts = [f"{shared}Item: order {n * 7919} did not arrive.\nNote:" for n in range(4)]
    warm = [engine.complete(ask(prompt, params={"logprobs": 1})) for prompt in prompts]
    tokens = engine.count_tokens(ask(shared))
    assert [response.usage.cached_tokens or 0 for response in warm[1:]] == pytest.approx([tokens] * 3, abs=6)
    cold_engine = EmbeddedEngine(MODEL, n_ctx=2048, prefix_reuse=False)
    cold = [cold_engine.complete(ask(prompt, params={"logprobs": 1})) for prompt in prompts]
    cold_engine.close()
    assert all(response.usage.cached_tokens == 0 for response in cold)
    assert [r.choices[0].text for r in warm] == [r.choices[0].text for r in cold]


async def test_prompts_that_came_mixed_are_asked_by_their_beginnings(engine: EmbeddedEngine):
    beginnings = [word * 200 for word in ("apple ", "river ", "stone ")]
    requests = [ask(f"{beginnings[n % 3]}and {n * 71}:", max_tokens=1) for n in range(18)]
    responses = await asyncio.gather(*(engine.acomplete(request) for request in requests))
    cold = [response for response in responses if response.usage.cached_tokens < 100]
    assert len(cold) == 3
    counters = engine.counters
    assert counters is not None
    assert counters.answers == 18
    assert counters.prompt_tokens == sum(response.usage.prompt_tokens for response in responses)


async def test_a_cancelled_task_frees_its_slot(engine: EmbeddedEngine):
    await engine.acomplete(ask("Warm", max_tokens=1))
    endless = ask("Once upon a time", max_tokens=1500, params={"ignore_eos": True})
    tasks = [asyncio.create_task(engine.acomplete(endless)) for _ in range(3)]
    await asyncio.sleep(0.2)
    for task in tasks:
        task.cancel()
    assert all(
        isinstance(r, asyncio.CancelledError) for r in await asyncio.gather(*tasks, return_exceptions=True)
    )
    began = time.perf_counter()
    await engine.acomplete(ask("Next", max_tokens=1))
    assert time.perf_counter() - began < 5
    assert engine.counters is not None
    assert engine.counters.answers == 2


def test_threads_share_one_model_and_closing_one_engine_leaves_the_other():
    one, other = EmbeddedEngine(MODEL, n_ctx=512), EmbeddedEngine.shared("smollm2-135m", n_ctx=512)
    answers: list[str | None] = []
    threads = [
        threading.Thread(
            target=lambda e=e: answers.append(e.complete(ask("2 + 2 =", max_tokens=2)).choices[0].text)
        )
        for e in (one, other) * 3
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 6
    assert len(set(answers)) == 1
    assert len(loaded._runners) == 1
    one.close()
    one.close()
    assert len(loaded._runners) == 1
    assert other.complete(ask("2 + 2 =", max_tokens=2)).choices[0].text == answers[0]
    other.close()
    assert loaded._runners == {}
    assert one.complete(ask("2 + 2 =", max_tokens=2)).choices[0].text == answers[0]
    del one
    gc.collect()
    deadline = time.monotonic() + 10
    while loaded._runners and time.monotonic() < deadline:
        time.sleep(0.02)
    assert loaded._runners == {}


@pytest.mark.parametrize(
    ("request_", "error", "says"),
    [
        (ask("word " * 2500), ContextWindowExceededError, r"2501 tokens.*hold 2048.*n_ctx"),
        (ask("x", constraint=Constraint(grammar="root ::= (")), LMInvalidRequestError, "constraint"),
        (ask("x", params={"temperature": "hot"}), LMInvalidRequestError, "temperature"),
        (ask("x", max_tokens=0), LMInvalidRequestError, "max_tokens=0"),
        (ask("x", params={"n": 0}), LMInvalidRequestError, "n=0"),
        (ask("x", params={"tools": []}), LMUnsupportedFeatureError, "'tools'"),
        (ask(""), LMInvalidRequestError, "empty"),
        (
            ask(messages=[{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]),
            LMUnsupportedFeatureError,
            "image_url",
        ),
    ],
)
def test_bad_requests_have_their_own_errors(
    engine: EmbeddedEngine, request_: Request, error: type, says: str
):
    with pytest.raises(error, match=says):
        engine.complete(request_)


def test_bad_options_are_named():
    with pytest.raises(LMConfigurationError, match="no option 'ctx'; it has n_ctx"):
        EmbeddedEngine(MODEL, ctx=1)
    with pytest.raises(LMConfigurationError, match="slots=0"):
        EmbeddedEngine(MODEL, slots=0)


def test_a_file_that_llama_cpp_cannot_load(tmp_path: Path):
    (tmp_path / "hollow.gguf").write_bytes(gguf())
    engine = EmbeddedEngine(f"local/{tmp_path / 'hollow.gguf'}")
    assert engine.capabilities.context_window == 2048
    with pytest.raises(ModelWeightsError, match="cannot load"):
        engine.complete(ask("x"))


def test_a_schema_holds_a_model_that_would_never_end(engine: EmbeddedEngine):
    item = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "count": {"type": "integer"}},
        "required": ["name", "count"],
    }
    schema = {
        "type": "object",
        "properties": {
            "who": {"type": "string"},
            "items": {"type": "array", "items": item},
            "mood": {"enum": ["calm", "angry"]},
            "due": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]},
        },
        "required": ["who", "items", "mood", "due"],
    }
    chance = random.Random(2)
    for limit in (120, 300):
        things = " and ".join(chance.choices(["lamps", "日本 tea", "SSDs 🍕", 'a "box"'], k=3))
        request = chat(f"Order: {things}. Give it as JSON.", max_tokens=limit, constraint=Constraint(schema))
        row = json.loads(engine.complete(request).choices[0].text)
        assert list(row) == ["who", "items", "mood", "due"]
        assert all(isinstance(one["count"], int) for one in row["items"])
        assert row["mood"] in ("calm", "angry")


def test_a_grammar_holds_the_answer(engine: EmbeddedEngine):
    grammar = 'root ::= " " ("red" | "light green" | "blue")\n'
    response = engine.complete(ask("Colour of grass:", max_tokens=20, constraint=Constraint(grammar=grammar)))
    assert response.choices[0].text in (" red", " light green", " blue")
    assert response.choices[0].finish_reason == "stop"


def test_response_format_as_openai_has_it(engine: EmbeddedEngine):
    schema = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]}
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    response = engine.complete(chat("Fine?", max_tokens=20, params={"response_format": wanted}))
    assert json.loads(response.choices[0].text) in ({"ok": True}, {"ok": False})
