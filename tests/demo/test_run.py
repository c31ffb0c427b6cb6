"""The demo from beginning to end: on a scripted model, and killed half-way on the embedded one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from telic.cli.demo.cases import Case
from telic.cli.demo.run import play
from telic.lm.base import BaseLM
from telic.program.module import Module
from telic.types import Choice, Response
from tests.demo.small import small

ROOT = Path(__file__).resolve().parents[2]


class Learner(BaseLM):
    """Answers well once it is shown demos; before, it talks about kettles."""

    recorded = True

    def __init__(self, chosen: Case) -> None:
        super().__init__("test/learner", "chat", 0.0, 100, True)
        rows = [*chosen.splits.train, *chosen.splits.dev, *chosen.splits.test]
        self.rows = {text: row for row in rows for text in row.inputs().toDict().values()}
        self.asked = 0

    def forward(self, prompt: Any = None, messages: Any = None, **kwargs: Any) -> Response:
        self.asked += 1
        turns = [message["content"] for message in messages if message["role"] == "user"]
        row = next(row for text, row in self.rows.items() if text in turns[-1])
        asked = [name for name in _GUESS if f"[[ ## {name} ## ]]" in messages[0]["content"]]
        said = {name: row.get(name) if len(turns) > 1 else _GUESS[name] for name in asked}
        lines = [f"[[ ## {name} ## ]]\n{value}" for name, value in said.items()]
        return Response((Choice("\n\n".join(lines)),), model="test/learner")

    async def aforward(self, prompt: Any = None, messages: Any = None, **kwargs: Any) -> Response:
        return self.forward(prompt, messages, **kwargs)


_GUESS = {
    "intent": "it is broken",
    "order": None,
    "date": None,
    "product": "kettle",
    "answer": 1,
    "equation": "?",
}


@pytest.mark.parametrize("name", ["messages", "math"])
def test_the_screen_tells_the_whole_story(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    chosen = small(name)
    findings = play(chosen, Learner(chosen))
    shown = capsys.readouterr().out
    assert max(map(len, _whole_lines(shown))) <= 100
    for part in (
        "as declared",
        "compiled",
        "demos",
        "95 % interval",
        "better",
        "calls of the model",
        "Saved:",
    ):
        assert part in shown, part
    for finding in findings:
        assert finding.after.score > finding.before.score
        loaded = type(finding.entry.program)()
        loaded.load(finding.file)
        assert isinstance(loaded, Module)
        assert all(predictor.demos for _, predictor in loaded.named_predictors())


def _whole_lines(shown: str) -> list[str]:
    """Lines but those of a path, which may be as long as it is."""
    return [line for line in shown.splitlines() if "/" not in line]


def test_run_again_it_asks_nothing_and_says_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    told = []
    for _ in range(2):
        chosen = small("messages")
        lm = Learner(chosen)
        play(chosen, lm, as_json=True)
        told.append((lm.asked, json.loads(capsys.readouterr().out)))
    assert told[0][0] > 0
    assert told[1][0] == 0
    (first,), (again,) = (said["programs"] for _, said in told)
    assert again["before"]["score"] == first["before"]["score"]
    assert again["after"]["score"] == first["after"]["score"]
    assert again["after"]["right"] == first["after"]["right"]
    assert again["after"]["calls"] == 0


@pytest.mark.model
@pytest.mark.slow
def test_killed_half_way_it_goes_on_and_asks_nothing_twice(tmp_path: Path, weights: Path) -> None:
    (tmp_path / "models").symlink_to(weights)
    process = _begin(tmp_path)
    paid = _wait_for_calls(tmp_path, 30, process)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    kept = _calls(tmp_path)
    assert kept >= paid
    again = _begin(tmp_path)
    out, said = again.communicate(timeout=600)
    assert again.returncode == 0, said
    counts = json.loads(out.rpartition("COUNTS ")[2])
    # Of what was known, results that the compile's journal holds are not even looked up.
    assert 0 < counts["recorded"] <= kept
    # Every row is a question that was asked once, before the kill or after.
    assert counts["answered"] == counts["paid"] == _calls(tmp_path) - kept


def _begin(folder: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "TELIC_HOME": str(folder), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "tests.demo.small"]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=pipe, stderr=pipe, text=True)


def _wait_for_calls(folder: Path, count: int, process: subprocess.Popen[str]) -> int:
    until = time.monotonic() + 300
    while time.monotonic() < until and process.poll() is None:
        if (known := _calls(folder)) >= count:
            return known
        time.sleep(0.2)
    raise AssertionError(f"the demo made {_calls(folder)} calls, not {count}: {process.communicate()}")


def _calls(folder: Path) -> int:
    import sqlite3

    path = folder / "store.db"
    if not path.exists():
        return 0
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        try:
            return int(database.execute("SELECT count(*) FROM calls").fetchone()[0])
        except sqlite3.OperationalError:  # not made yet
            return 0
