"""`telic cache`: what is recorded, found and removed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from telic.store.default import default_store

NOW = 1_800_000_000.0


def call(model: str, question: str, answer: str, time: float = NOW) -> dict[str, Any]:
    return {
        "request": {"model": model, "endpoint": "e", "messages": [{"role": "user", "content": question}]},
        "response": {"choices": [{"text": answer, "finish_reason": "stop"}], "usage": {}, "cost": None},
        "time": time,
    }


@pytest.fixture(autouse=True)
def _calls() -> None:
    store = default_store()
    store.put("calls", "k1", call("a/one", "What is the capital of France?", "Paris", 1_000_000.0))
    store.put("calls", "k2", call("a/two", "What is the capital of Italy?", "Rome"))
    store.put("calls", "k3", call("a/two", "Who wrote Faust?", "Goethe"))


def test_stats(telic: Any) -> None:
    assert json.loads(telic("cache", "stats", "--json").stdout)["calls"] == 3
    assert "store.db" in telic("cache", "stats").stdout


def test_search_finds_prompts_and_answers(telic: Any) -> None:
    found = json.loads(telic("cache", "search", "capital", "--json").stdout)
    assert {row["key"] for row in found} == {"k1", "k2"}
    shown = telic("cache", "search", "Goethe")
    assert "Who wrote Faust?" in shown.stdout
    assert "Nothing found." in telic("cache", "search", "no such text").stdout
    assert "[user]\nWho wrote Faust?" in telic("cache", "search", "Faust", "--full").stdout


@pytest.mark.parametrize(
    ("words", "left"),
    [
        (["--older-than", "30d"], {"k2", "k3"}),
        (["--model", "a/two"], {"k1"}),
        (["--model", "a/two", "--containing", "Faust"], {"k1", "k2"}),
        (["--all"], set()),
        (["--all", "--dry-run"], {"k1", "k2", "k3"}),
    ],
)
def test_prune_removes_what_was_said(telic: Any, words: list[str], left: set[str]) -> None:
    done = telic("cache", "prune", *words)
    assert done.exit_code == 0, done.output
    assert {key for key, _ in default_store().scan("calls")} == left


@pytest.mark.parametrize("words", [[], ["--older-than", "a while"]])
def test_prune_wants_to_know_what(telic: Any, words: list[str]) -> None:
    assert telic("cache", "prune", *words).exit_code == 2


def test_set_aside_renames_and_nothing_is_lost(telic: Any) -> None:
    store = default_store()
    store.close()
    done = telic("cache", "set-aside")
    assert done.exit_code == 0, done.output
    assert "damaged" in done.stdout
    assert json.loads(telic("cache", "stats", "--json").stdout)["calls"] == 0
