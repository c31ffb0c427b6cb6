"""`telic eval` against a local server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from telic.testing.server import LocalServer

ROWS = [
    {"text": "what a lovely day", "label": "good"},
    {"text": "the worst soup ever", "label": "bad"},
    {"text": "lovely people", "label": "good"},
    {"text": "never again", "label": "bad"},
]


def answer(body: dict[str, Any]) -> str:
    asked = body["messages"][-1]["content"]
    return f"[[ ## label ## ]]\n{'good' if 'lovely' in asked else 'bad'}\n\n[[ ## completed ## ]]"


@pytest.fixture
def server() -> Iterator[LocalServer]:
    with LocalServer(answer) as running:
        yield running


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return path


@pytest.fixture
def lm(server: LocalServer) -> list[str]:
    return ["--lm", "openai/test", "--api-base", server.url]


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "test")


def test_score_with_interval(telic: Any, lm: list[str], data: Path) -> None:
    done = telic("eval", "text -> label", "--data", data, "--metric", "exact", *lm)
    assert done.exit_code == 0, done.output
    assert "100.0 %" in done.stdout
    assert "95 % interval" in done.stdout


def test_json_is_all_there_is_on_standard_output(telic: Any, lm: list[str], data: Path) -> None:
    done = telic("eval", "text -> label", "--data", data, "--metric", "exact:label", "--json", *lm)
    row = json.loads(done.stdout)
    assert (row["score"], row["examples"], row["calls"], row["metric"]) == (100.0, 4, 4, "exact:label")


def test_a_second_run_asks_nothing(telic: Any, lm: list[str], data: Path, server: LocalServer) -> None:
    words = ["eval", "text -> label", "--data", data, "--metric", "exact", "--json", *lm]
    telic(*words)
    again = json.loads(telic(*words).stdout)
    assert (again["calls"], again["cached_calls"], server.count) == (0, 4, 4)


def test_csv_and_limit(telic: Any, lm: list[str], tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("text,label\n" + "".join(f"{r['text']},{r['label']}\n" for r in ROWS))
    done = telic("eval", "text -> label", "--data", path, "--metric", "f1", "--limit", 3, "--json", *lm)
    assert json.loads(done.stdout)["examples"] == 3


def test_rows_are_written(telic: Any, lm: list[str], data: Path, tmp_path: Path) -> None:
    out = tmp_path / "rows.out.json"
    telic("eval", "text -> label", "--data", data, "--metric", "exact", "--out", out, *lm)
    assert len(json.loads(out.read_text())["rows"]) == 4


def test_program_and_metric_from_a_file(telic: Any, lm: list[str], data: Path, tmp_path: Path) -> None:
    code = tmp_path / "shop_programs.py"
    code.write_text(
        "import telic\n"
        "class Judge(telic.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.step = telic.Predict('text -> label')\n"
        "    def forward(self, text):\n"
        "        return self.step(text=text)\n"
        "def half(example, prediction, trace=None):\n"
        "    return 0.5\n"
    )
    done = telic("eval", f"{code}:Judge", "--data", data, "--metric", f"{code}:half", "--json", *lm)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["score"] == 50.0


def test_a_budget_ends_it_with_code_3_and_keeps_what_there_is(
    telic: Any, lm: list[str], data: Path, server: LocalServer
) -> None:
    words = ["eval", "text -> label", "--data", data, "--metric", "exact", "--threads", 1]
    done = telic(*words, "--budget-calls", 2, "--json", *lm)
    assert done.exit_code == 3, done.output
    assert json.loads(done.stdout)["calls"] == 2
    assert server.count == 2
    assert "2" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere:program"], "no module 'nowhere'"),
        (["nowhere.py:program"], "no file 'nowhere.py'"),
        (["json:nothing"], "has no program 'nothing'"),
        (["json:dumps.no"], "has no program"),
        (["just-a-word"], "module:name"),
        (["text -> label", "--metric", "brilliance"], "no metric 'brilliance'"),
        (["text -> label", "--adapter", "fax"], "--adapter fax"),
        (["text -> label", "--out", "rows.txt"], ".csv or .json"),
        (["text -> label", "--program", "json:loads"], "goes with a saved program"),
    ],
)
def test_wrong_usage_is_code_2_and_one_message(
    telic: Any, lm: list[str], data: Path, words: list[str], said: str
) -> None:
    rest = [] if "--metric" in words else ["--metric", "exact"]
    done = telic("eval", *words, "--data", data, *rest, *lm)
    assert done.exit_code == 2, done.output
    assert said in " ".join(done.stderr.split()).replace("│ ", "")
    assert "Traceback" not in done.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--data", "missing.jsonl"], "missing.jsonl"),
        (["--data", "no_such_set"], "no_such_set"),
    ],
)
def test_missing_data_is_code_1_and_named(telic: Any, lm: list[str], words: list[str], said: str) -> None:
    done = telic("eval", "text -> label", "--metric", "exact", *words, *lm)
    assert done.exit_code == 1, done.output
    assert said in done.stderr


def test_no_lm_says_how_to_give_one(telic: Any, data: Path) -> None:
    done = telic("eval", "text -> label", "--data", data, "--metric", "exact")
    assert done.exit_code == 1
    assert "No LM" in done.stderr


def test_nobody_at_the_address_is_one_message(telic: Any, data: Path) -> None:
    words = ["--lm", "openai/test", "--api-base", "http://127.0.0.1:9/v1"]
    done = telic("eval", "text -> label", "--data", data, "--metric", "exact", "--limit", 1, *words)
    assert done.exit_code == 1
    assert "127.0.0.1:9" in done.stderr
    assert "Traceback" not in done.output


def test_debug_shows_the_traceback(telic: Any, data: Path) -> None:
    done = telic("eval", "text -> label", "--data", data, "--metric", "exact", "--debug")
    assert done.exception is not None
    assert type(done.exception).__name__ == "LMNotConfiguredError"
