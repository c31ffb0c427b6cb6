"""LM calls: the record, twins in flight, rollouts, windows, history, secrets."""

from __future__ import annotations

import asyncio
import json
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import telic
from telic.errors import ContextWindowExceededError, InputError, LMConfigurationError, ProgramFileError
from telic.lm.base import BaseLM
from telic.lm.history import GLOBAL_HISTORY
from telic.runtime.usage import track_usage
from telic.store.default import default_store
from tests.scripted import RecordedLM, ScriptedLM, completion


def test_a_users_own_class_is_asked_each_time():
    lm = ScriptedLM(lambda text: text.upper())
    assert lm("a") == ["A"]
    assert lm("a") == ["A"]
    assert len(lm.asked) == 2


def test_a_recorded_class_is_asked_once():
    lm = RecordedLM(lambda text: text.upper())
    assert lm("a") == lm("a") == ["A"]
    assert len(lm.asked) == 1
    assert lm("a", cache=False) == ["A"]
    assert len(lm.asked) == 2
    assert lm.copy(temperature=0.5)("a") == ["A"]
    assert len(lm.asked) == 3


def test_rollouts_ask_for_other_samples_only_where_there_is_chance():
    lm = RecordedLM(lambda text: text, temperature=1.0)
    lm("a", rollout_id=1)
    lm("a", rollout_id=2)
    lm("a", rollout_id=2)
    assert len(lm.asked) == 2
    assert "rollout_id" not in str(lm.asked)
    greedy = RecordedLM(lambda text: text, temperature=0)
    greedy("a", rollout_id=1)
    greedy("a", rollout_id=2)
    assert len(greedy.asked) == 1


def test_the_key_covers_the_endpoint():
    class Elsewhere(RecordedLM):
        endpoint = "http://elsewhere/v1"

    here, there = RecordedLM(lambda _: "here"), Elsewhere(lambda _: "there")
    assert here("a") == ["here"]
    assert there("a") == ["there"]


def test_twins_in_flight_are_asked_once():
    arrived = threading.Barrier(8, timeout=10)
    release = threading.Event()

    class Slow(RecordedLM):
        def forward(self, prompt: Any = None, messages: Any = None, **kwargs: Any) -> Any:
            release.wait(10)
            return super().forward(prompt, messages, **kwargs)

    lm = Slow(lambda text: text)

    def ask(_: int) -> list[str]:
        arrived.wait()
        return lm("same question")

    with ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(ask, i) for i in range(8)]
        threading.Timer(0.2, release.set).start()
        answers = [future.result() for future in futures]
    assert answers == [["same question"]] * 8
    assert len(lm.asked) == 1
    assert len(list(default_store().scan("calls"))) == 1


def test_twins_on_a_loop_are_asked_once():
    class Slow(RecordedLM):
        async def aforward(self, prompt: Any = None, messages: Any = None, **kwargs: Any) -> Any:
            await asyncio.sleep(0.05)
            return self.forward(prompt, messages, **kwargs)

    lm = Slow(lambda text: text)

    async def main() -> list[Any]:
        return await asyncio.gather(*(lm.acall("same") for _ in range(20)))

    assert asyncio.run(main()) == [["same"]] * 20
    assert len(lm.asked) == 1


def test_an_answer_from_the_record_costs_nothing():
    lm = RecordedLM(lambda text: text)
    with track_usage() as usage:
        lm("a")
        lm("a")
    assert usage.calls == 1
    assert usage.get_total_tokens()["scripted/model"]["total_tokens"] == 10


def test_a_prompt_longer_than_the_window_is_never_sent():
    class Small(ScriptedLM):
        context_window = 10

        def count_tokens(self, request: Any) -> int:
            return len(str(request.messages[-1]["content"]).split())

    lm = Small(lambda text: text)
    assert lm("a b c") == ["a b c"]
    with pytest.raises(ContextWindowExceededError, match=r"12 tokens.*at most 10"):
        lm(" ".join("x" * 12))
    assert len(lm.asked) == 1


