"""`telic diff`, and the comparison under it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from telic.cli.diff import Difference, differences


def program(instructions: str = "Answer.", demos: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    fields = [
        {"name": "question", "type": "str", "role": "input", "prefix": "Question:", "desc": ""},
        {"name": "answer", "type": "str", "role": "output", "prefix": "Answer:", "desc": ""},
    ]
    return {
        "self": {
            "demos": demos or [],
            "signature": {"instructions": instructions, "fields": fields},
            "lm": None,
        }
    }


def test_equal_programs_have_no_differences() -> None:
    assert list(differences(program(), program())) == []


def test_changed_instructions_are_one_difference() -> None:
    found = list(differences(program("Answer."), program("Answer briefly.")))
    assert found == [Difference("self.signature.instructions", "changed", "Answer.", "Answer briefly.")]


def test_demos_are_compared_by_content() -> None:
    one, two, three = ({"question": str(n), "answer": str(n)} for n in range(3))
    found = list(differences(program(demos=[one, two]), program(demos=[two, three])))
    assert [(d.path, d.kind, d.before or d.after) for d in found] == [
        ("self.demos", "removed", one),
        ("self.demos", "added", three),
    ]


def test_another_order_of_demos_is_a_difference() -> None:
    one, two = ({"question": str(n), "answer": str(n)} for n in range(2))
    assert [d.kind for d in differences(program(demos=[one, two]), program(demos=[two, one]))] == ["changed"]


def test_fields_are_named() -> None:
    changed = program()
    changed["self"]["signature"]["fields"][1]["desc"] = "one word"
    assert [d.path for d in differences(program(), changed)] == ["self.signature.fields[answer].desc"]


def test_a_predictor_more_is_a_difference() -> None:
    more = {**program(), "other": program()["self"]}
    assert [(d.path, d.kind) for d in differences(program(), more)] == [("other", "added")]


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    paths = (tmp_path / "a.json", tmp_path / "b.json")
    for path, state in zip(paths, (program("One."), program("Two.")), strict=True):
        head = {"format": 1, "program": "telic.program.predict.Predict", "saved": str(path)}
        path.write_text(json.dumps({"telic": head, "state": state}))
    return paths


def test_exit_code_tells_whether_they_differ(telic: Any, files: tuple[Path, Path]) -> None:
    a, b = files
    differ = telic("diff", a, b)
    assert differ.exit_code == 1
    assert "self.signature.instructions" in differ.stdout
    assert "-One." in differ.stdout
    assert "+Two." in differ.stdout
    same = telic("diff", a, a)
    assert same.exit_code == 0
    assert "No differences." in same.stdout


def test_differences_as_json(telic: Any, files: tuple[Path, Path]) -> None:
    done = telic("diff", *files, "--json")
    assert json.loads(done.stdout) == [
        {"path": "self.signature.instructions", "kind": "changed", "before": "One.", "after": "Two."}
    ]


def test_a_missing_file_is_wrong_usage(telic: Any, files: tuple[Path, Path]) -> None:
    assert telic("diff", files[0], "nowhere.json").exit_code == 2
