"""The bridge against the local server, through litellm's own client for OpenAI's protocol."""

import asyncio
import sys
from importlib.util import find_spec

import pytest

from telic.errors import (
    ContextWindowExceededError,
    LMAuthError,
    LMConfigurationError,
    LMInvalidRequestError,
    LMRateLimitError,
    LMServerError,
    LMTimeoutError,
    LMTransportError,
    LMUnsupportedFeatureError,
    LMUnsupportedModelError,
    MissingExtraError,
)
from telic.lm.bridge.engine import BridgeEngine
from telic.testing.faults import Faults
from telic.testing.server import LocalServer
from telic.types import Constraint, Request, Usage

HELLO = [{"role": "user", "content": "hello there"}]


async def until(happened):
    async with asyncio.timeout(5):
        while not happened():
            await asyncio.sleep(0.01)


def ask(**params):
    return Request("openai/test", messages=HELLO, params=params)


def test_without_the_library_the_error_says_how_to_get_it(monkeypatch):
    from telic.lm.bridge import library

    library._load.cache_clear()
    monkeypatch.setitem(sys.modules, "litellm", None)
    with pytest.raises(MissingExtraError, match=r"telic\[bridge\].*api_base"):
        BridgeEngine("anthropic/claude").complete(ask())


class TestThroughLitellm:
    @pytest.fixture(autouse=True)
    def _litellm(self):
        from telic.lm.bridge import library

        if find_spec("litellm") is None:
            pytest.skip("litellm is not installed")
        library._load.cache_clear()
        library.load("any/model")

    def engine(self, server, model="openai/gpt-4o-mini", **options):
        return BridgeEngine(model, api_base=server.url, api_key="my-private-key", backoff=0.02, **options)

    def test_an_answer_has_text_usage_and_cost(self):
        with LocalServer(reply="good day") as server:
            engine = self.engine(server)
            response = engine.complete(ask(temperature=0.5))
            assert asyncio.run(engine.acomplete(ask())).choices[0].text == "good day"
        assert server.bodies[0]["temperature"] == 0.5
        assert response.choices[0].text == "good day"
        assert response.usage == Usage(2, 2)
        assert 0 < response.cost < 1e-5
        assert server.requests[0].headers["authorization"] == "Bearer my-private-key"

    def test_what_is_not_known_is_not_zero(self):
        with LocalServer() as server:
            assert self.engine(server, "openai/no-such-model").complete(ask()).cost is None
            server.usage = False
            assert self.engine(server).complete(ask()).cost is None

    def test_plain_completion_tools_and_reasoning(self):
        call = {"id": "1", "type": "function", "function": {"name": "add", "arguments": "{}"}}
        with LocalServer(reply={"content": "x", "tool_calls": [call], "reasoning_content": "hm"}) as server:
            choice = self.engine(server).complete(ask()).choices[0]
            text = self.engine(server, "openai/gpt-3.5-turbo-instruct").complete(Request("m", prompt="y"))
        assert choice.tool_calls[0]["function"]["name"] == "add"
        assert choice.reasoning == "hm"
        assert text.choices[0].text == "x"
        assert server.bodies[1]["prompt"] in ("y", ["y"])

    def test_several_choices(self):
        with LocalServer(reply=["a", "b", "c"], most_choices=1) as server:
            response = self.engine(server).complete(ask(n=3))
        assert sorted(c.text for c in response.choices) == ["a", "b", "c"]
        assert response.usage == Usage(6, 3)

    def test_a_schema_is_passed_on_where_the_model_takes_one(self):
        schema = {"type": "object", "properties": {"a": {"type": "string"}}}
        with LocalServer(reply="{}") as server:
            engine = self.engine(server)
            engine.complete(Request("m", messages=HELLO, constraint=Constraint(json_schema=schema)))
        assert engine.capabilities.json_schema
        assert engine.capabilities.context_window == 128_000
        assert (
            server.bodies[0]["response_format"]["json_schema"]["schema"]["properties"] == schema["properties"]
        )

    @pytest.mark.parametrize(
        ("fault", "kind"),
        [
            (429, LMRateLimitError),
            (500, LMServerError),
            (503, LMServerError),
            (401, LMAuthError),
            (403, LMAuthError),
            (404, LMUnsupportedModelError),
            (400, LMInvalidRequestError),
            ("reset", LMTransportError),
            ("stall", LMTimeoutError),
        ],
    )
    def test_errors_are_ours_and_hold_no_key(self, fault, kind):
        with LocalServer(faults=Faults(rate=1, kinds=[fault], retry_after=7)) as server:
            with pytest.raises(kind) as caught:
                self.engine(server, num_retries=0, timeout=0.5).complete(ask())
            assert server.count == 1
        error = caught.value
        assert error.provider == "openai"
        assert error.__cause__ is None
        assert "my-private-key" not in f"{error!r}{error}{vars(error)}"
        if fault in (429, 503):
            assert error.retry_after == 7

    def test_faults_are_asked_again_and_retry_after_is_honoured(self):
        with LocalServer(reply="fine", faults=Faults(plan=[429, 500, "reset"], retry_after="0.2")) as server:
            response = self.engine(server, num_retries=2).complete(ask())
        assert response.choices[0].text == "fine"
        assert response.latency < 0.2
        assert server.count == 4

    def test_what_cannot_work_is_said(self):
        def too_long(body):
            raise LookupError("This model's maximum context length is 10 tokens. context_length_exceeded")

        with LocalServer(reply=too_long) as server, pytest.raises(ContextWindowExceededError):
            self.engine(server).complete(ask())
        with pytest.raises(LMConfigurationError, match="nobody"):
            BridgeEngine("nobody/model").complete(ask())
        with pytest.raises(LMAuthError, match="ANTHROPIC_API_KEY"):
            BridgeEngine("anthropic/claude-sonnet-4-5").complete(ask())
        with pytest.raises(LMUnsupportedFeatureError, match="seed"):
            BridgeEngine("anthropic/claude-sonnet-4-5", api_key="x").complete(ask(seed=1))

    async def test_cancelling_ends_the_request(self):
        with LocalServer(latency=5) as server:
            task = asyncio.create_task(self.engine(server).acomplete(ask()))
            await until(lambda: server.count)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await until(lambda: server.dropped == 1)

    # litellm makes types in the middle of a stream, of a kind that pydantic warns about.
    @pytest.mark.filterwarnings("ignore")
    async def test_answers_while_they_are_written(self):
        with LocalServer(reply="one two three", faults=Faults(plan=[429])) as server:
            chunks = [chunk async for chunk in self.engine(server).stream(ask())]
            assert [chunk.text for chunk in chunks if chunk.text] == ["one", " two", " three"]
            assert [chunk.finish_reason for chunk in chunks if chunk.finish_reason] == ["stop"]
            assert chunks[-1].usage == Usage(2, 3)
            assert chunks[-1].cost == pytest.approx(2 * 0.15e-6 + 3 * 0.6e-6)
            assert server.count == 2

    @pytest.mark.filterwarnings("ignore")
    @pytest.mark.parametrize("fault", ["truncate", "error"])
    async def test_a_stream_that_breaks_is_not_asked_again(self, fault):
        with LocalServer(reply="one two three", faults=Faults(plan=[fault])) as server:
            stream = self.engine(server).stream(ask())
            assert (await anext(stream)).text == "one"
            with pytest.raises((LMServerError, LMTransportError)):
                await anext(stream)
            assert server.count == 1

    @pytest.mark.filterwarnings("ignore")
    async def test_leaving_a_stream_ends_the_request(self):
        with LocalServer(reply="word " * 500, pace=0.01) as server:
            stream = self.engine(server).stream(ask())
            await anext(stream)
            await stream.aclose()
            await until(lambda: server.dropped == 1)
