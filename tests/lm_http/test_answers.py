"""What the engine asks and returns, against a server that records what it was sent."""

import asyncio
import copy
import pickle

import pytest

from telic.errors import LMInvalidRequestError, LMUnexpectedError
from telic.lm.http.engine import HttpEngine
from telic.testing.server import LocalServer
from telic.types import Constraint, Request, Usage

HELLO = [{"role": "user", "content": "hello there"}]


def chat(**params):
    return Request("openai/test", messages=HELLO, params=params)


def test_chat_posts_messages_and_parameters_and_reads_text_and_usage():
    with LocalServer(reply="good day") as server:
        engine = HttpEngine("test", server.url)
        response = engine.complete(chat(temperature=0.5, stop=["\n"], top_p=None))
    assert server.bodies == [{"model": "test", "messages": HELLO, "temperature": 0.5, "stop": ["\n"]}]
    assert server.requests[0].path == "/v1/chat/completions"
    assert response.choices[0].text == "good day"
    assert response.choices[0].finish_reason == "stop"
    assert response.usage == Usage(2, 2)
    assert response.model == "test"
    assert response.cost is None
    assert response.latency > 0


def test_a_prompt_goes_to_plain_completions():
    with LocalServer(reply=" world") as server:
        response = HttpEngine("test", server.url).complete(Request("openai/test", prompt="hello"))
    assert server.requests[0].path == "/v1/completions"
    assert server.bodies == [{"model": "test", "prompt": "hello"}]
    assert response.choices[0].text == " world"


async def test_the_same_engine_serves_threads_and_the_callers_own_loop():
    with LocalServer(reply=lambda body: body["messages"][-1]["content"]) as server:
        engine = HttpEngine("test", server.url)
        asked = [Request("openai/test", messages=[{"role": "user", "content": str(i)}]) for i in range(20)]
        here = await asyncio.gather(*[engine.acomplete(request) for request in asked])
        there = await asyncio.gather(*[asyncio.to_thread(engine.complete, request) for request in asked])
    texts = [str(i) for i in range(20)]
    assert [r.choices[0].text for r in here] == texts
    assert [r.choices[0].text for r in there] == texts


def test_tool_calls_reasoning_and_logprobs_are_kept():
    call = {"id": "1", "type": "function", "function": {"name": "add", "arguments": "{}"}}
    reply = {"content": None, "tool_calls": [call], "reasoning_content": "hm", "logprobs": {"content": []}}
    with LocalServer(reply=reply) as server:
        choice = HttpEngine("test", server.url).complete(chat()).choices[0]
    assert choice.text is None
    assert choice.tool_calls == (call,)
    assert choice.reasoning == "hm"
    assert choice.logprobs == {"content": []}
    assert choice.finish_reason == "tool_calls"


def test_a_server_that_gives_all_choices_is_asked_once():
    with LocalServer(reply="yes") as server:
        response = HttpEngine("test", server.url).complete(chat(n=3))
    assert len(response.choices) == 3
    assert server.count == 1
    assert server.bodies[0]["n"] == 3


def test_a_server_that_gives_fewer_choices_is_asked_for_the_rest():
    with LocalServer(reply=["a", "b", "c", "d"], most_choices=1) as server:
        response = HttpEngine("test", server.url).complete(chat(n=4, seed=7))
    assert sorted(c.text for c in response.choices) == ["a", "b", "c", "d"]
    assert [b["n"] for b in server.bodies] == [4, 1, 1, 1]
    assert sorted(b["seed"] for b in server.bodies) == [7, 8, 9, 10]
    assert response.usage == Usage(2 * 4, 4)


def test_a_server_that_knows_no_n_is_never_sent_one_above_1():
    with LocalServer(reply="x") as server:
        response = HttpEngine("test", server.url, provider="ollama").complete(chat(n=3))
    assert len(response.choices) == 3
    assert [b["n"] for b in server.bodies] == [1, 1, 1]


def test_usage_that_is_not_told_has_no_cost():
    with LocalServer(usage=False) as server:
        response = HttpEngine("gpt-4o", server.url).complete(chat())
    assert response.usage == Usage()
    assert response.cost is None


def test_cached_tokens_are_read():
    usage = {"prompt_tokens": 9, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 8}}
    body = {"choices": [{"message": {"content": "x"}}], "usage": usage}
    with LocalServer(reply=body) as server:
        assert HttpEngine("test", server.url).complete(chat()).usage == Usage(9, 1, 8)


def test_an_answer_of_unknown_shape_is_one_of_our_errors():
    with (
        LocalServer(reply={"choices": [{"delta": "?"}]}) as server,
        pytest.raises(LMUnexpectedError, match="delta"),
    ):
        HttpEngine("test", server.url).complete(chat())


def test_a_failure_in_a_200_is_a_failure():
    refusal = {"choices": [], "error": {"code": 400, "message": "no such parameter"}}
    with (
        LocalServer(reply=refusal) as server,
        pytest.raises(LMInvalidRequestError, match="no such parameter"),
    ):
        HttpEngine("test", server.url).complete(chat())


def test_a_refused_constraint_is_dropped_and_not_sent_again():
    def answer(body):
        if "response_format" in body:
            raise LookupError("response_format is not supported by this model")
        return "{}"

    constraint = Constraint(json_schema={"type": "object", "properties": {"a": {"type": "string"}}})
    asked = Request("openai/test", messages=HELLO, constraint=constraint)
    with LocalServer(reply=answer) as server:
        engine = HttpEngine("test", server.url)
        assert engine.complete(asked).choices[0].text == "{}"
        assert engine.complete(asked).choices[0].text == "{}"
        assert engine.capabilities.json_schema
    assert ["response_format" in body for body in server.bodies] == [True, False, False]


def test_copies_keep_the_key_and_pickles_do_not():
    engine = HttpEngine("test", "http://localhost:1/v1", "my-own-secret")
    assert copy.deepcopy(engine) is engine
    assert b"my-own-secret" not in pickle.dumps(engine)
    assert pickle.loads(pickle.dumps(engine)).endpoint == engine.endpoint
    assert "my-own-secret" not in repr(engine)


def test_organization_and_headers_are_sent():
    with LocalServer() as server:
        engine = HttpEngine("test", server.url, "k-123", organization="acme", headers={"X-Team": "a"})
        engine.complete(chat())
    sent = server.requests[0].headers
    assert sent["authorization"] == "Bearer k-123"
    assert sent["openai-organization"] == "acme"
    assert sent["x-team"] == "a"
