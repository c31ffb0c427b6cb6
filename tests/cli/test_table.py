"""`telic compile --data my.csv --inputs … --outputs …`: a table is enough."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

from telic.cli.table import kind_of
from telic.testing.server import LocalServer

ROWS = [("lovely", "good"), ("awful", "bad"), ("charming", "good"), ("dreadful", "bad"), ("superb", "good")]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalServer]:
    monkeypatch.setenv("OPENAI_API_KEY", "test")

    def answer(body: dict[str, Any]) -> str:
        asked = body["messages"][-1]["content"]
        shown = len(body["messages"]) > 2
        label = next((label for word, label in ROWS if word in asked), "good") if shown else "good"
        return f"[[ ## label ## ]]\n{label}\n\n[[ ## completed ## ]]"

    with LocalServer(answer) as running:
        yield running


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    lines = [f"a {word} place {n},{label}" for n in range(10) for word, label in ROWS]
    (tmp_path / "my.csv").write_text("\n".join(["text,label", *lines]) + "\n")
    return tmp_path / "my.csv"


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["a", "b", "a", "b"], Literal["a", "b"]),
        (["a", "b", "c"], str),
        (["1", "2", "30"], int),
        (["1", "2.5"], float),
        (["true", "False", "true"], bool),
        ([1, 2, 3], int),
        (["yes", "yes"], Literal["yes"]),
        (["007 1", "007 1"], Literal["007 1"]),
    ],
)
def test_the_type_of_a_column(values: list[Any], kind: Any) -> None:
    assert kind_of(values) == kind


def test_a_table_is_compiled_and_the_program_evaluated(telic: Any, table: Path, server: LocalServer) -> None:
    lm = ["--lm", "openai/test", "--api-base", server.url]
    done = telic("compile", "--data", table, "--inputs", "text", "--outputs", "label", "--json", *lm)
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert report["file"] == "my.program.json"
    assert report["candidates"][0]["examples"] == 25, "half is for choosing by"
    assert report["candidates"][0]["score"] == 100.0
    asked = server.requests[0].body["messages"][0]["content"]
    assert "bad" in asked, "the labels are named to the model"
    measured = telic("eval", "my.program.json", "--data", table, "--metric", "exact", "--json", *lm)
    assert json.loads(measured.stdout)["score"] == 100.0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "say which PROGRAM"),
        (("--inputs", "text"), "say which PROGRAM"),
        (("--inputs", "text", "--outputs", "colour"), "has the columns text, label"),
        (("--inputs", "text,label", "--outputs", "label"), "an input or an output"),
        (("--inputs", "words", "--outputs", "label"), "words"),
    ],
)
def test_what_is_missing_is_said(telic: Any, table: Path, options: tuple[str, ...], said: str) -> None:
    done = telic("compile", "--data", table, *options)
    assert done.exit_code in (1, 2)
    assert said in " ".join(done.output.replace("│", " ").split())


def test_an_empty_cell_of_an_output_is_named(telic: Any, table: Path) -> None:
    table.write_text("text,label\na,x\nb,\n")
    done = telic("compile", "--data", table, "--inputs", "text", "--outputs", "label")
    assert "row 2" in " ".join(done.output.replace("│", " ").split())


def test_with_a_program_the_outputs_are_known(telic: Any, table: Path) -> None:
    words = ("compile", "text -> label", "--data", table, "--metric", "exact")
    assert "--outputs is for data without" in " ".join(telic(*words, "--outputs", "label").output.split())
    assert "--metric" in telic("compile", "text -> label", "--data", table).output
