"""`telic run`: scripts, and scripts written for DSPy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

DSPY_SCRIPT = """
import sys
import dspy
from dspy.utils import DummyLM

dspy.configure(lm=DummyLM([{"answer": "blue"}]))
answer = dspy.Predict("question -> answer")(question="Colour?", surplus=1).answer
print(answer, sys.argv[1:], dspy.settings.allow_tool_async_sync_conversion)
"""


def run(*words: object) -> subprocess.CompletedProcess[str]:
    code = "import sys; from telic.cli import main; sys.argv[0] = 'telic'; main()"
    line = [sys.executable, "-c", code, *map(str, words)]
    return subprocess.run(line, capture_output=True, text=True, check=False)


def test_a_script_written_for_dspy(tmp_path: Path) -> None:
    script = tmp_path / "program.py"
    script.write_text(DSPY_SCRIPT)
    done = run("run", "--dspy", script, "--flag", "value")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "blue ['--flag', 'value'] False"


def test_without_the_option_dspy_is_not_there(tmp_path: Path) -> None:
    script = tmp_path / "program.py"
    script.write_text("import importlib.util; print(importlib.util.find_spec('dspy') is None)")
    assert run("run", script).stdout.strip() == "True"


def test_a_script_finds_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "neighbour.py").write_text("VALUE = 5")
    script = tmp_path / "program.py"
    script.write_text("import neighbour; print(neighbour.VALUE, __name__)")
    assert run("run", script).stdout.strip() == "5 __main__"


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        ("raise SystemExit(7)", 7, ""),
        ("import telic; telic.Predict('q -> a')(q='?')", 1, "program.py"),
        ("1 / 0", 1, "ZeroDivisionError"),
    ],
)
def test_how_a_script_ends(tmp_path: Path, body: str, code: int, said: str) -> None:
    script = tmp_path / "program.py"
    script.write_text(body)
    done = run("run", script)
    assert done.returncode == code
    assert said in done.stderr


def test_no_script() -> None:
    assert run("run", "nothing.py").returncode == 2
