"""The switch that keeps tests from asking real models."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

import telic
from telic.testing import DummyLM, LocalServer, allow_model_calls, forbid_model_calls, reset

HOSTED = "http://127.0.0.1:9/v1"
ANSWER = "[[ ## answer ## ]]\nParis\n\n[[ ## completed ## ]]"


@pytest.fixture(autouse=True)
def _allowed_again(_fresh_home: None) -> Iterator[None]:
    yield
    allow_model_calls()


def _lm(**options: Any) -> telic.LM:
    return telic.LM(
        "openai/gpt", **{"api_base": HOSTED, "api_key": "k", "num_retries": 0, "timeout": 5, **options}
    )


def test_a_real_model_is_not_asked() -> None:
    predict = telic.Predict("question -> answer")
    with forbid_model_calls(), telic.context(lm=_lm()):
        with pytest.raises(telic.LMConfigurationError, match=r"127\.0\.0\.1:9.*forbidden") as caught:
            predict(question="?")
        assert not telic.is_retryable_lm_error(caught.value)
        with pytest.raises(telic.LMConfigurationError, match="forbidden"):
            asyncio.run(predict.acall(question="?"))
        with pytest.raises(telic.LMConfigurationError, match="forbidden"):
            _lm()("hello")
        with pytest.raises(telic.LMConfigurationError, match="forbidden"):
            telic.Embedder("openai/e", api_base=HOSTED, api_key="k")(["text"])


def test_an_embedded_model_is_not_asked() -> None:
    with forbid_model_calls(), pytest.raises(telic.LMConfigurationError, match="forbidden"):
        telic.LM("local/smollm2-135m").forward("hello")


def test_a_stream_is_not_begun() -> None:
    async def read() -> None:
        async for _ in _lm().astream("hello"):
            pass

    with forbid_model_calls(), pytest.raises(telic.LMConfigurationError, match="forbidden"):
        asyncio.run(read())


def test_doubles_and_the_record_may_answer() -> None:
    predict = telic.Predict("question -> answer")
    with LocalServer(reply=ANSWER) as server:
        lm = _lm(api_base=server.url.replace("127.0.0.1", "localhost"))
        with forbid_model_calls(), telic.context(lm=lm):
            assert predict(question="capital of France?").answer == "Paris"
    with forbid_model_calls():
        with telic.context(lm=lm):
            # The server is gone: this comes from the record, and a new question may not be asked.
            assert predict(question="capital of France?").answer == "Paris"
            with pytest.raises(telic.LMConfigurationError, match="forbidden"):
                predict(question="capital of Spain?")
        with telic.context(lm=DummyLM([{"answer": "Rome"}])):
            assert predict(question="capital of Italy?").answer == "Rome"


def test_the_switch_goes_back_and_reset_leaves_it() -> None:
    forbid_model_calls()
    with forbid_model_calls():
        pass
    reset()
    with pytest.raises(telic.LMConfigurationError, match="forbidden"):
        _lm()("hello")
    allow_model_calls()
    with pytest.raises(telic.LMTransportError):
        _lm()("hello")


def test_allowed_addresses() -> None:
    with forbid_model_calls(allow=[HOSTED]), pytest.raises(telic.LMTransportError):
        _lm()("hello")
    with forbid_model_calls(allow=["http://127.0.0.1:99"]), pytest.raises(telic.LMConfigurationError):
        _lm()("hello")


def test_the_environment_forbids_from_the_start() -> None:
    program = (
        f"import telic\ntry: telic.LM('openai/gpt', api_base={HOSTED!r}, api_key='k')('hi')\n"
        "except telic.LMConfigurationError as e: print('forbidden' in str(e))"
    )
    environment = {**os.environ, "TELIC_FORBID_MODEL_CALLS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["True"]
