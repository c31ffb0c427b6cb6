"""What is kept of LM calls, in DSPy's terms: history, usage, caches."""

from __future__ import annotations

import io
import json
from types import SimpleNamespace
from typing import Any

import pytest

from tests.compat.scripts import chat, served
from tests.compat.target import dspy

# History.


def test_history_of_the_lm() -> None:
    with served("hello") as (_, lm):
        lm("one")
        lm(messages=[{"role": "user", "content": "two"}])
    assert len(lm.history) == 2
    entry = lm.history[-1]
    assert entry["messages"] == [{"role": "user", "content": "two"}]
    assert entry["outputs"] == ["hello"]
    assert entry["model"] == "openai/gpt-4o-mini"


@pytest.mark.parametrize(
    "key",
    ["prompt", "messages", "kwargs", "response", "outputs", "usage", "cost", "timestamp", "uuid", "model",
     "response_model", "model_type"],
)  # fmt: skip
def test_an_entry_of_the_history_has(key: str) -> None:
    with served("hello") as (_, lm):
        lm("one")
    assert key in lm.history[0]


def test_usage_in_the_history() -> None:
    with served("hello there") as (_, lm):
        lm("one two three")
    assert lm.history[0]["usage"]["completion_tokens"] == 2


def test_history_can_be_switched_off() -> None:
    with served("hello") as (_, lm), dspy.context(disable_history=True):
        lm("one")
    assert len(lm.history) == 0


def test_history_is_bounded() -> None:
    with served("hello") as (_, lm), dspy.context(max_history_size=3):
        for n in range(6):
            lm(messages=[{"role": "user", "content": str(n)}])
    assert [entry["messages"][0]["content"] for entry in lm.history] == ["3", "4", "5"]


def test_inspect_history_prints() -> None:
    with served("the answer") as (_, lm):
        lm("the question")
    out = io.StringIO()
    lm.inspect_history(n=1, file=out)
    assert "the question" in out.getvalue()
    assert "the answer" in out.getvalue()


def test_inspect_history_of_all(capsys: pytest.CaptureFixture[str]) -> None:
    with served("the answer") as (_, lm):
        lm("the first")
        lm("the second")
    dspy.inspect_history(n=2)
    printed = capsys.readouterr().out
    assert "the first" in printed
    assert "the second" in printed
    dspy.inspect_history()
    assert "the first" not in capsys.readouterr().out


def test_pretty_print_history() -> None:
    out = io.StringIO()
    with served("the answer") as (_, lm):
        lm("the question")
        dspy.utils.pretty_print_history(lm.history, 1, file=out)
    assert "the question" in out.getvalue()


# Usage.


def test_usage_is_tracked_in_a_block() -> None:
    with served("hello there") as (_, lm), dspy.track_usage() as tracker:
        lm("one")
        lm("two")
    total = tracker.get_total_tokens()["openai/gpt-4o-mini"]
    assert total["completion_tokens"] == 4


def test_usage_of_a_program() -> None:
    with served(chat(answer="a")) as _, dspy.context(track_usage=True):
        prediction = dspy.Predict("question -> answer")(question="?")
    usage = prediction.get_lm_usage()
    assert usage["openai/gpt-4o-mini"]["prompt_tokens"] > 0


def test_usage_adds_up_over_steps() -> None:
    class Twice(dspy.Module):
        def __init__(self) -> None:
            super().__init__()
            self.step = dspy.Predict("question -> answer")

        def forward(self, question: str) -> Any:
            self.step(question=question)
            return self.step(question=question + "!")

    with served(chat(answer="a b c")) as (server, _), dspy.context(track_usage=True):
        prediction = Twice()(question="?")
    assert server.count == 2
    one = len(chat(answer="a b c").split())
    assert prediction.get_lm_usage()["openai/gpt-4o-mini"]["completion_tokens"] == 2 * one


def test_no_usage_where_it_is_not_tracked() -> None:
    with served(chat(answer="a")):
        assert dspy.Predict("question -> answer")(question="?").get_lm_usage() is None


def test_the_tracker_adds_by_hand() -> None:
    tracker = dspy.utils.usage_tracker.UsageTracker()
    tracker.add_usage("m", {"prompt_tokens": 1, "details": {"cached": 2}})
    tracker.add_usage("m", {"prompt_tokens": 4, "details": {"cached": 3}})
    tracker.add_usage("k", {"prompt_tokens": 1})
    total = tracker.get_total_tokens()
    assert total["m"] == {"prompt_tokens": 5, "details": {"cached": 5}}
    assert total["k"] == {"prompt_tokens": 1}


