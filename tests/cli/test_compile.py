"""`telic compile`, `show` and `runs`, against a local server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from telic.testing.server import LocalServer

WORDS = [("lovely", "good"), ("awful", "bad"), ("charming", "good"), ("dreadful", "bad"), ("superb", "good")]


def answer(body: dict[str, Any]) -> str:
    """Right only where a demo is shown, so that compiling helps."""
    asked = body["messages"][-1]["content"]
    shown = len(body["messages"]) > 2
    good = any(word in asked for word, label in WORDS if label == "good")
    label = ("good" if good else "bad") if shown else "good"
    return f"[[ ## label ## ]]\n{label}\n\n[[ ## completed ## ]]"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalServer]:
    monkeypatch.setenv("OPENAI_API_KEY", "test")
    with LocalServer(answer) as running:
        yield running


@pytest.fixture
def words(server: LocalServer, tmp_path: Path) -> list[str | Path]:
    data = tmp_path / "train.jsonl"
    rows = [
        {"text": f"a {word} place, number {n}", "label": label} for n in range(4) for word, label in WORDS
    ]
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    lm = ["--lm", "openai/test", "--api-base", server.url]
    return [
        "compile",
        "text -> label",
        "--data",
        data,
        "--metric",
        "exact",
        "--out",
        tmp_path / "out.json",
        *lm,
    ]


def search(words: list[str | Path], *more: Any) -> list[Any]:
    return [
        *words,
        "--optimizer",
        "random-search",
        "--candidates",
        2,
        "--demos",
        2,
        "--bootstrapped",
        1,
        *more,
    ]


def test_the_compiled_program_is_saved_and_better(telic: Any, words: list[Any], tmp_path: Path) -> None:
    done = telic(*search(words, "--json"))
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert report["candidates"][0]["score"] == 100.0
    saved = tmp_path / "out.json"
    lm = words[-4:]
    data = words[words.index("--data") + 1]
    measured = telic("eval", saved, "--data", data, "--metric", "exact", "--json", *lm)
    assert json.loads(measured.stdout)["score"] == 100.0


def test_unless_an_optimizer_is_named_the_search_is_chosen_by_telic(
    telic: Any, words: list[Any], server: LocalServer, tmp_path: Path
) -> None:
    done = telic(*words, "--budget-calls", 120, "--json")
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert report["optimizer"] == "Auto"
    assert report["candidates"][0]["score"] == 100.0
    assert any("Chosen" in note for note in report["notes"])
    assert len(server.requests) <= 120
    refused = telic(*words, "--demos", 4, "--candidates", 2)
    assert refused.exit_code == 2
    assert "--demos, --candidates" in " ".join(refused.output.split())


def test_a_dry_run_says_what_it_would_take_and_asks_nothing(
    telic: Any, words: list[Any], server: LocalServer, tmp_path: Path
) -> None:
    done = telic(*search(words, "--dry-run", "--json"))
    assert done.exit_code == 0, done.output
    forecast = json.loads(done.stdout)
    assert len(server.requests) == 0
    assert not (tmp_path / "out.json").exists()
    assert forecast["cost"] is None
    table = telic(*search(words, "--dry-run"))
    assert "LM calls" in table.stdout
    assert "unknown" in table.stdout
    telic(*search(words))
    assert forecast["calls"]["low"] <= len(server.requests) <= forecast["calls"]["worst"]


@pytest.mark.parametrize("optimizer", ["labeled", "bootstrap"])
def test_the_other_optimizers(telic: Any, words: list[Any], optimizer: str, tmp_path: Path) -> None:
    done = telic(*words, "--optimizer", optimizer, "--demos", 2)
    assert done.exit_code == 0, done.output
    state = json.loads((tmp_path / "out.json").read_text())["state"]["self"]
    assert len(state["demos"]) == 2


def test_show_prints_demos_prompt_and_provenance(telic: Any, words: list[Any], tmp_path: Path) -> None:
    telic(*words, "--optimizer", "labeled", "--demos", 1)
    shown = telic("show", tmp_path / "out.json")
    assert shown.exit_code == 0, shown.output
    for part in ("provenance", "LabeledFewShot", "1 demos", "{text}", "label"):
        assert part in shown.stdout
    assert json.loads(telic("show", tmp_path / "out.json", "--json").stdout)["state"]


def test_runs_are_listed_shown_and_exported(telic: Any, words: list[Any], tmp_path: Path) -> None:
    telic(*search(words))
    (row,) = json.loads(telic("runs", "list", "--json").stdout)
    assert row["state"] == "finished"
    assert "text -> label" in row["command"]
    assert row["id"] in telic("runs", "list").stdout
    shown = telic("runs", "show", row["id"][:6])
    assert shown.exit_code == 0, shown.output
    assert "finished" in shown.stdout
    journal = tmp_path / "journal.jsonl"
    assert telic("runs", "export", row["id"], "--out", journal).exit_code == 0
    kinds = {json.loads(text)["type"] for text in journal.read_text().splitlines()}
    assert {"run", "started", "proposed", "scored", "finished"} <= kinds


def test_a_budget_saves_the_best_so_far_and_resume_goes_on(
    telic: Any, words: list[Any], tmp_path: Path, server: LocalServer
) -> None:
    done = telic(*search(words, "--budget-calls", 25, "--threads", 1))
    assert done.exit_code == 3, done.output
    assert (tmp_path / "out.json").exists()
    assert server.count == 25
    (row,) = json.loads(telic("runs", "list", "--json").stdout)
    assert row["state"] == "stopped"
    asked = set(server.answered)
    resumed = telic("runs", "resume", row["id"])
    assert resumed.exit_code in (0, 3), resumed.output
    assert all(count == 1 for count in server.answered.values()), "something was asked twice"
    assert set(server.answered) > asked


def test_a_run_that_is_not_over_is_shown_as_its_journal_knows_it(telic: Any, words: list[Any]) -> None:
    from telic.store.default import default_store

    telic(*search(words))
    (row,) = json.loads(telic("runs", "list", "--json").stdout)
    known = {name: value for name, value in row.items() if name != "result"}
    default_store().put("runs", row["id"], {**known, "state": "running"})
    shown = telic("runs", "show", row["id"]).stdout
    assert "running" in shown
    assert "100.0" in shown
    assert "as given" in shown


def test_a_finished_run_is_not_resumed(telic: Any, words: list[Any]) -> None:
    telic(*words, "--optimizer", "labeled")
    (row,) = json.loads(telic("runs", "list", "--json").stdout)
    done = telic("runs", "resume", row["id"])
    assert done.exit_code == 1
    assert "finished" in done.stderr


def test_an_unknown_run_is_wrong_usage(telic: Any) -> None:
    assert telic("runs", "show", "nothing").exit_code == 2


def test_a_damaged_program_file_is_one_message(telic: Any, tmp_path: Path) -> None:
    path = tmp_path / "broken.json"
    path.write_text('{"telic": {"format": 1}, "state": ')
    done = telic("show", path)
    assert done.exit_code == 1
    assert "damaged" in done.stderr
    assert "Traceback" not in done.output


def test_out_must_be_json(telic: Any, words: list[Any]) -> None:
    words[words.index("--out") + 1] = "program.pickle"
    assert telic(*words).exit_code == 2
