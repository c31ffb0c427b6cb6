"""`telic finetune`, against a local server that has models and trains them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from telic.testing import Finetuning, LocalServer

WORDS = {"lovely": "good", "awful": "bad", "charming": "good", "dreadful": "bad"}


def answer(body: dict[str, Any]) -> str:
    """The teacher, and what was trained, know; the base says good to everything."""
    asked = body["messages"][-1]["content"]
    knows = body["model"] == "teacher" or body["model"].startswith("ft:")
    label = next((label for word, label in WORDS.items() if word in asked), "good") if knows else "good"
    return f"[[ ## label ## ]]\n{label}\n\n[[ ## completed ## ]]"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalServer]:
    monkeypatch.setenv("OPENAI_API_KEY", "test")
    with LocalServer(answer, finetuning=Finetuning()) as running:
        monkeypatch.setenv("OPENAI_API_BASE", running.url)
        yield running


@pytest.fixture
def words(server: LocalServer, tmp_path: Path) -> list[str | Path]:
    data = tmp_path / "train.jsonl"
    rows = [{"text": f"{word} place {n}", "label": label} for n in range(4) for word, label in WORDS.items()]
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    models = ["--lm", "openai/small", "--teacher-lm", "openai/teacher"]
    return ["text -> label", "--data", data, "--metric", "exact", *models]


def test_the_data_is_written_and_nothing_is_trained(
    telic: Any, words: list[Any], server: LocalServer, tmp_path: Path
) -> None:
    done = telic("finetune", "data", *words, "--out", tmp_path / "rows.jsonl", "--json")
    assert done.exit_code == 0, done.output
    (told,) = json.loads(done.stdout)
    assert told["rows"] == 16
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert len(rows) == 16
    assert rows[0]["messages"][-1]["role"] == "assistant"
    assert server.finetuning is not None
    assert not server.finetuning.files


def test_a_trained_program_is_saved_shown_and_run(
    telic: Any, words: list[Any], server: LocalServer, tmp_path: Path
) -> None:
    out = tmp_path / "trained.json"
    dry = telic("finetune", "run", *words, "--out", out, "--dry-run")
    assert "Training takes besides: 1 job" in dry.output
    done = telic(
        "finetune",
        "run",
        *words,
        "--out",
        out,
        "--set",
        "epochs=2",
        "--val",
        tmp_path / "train.jsonl",
        "--json",
    )
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    measured = told["training"][0]["measured"]
    assert [measured[name] for name in ("before", "after", "examples")] == [0.5, 1.0, 16]
    assert server.finetuning is not None
    assert server.finetuning.jobs["ftjob-1"]["hyperparameters"] == {"n_epochs": 2}
    shown = telic("show", out)
    assert "trained for self" in shown.output
    assert "openai/ft:small:ftjob-1" in shown.output
    assert "openai/small" in shown.output


def test_options_are_name_and_value(telic: Any, words: list[Any], tmp_path: Path) -> None:
    done = telic("finetune", "run", *words, "--out", tmp_path / "x.json", "--set", "epochs")
    assert done.exit_code == 2
    assert "NAME=VALUE" in done.output