# Caches.


def test_the_same_request_is_made_once() -> None:
    with served("x", cache=True) as (server, lm):
        assert lm("same") == lm("same")
        assert server.count == 1
        lm("other")
        assert server.count == 2


def test_another_parameter_is_another_request() -> None:
    with served("x", cache=True) as (server, lm):
        lm("same", temperature=0.1)
        lm("same", temperature=0.2)
    assert server.count == 2


def test_no_cache_asks_again() -> None:
    with served("x", cache=False) as (server, lm):
        lm("same")
        lm("same")
    assert server.count == 2


def test_no_cache_for_one_call() -> None:
    with served("x", cache=True) as (server, lm):
        lm("same")
        lm("same", cache=False)
    assert server.count == 2


def test_a_rollout_is_another_sample() -> None:
    with served("x", cache=True, temperature=1.0) as (server, lm):
        lm("same", rollout_id=1)
        lm("same", rollout_id=2)
        lm("same", rollout_id=1)
    assert server.count == 2
    assert "rollout_id" not in server.bodies[0]


def test_what_comes_from_the_cache_is_not_used_again() -> None:
    with served("x", cache=True) as (_, lm), dspy.track_usage() as tracker:
        lm("same")
        first = json.dumps(tracker.get_total_tokens())
        lm("same")
        assert json.dumps(tracker.get_total_tokens()) == first


def test_memory_can_be_forgotten() -> None:
    dspy.configure_cache(enable_disk_cache=False, enable_memory_cache=True)
    with served("x", cache=True) as (server, lm):
        lm("same")
        dspy.cache.reset_memory_cache()
        lm("same")
    assert server.count == 2


def test_no_caches_at_all() -> None:
    dspy.configure_cache(enable_disk_cache=False, enable_memory_cache=False)
    with served("x", cache=True) as (server, lm):
        lm("same")
        lm("same")
    assert server.count == 2


def test_a_cache_of_ones_own() -> None:
    cache = dspy.clients.cache.Cache(enable_disk_cache=False, enable_memory_cache=True, disk_cache_dir=None)
    assert cache.get({"a": 1}) is None
    cache.put({"a": 1, "b": [2]}, "value")
    assert cache.get({"b": [2], "a": 1}) == "value"
    cache.reset_memory_cache()
    assert cache.get({"a": 1, "b": [2]}) is None


def test_keys_of_a_cache_leave_out_what_they_are_told_to() -> None:
    cache = dspy.clients.cache.Cache(enable_disk_cache=False, enable_memory_cache=True, disk_cache_dir=None)
    one, two = {"a": 1, "api_key": "x"}, {"a": 1, "api_key": "y"}
    assert cache.cache_key(one) != cache.cache_key(two)
    assert cache.cache_key(one, ["api_key"]) == cache.cache_key(two, ["api_key"])


def test_a_response_from_a_cache_is_free() -> None:
    cache = dspy.clients.cache.Cache(enable_disk_cache=False, enable_memory_cache=True, disk_cache_dir=None)
    cache.put({"a": 1}, SimpleNamespace(text="t", usage={"total_tokens": 5}))
    found = cache.get({"a": 1})
    assert (found.text, found.usage, found.cache_hit) == ("t", {}, True)


def test_the_memory_of_a_cache_can_be_saved(tmp_path: Any) -> None:
    cache = dspy.clients.cache.Cache(enable_disk_cache=False, enable_memory_cache=True, disk_cache_dir=None)
    cache.put({"a": 1}, "value")
    path = str(tmp_path / "memory.pkl")
    cache.save_memory_cache(path)
    cache.reset_memory_cache()
    with pytest.raises(ValueError, match="allow_pickle"):
        cache.load_memory_cache(path)
    cache.load_memory_cache(path, allow_pickle=True)
    assert cache.get({"a": 1}) == "value"


def test_functions_can_be_cached() -> None:
    calls: list[int] = []

    @dspy.clients.cache.request_cache()
    def double(n: int) -> int:
        calls.append(n)
        return 2 * n

    assert [double(n=2), double(n=2), double(n=3)] == [4, 4, 6]
    assert calls == [2, 3]
