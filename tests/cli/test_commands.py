"""Help, versions, models, and how the process as a whole ends."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

GROUPS = {
    "finetune": ("data", "run"),
    "runs": ("list", "show", "resume", "export"),
    "cache": ("stats", "search", "prune", "set-aside"),
    "models": ("list", "pull", "add", "rm"),
    "index": ("build", "add", "delete", "search", "stats", "serve"),
}
SINGLE = ("demo", "eval", "compile", "show", "diff", "run")


@pytest.mark.parametrize("words", [[c] for c in SINGLE] + [[g, c] for g, cs in GROUPS.items() for c in cs])
def test_every_command_explains_itself(telic: Any, words: list[str]) -> None:
    done = telic(*words, "--help")
    assert done.exit_code == 0
    assert "Usage:" in done.stdout


def test_help_lists_the_exit_codes(telic: Any) -> None:
    done = telic("--help")
    assert "Exit codes" in done.stdout
    assert all(command in done.stdout for command in (*SINGLE, *GROUPS))


def test_version(telic: Any) -> None:
    from importlib.metadata import version

    assert telic("--version").stdout.strip() == version("telic")


def test_models_are_listed_with_licences(telic: Any) -> None:
    rows = {row["name"]: row for row in json.loads(telic("models", "list", "--json").stdout)}
    assert rows["smollm2-135m"]["licence"] == "Apache-2.0"
    assert rows["smollm2-135m"]["here"] is False
    assert "98 MB" in telic("models", "list").stdout


def test_adding_what_is_no_model_is_one_message(telic: Any, tmp_path: Path) -> None:
    path = tmp_path / "notes.gguf"
    path.write_text("not weights")
    done = telic("models", "add", path)
    assert done.exit_code == 1
    assert "Traceback" not in done.output


@pytest.mark.model
def test_a_model_is_added_under_a_name_and_removed(
    telic: Any, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TELIC_HOME", str(tmp_path / "own"))
    added = telic("models", "add", weights / "smollm2-135m.gguf", "--name", "mine", "--json")
    assert added.exit_code == 0, added.output
    assert json.loads(added.stdout)["size"] == 98_362_432
    assert telic("models", "rm", "mine").exit_code == 0
    assert telic("models", "rm", "mine").exit_code == 1


def test_the_process_ends_with_the_code() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from telic.cli import main; main()", "show", "nowhere.json"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Error: There is no program file")
    assert "Traceback" not in done.stderr


def test_an_interrupted_command_ends_with_130(telic: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(path: Path) -> dict[str, Any]:
        raise KeyboardInterrupt

    monkeypatch.setattr("telic.cli.show.program_file", interrupted)
    done = telic("show", "any.json")
    assert done.exit_code == 130
    assert "Interrupted" in done.stderr
