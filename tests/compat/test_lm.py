"""Language models in DSPy's terms: calls, parameters, copies, failures, LMs of one's own, dummies."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest

from tests.compat.scripts import chat, limit, served
from tests.compat.target import dspy


def test_a_prompt_gives_a_list_of_texts() -> None:
    with served("hello") as (_, lm):
        assert lm("Say hello.") == ["hello"]


def test_messages_give_a_list_of_texts() -> None:
    with served("hello") as (server, lm):
        assert lm(messages=[{"role": "user", "content": "Hi"}]) == ["hello"]
    assert server.bodies[0]["messages"] == [{"role": "user", "content": "Hi"}]


def test_a_prompt_is_a_user_message() -> None:
    with served("hello") as (server, lm):
        lm("Say hello.")
    assert server.bodies[0]["messages"] == [{"role": "user", "content": "Say hello."}]


def test_parameters_of_the_constructor() -> None:
    with served("x", temperature=0.4, max_tokens=12, top_p=0.5, stop=["."]) as (server, lm):
        lm("?")
    body = server.bodies[0]
    assert (body["temperature"], limit(body), body["top_p"], body["stop"]) == (0.4, 12, 0.5, ["."])


def test_parameters_of_a_call_win() -> None:
    with served("x", temperature=0.4) as (server, lm):
        lm("?", temperature=0.9, seed=3)
    assert (server.bodies[0]["temperature"], server.bodies[0]["seed"]) == (0.9, 3)


def test_the_model_goes_without_its_provider() -> None:
    with served("x") as (server, lm):
        lm("?")
    assert server.bodies[0]["model"] == "gpt-4o-mini"
    assert server.requests[0].headers["authorization"] == "Bearer key"


def test_what_is_not_set_is_not_sent() -> None:
    with served("x") as (server, lm):
        lm("?")
    assert set(server.bodies[0]) == {"model", "messages"}


def test_several_answers() -> None:
    with served("x") as (_, lm):
        assert lm("?", n=3, temperature=0.5) == ["x"] * 3


def test_a_text_model_continues_a_prompt() -> None:
    with served(" world", model_type="text") as (server, lm):
        assert lm("hello") == [" world"]
    assert server.requests[0].path.endswith("/completions")
    assert "chat" not in server.requests[0].path
    assert "hello" in server.bodies[0]["prompt"]


async def test_acall() -> None:
    with served("hello") as (_, lm):
        assert await lm.acall("Say hello.") == ["hello"]


def test_kwargs() -> None:
    lm = dspy.LM("openai/gpt-4o-mini", temperature=0.2, max_tokens=5, top_p=0.1)
    assert {"temperature": 0.2, "max_tokens": 5, "top_p": 0.1}.items() <= lm.kwargs.items()
    assert (lm.model, lm.model_type, lm.cache, lm.num_retries) == ("openai/gpt-4o-mini", "chat", True, 3)


# Reasoning models.


@pytest.mark.parametrize("model", ["openai/o1", "openai/o3-mini", "openai/gpt-5"])
def test_reasoning_models_take_completion_tokens(model: str) -> None:
    with served("x", model=model, temperature=1.0, max_tokens=20_000) as (server, lm):
        lm("?")
    assert server.bodies[0]["max_completion_tokens"] == 20_000
    assert "max_tokens" not in server.bodies[0]


# Copies.


def test_a_copy_has_other_parameters() -> None:
    lm = dspy.LM("openai/gpt-4o-mini", temperature=0.2)
    other = lm.copy(temperature=0.9, rollout_id=1)
    assert (lm.kwargs["temperature"], other.kwargs["temperature"]) == (0.2, 0.9)
    assert other.model == lm.model


def test_a_copy_has_a_history_of_its_own() -> None:
    with served("x") as (_, lm):
        lm("?")
        assert len(lm.copy().history) == 0


# Tool calls and reasoning in answers.


def test_tool_calls_come_as_a_dict() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    with served({"content": None, "tool_calls": [call]}) as (_, lm):
        output = lm("?")[0]
    assert output["tool_calls"][0]["function"]["name"] == "f" or output["tool_calls"][0].function.name == "f"


# Failures.


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (401, "LMAuthError"),
        (429, "LMRateLimitError"),
        (500, "LMServerError"),
        (503, "LMServerError"),
        (400, "LMInvalidRequestError"),
    ],
)
def test_failures_have_classes(status: int, name: str) -> None:
    from telic.testing import Faults

    faults = Faults(plan=[status] * 5)
    with (
        served("x", num_retries=0, server={"faults": faults}) as (_, lm),
        pytest.raises(getattr(dspy, name)) as e,
    ):
        lm("?")
    assert isinstance(e.value, dspy.LMError)
    assert isinstance(e.value, dspy.DSPyError)


def test_passing_failures_are_tried_again() -> None:
    from telic.testing import Faults

    with served("x", num_retries=2, server={"faults": Faults(plan=[500, 500])}) as (server, lm):
        assert lm("?") == ["x"]
    assert server.count == 3


@pytest.mark.parametrize(
    ("name", "retryable"),
    [
        ("LMRateLimitError", True),
        ("LMServerError", True),
        ("LMTimeoutError", True),
        ("LMTransportError", True),
        ("LMAuthError", False),
        ("LMInvalidRequestError", False),
        ("ContextWindowExceededError", False),
    ],
)
def test_which_failures_pass(name: str, retryable: bool) -> None:
    assert dspy.is_retryable_lm_error(getattr(dspy, name)(message="m")) is retryable


@pytest.mark.parametrize(
    ("child", "parent"),
    [
        ("LMError", "DSPyError"),
        ("LMProviderError", "LMError"),
        ("LMConfigurationError", "LMError"),
        ("LMNotConfiguredError", "LMConfigurationError"),
        ("LMAuthError", "LMProviderError"),
        ("LMBillingError", "LMProviderError"),
        ("LMRateLimitError", "LMProviderError"),
        ("LMInvalidRequestError", "LMProviderError"),
        ("ContextWindowExceededError", "LMInvalidRequestError"),
        ("LMUnsupportedModelError", "LMInvalidRequestError"),
        ("LMTimeoutError", "LMProviderError"),
        ("LMServerError", "LMProviderError"),
        ("LMTransportError", "LMError"),
        ("LMUnsupportedFeatureError", "LMError"),
        ("LMUnexpectedError", "LMError"),
        ("LMStreamAssemblyError", "LMUnexpectedError"),
        ("AdapterParseError", "DSPyError"),
        ("CodeExecutionError", "CodeInterpreterError"),
        ("CodeInterpreterError", "DSPyError"),
    ],
)
def test_the_tree_of_errors(child: str, parent: str) -> None:
    assert issubclass(getattr(dspy, child), getattr(dspy, parent))


def test_an_error_says_what_the_provider_said() -> None:
    error = dspy.LMServerError(
        "m", code="c", model="a/b", provider="p", status=500, request_id="r", retry_after=2.0
    )
    assert (error.model, error.provider, error.status, error.request_id, error.retry_after) == (
        "a/b", "p", 500, "r", 2.0,
    )  # fmt: skip


# An LM of one's own.


class OwnLM(dspy.BaseLM):
    """Answers with what it is told."""

    def __init__(self, text: str) -> None:
        super().__init__("own/model")
        self.text = text

    def forward(self, prompt: Any = None, messages: Any = None, **kwargs: Any) -> Any:
        message = SimpleNamespace(content=self.text, tool_calls=None)
        return SimpleNamespace(
            choices=[SimpleNamespace(message=message, finish_reason="stop")],
            usage={"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
            model="own/model",
        )

    async def aforward(self, prompt: Any = None, messages: Any = None, **kwargs: Any) -> Any:
        return self.forward(prompt, messages, **kwargs)


def test_an_lm_of_ones_own() -> None:
    lm = OwnLM(chat(answer="mine"))
    with dspy.context(lm=lm):
        assert dspy.Predict("question -> answer")(question="?").answer == "mine"
    assert len(lm.history) == 1
    assert lm.history[0]["usage"]["total_tokens"] == 2


async def test_an_lm_of_ones_own_awaited() -> None:
    with dspy.context(lm=OwnLM(chat(answer="mine"))):
        assert (await dspy.Predict("question -> answer").acall(question="?")).answer == "mine"


def test_an_lm_of_ones_own_asked_directly() -> None:
    assert OwnLM("text")("?") == ["text"]


# The dummy.


def test_dummy_answers_in_turn() -> None:
    lm = dspy.utils.DummyLM([{"answer": "red"}, {"answer": "blue"}])
    with dspy.context(lm=lm):
        predict = dspy.Predict("question -> answer")
        assert [predict(question="?").answer for _ in range(2)] == ["red", "blue"]


def test_dummy_used_up() -> None:
    lm = dspy.utils.DummyLM([{"answer": "red"}])
    with dspy.context(lm=lm):
        predict = dspy.Predict("question -> answer")
        predict(question="?")
        assert predict(question="?").answer == "No more responses"


def test_dummy_by_key() -> None:
    lm = dspy.utils.DummyLM({"sky": {"answer": "blue"}, "grass": {"answer": "green"}})
    with dspy.context(lm=lm):
        predict = dspy.Predict("question -> answer")
        assert predict(question="Colour of grass?").answer == "green"
        assert predict(question="Colour of the sky?").answer == "blue"


def test_dummy_follows_examples() -> None:
    lm = dspy.utils.DummyLM([{"answer": "red"}], follow_examples=True)
    predict = dspy.Predict("question -> answer")
    predict.demos = [dspy.Example(question="Known?", answer="shown")]
    with dspy.context(lm=lm):
        assert predict(question="Known?").answer == "shown"


def test_dummy_in_another_form() -> None:
    lm = dspy.utils.DummyLM([{"answer": "red"}], adapter=dspy.JSONAdapter())
    assert json.loads(lm("?")[0]) == {"answer": "red"}


def test_dummy_conversation() -> None:
    lm = dspy.utils.DummyLM([{"answer": "red"}])
    lm(messages=[{"role": "user", "content": "Which?"}])
    messages, outputs = lm.get_convo(-1)
    assert "Which?" in str(messages)
    assert "red" in str(outputs)


def test_dummy_vectors() -> None:
    import numpy as np

    vectors = dspy.utils.DummyVectorizer()(["a cat", "a cat", "the dog barks"])
    assert vectors.shape == (3, 100)
    assert np.allclose(vectors[0], vectors[1])
    assert not np.allclose(vectors[0], vectors[2])


def test_dummy_retriever() -> None:
    retriever = dspy.utils.dummy_rm(["a cat sat", "a dog ran", "birds fly high"])
    assert retriever("birds fly high", k=1)[0].long_text == "birds fly high"
    assert len(retriever("a cat", k=2)) == 2


# Reasoning models.


@pytest.mark.parametrize("model", ["openai/o3-mini", "openai/gpt-5", "openai/gpt-5-mini", "azure/o1"])
def test_reasoning_models_have_another_limit(model: str) -> None:
    lm = dspy.LM(model, temperature=1.0, max_tokens=20_000)
    assert lm.kwargs["max_completion_tokens"] == 20_000
    assert "max_tokens" not in lm.kwargs


@pytest.mark.parametrize("options", [{"temperature": 0.5}, {"max_tokens": 100}])
def test_reasoning_models_refuse_what_they_do_not_take(options: dict[str, Any]) -> None:
    with pytest.raises(dspy.utils.exceptions.LMConfigurationError, match="reasoning models"):
        dspy.LM("openai/o1", **options)


@pytest.mark.parametrize("model", ["openai/gpt-4o", "openai/gpt-5-chat-latest"])
def test_other_models_do_not(model: str) -> None:
    assert dspy.LM(model, temperature=0.5, max_tokens=100).kwargs["max_tokens"] == 100


def test_forward_gives_a_completion() -> None:
    with served("hi") as (_, lm):
        made = lm.forward("hello")
        assert made.choices[0].message.content == "hi"
        assert dict(made.usage)["completion_tokens"] == 1
        assert (
            asyncio.run(lm.aforward(messages=[{"role": "user", "content": "x"}])).choices[0].message.content
            == "hi"
        )


def test_the_prompt_is_in_the_history() -> None:
    with served("hi") as (_, lm):
        lm("hello")
        assert lm.history[-1]["prompt"] == "hello"
        lm(messages=[{"role": "user", "content": "x"}])
        assert lm.history[-1]["prompt"] is None


def test_a_copy_without_a_parameter() -> None:
    lm = dspy.LM("openai/gpt-4o", temperature=0.5)
    assert "temperature" not in lm.copy(temperature=None).kwargs
    assert lm.kwargs["temperature"] == 0.5


def test_supported_parameters() -> None:
    assert {"temperature", "stop", "tools"} <= set(dspy.LM("openai/gpt-4o").supported_params)