def test_history_is_capped_in_bytes_and_reads_like_dicts():
    lm = ScriptedLM(lambda text: "ok")
    with telic.context(max_history_bytes=20_000):
        for i in range(200):
            lm(f"{i} " + "x" * 2_000)
    assert 1 < len(lm.history) < 12
    entry = lm.history[-1]
    assert entry["messages"][0]["content"].startswith("199 ")
    assert entry["outputs"] == ["ok"]
    assert entry["usage"]["total_tokens"] == 10
    assert set(entry) >= {
        "prompt",
        "kwargs",
        "cost",
        "timestamp",
        "uuid",
        "model",
        "response_model",
        "model_type",
    }
    assert GLOBAL_HISTORY[-1] is entry
    with telic.context(disable_history=True):
        lm("not kept")
    assert lm.history[-1] is entry


def test_inspect_history_prints_what_was_said(capsys):
    lm = ScriptedLM(lambda text: "the answer")
    lm("the question")
    telic.inspect_history()
    printed = capsys.readouterr().out
    assert "the question" in printed
    assert "the answer" in printed


def test_secrets_stay_out_of_states_requests_and_pickles():
    lm = telic.LM(
        "openai/gpt-4o-mini", api_key="sk-verysecret123", api_base="http://127.0.0.1:1/v1", temperature=0.2
    )
    assert "verysecret" not in json.dumps(lm.dump_state())
    assert "verysecret" not in repr(lm)
    assert b"verysecret" not in pickle.dumps(lm)
    request = lm.request(prompt="hi", params={"api_key": "sk-othersecret123"})
    assert "secret" not in json.dumps(request.to_json())
    again = BaseLM.load_state(lm.dump_state())
    assert again.model == "openai/gpt-4o-mini"
    assert again.kwargs["temperature"] == 0.2


def test_states_of_foreign_classes_need_trust():
    state = ScriptedLM([]).dump_state()
    with pytest.raises(ProgramFileError, match="allow_unsafe_lm_state"):
        BaseLM.load_state(state)
    with pytest.raises(ProgramFileError, match="cannot be imported"):
        BaseLM.load_state({"class": "no.such.Thing", "model": "m"}, allow_custom_lm_class=True)


@pytest.mark.parametrize(
    ("make", "error", "said"),
    [
        (lambda: telic.LM("gpt-4o-mini"), LMConfigurationError, "provider"),
        (lambda: telic.configure(lm="openai/gpt-4o"), InputError, r"telic\.LM"),
        (lambda: ScriptedLM([])(), InputError, "either a prompt or messages"),
    ],
)
def test_wrong_set_up_is_said_at_once(make, error, said):
    with pytest.raises(error, match=said):
        make()


def test_forward_may_return_dicts():
    class Plain(BaseLM):
        def forward(self, prompt: Any = None, messages: Any = None, **kwargs: Any) -> Any:
            call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
            message = {"content": None, "tool_calls": [call]}
            return {
                "choices": [{"message": message, "finish_reason": "tool_calls"}],
                "usage": {"prompt_tokens": 3},
            }

    lm = Plain("my/model")
    (output,) = lm("hi")
    assert output["tool_calls"][0]["function"]["name"] == "f"
    assert lm.history[-1]["usage"]["prompt_tokens"] == 3


def test_an_lm_without_choices_is_named():
    class Empty(BaseLM):
        def forward(self, prompt: Any = None, messages: Any = None, **kwargs: Any) -> Any:
            return completion("x").usage

    with pytest.raises(telic.LMUnexpectedError, match="my/model"):
        Empty("my/model")("hi")


def test_history_is_capped_in_number_too():
    lm = ScriptedLM(lambda text: "ok")
    with telic.context(max_history_size=5):
        for i in range(20):
            lm(str(i))
    assert [entry["messages"][0]["content"] for entry in lm.history] == [str(i) for i in range(15, 20)]
