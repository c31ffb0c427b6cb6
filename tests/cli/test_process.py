"""The command as a process: interrupted, and killed half-way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from telic.testing.server import LocalServer

TELIC = [sys.executable, "-c", "from telic.cli import main; main()"]
THREADS = 2


def answer(body: dict[str, Any]) -> str:
    number = int(body["messages"][-1]["content"].partition("number ")[2].split()[0])
    return f"[[ ## label ## ]]\n{'even' if number % 2 == 0 else 'odd'}\n\n[[ ## completed ## ]]"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalServer]:
    monkeypatch.setenv("OPENAI_API_KEY", "test")
    with LocalServer(answer, latency=0.05) as running:
        yield running


@pytest.fixture
def words(server: LocalServer, tmp_path: Path) -> list[str]:
    data = tmp_path / "train.jsonl"
    rows = [{"text": f"number {n} .", "label": ["even", "odd"][n % 2]} for n in range(30)]
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    common = ["text -> label", "--data", str(data), "--metric", "exact", "--threads", str(THREADS)]
    return [*common, "--lm", "openai/test", "--api-base", server.url]


def begin(command: str, words: list[str], *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*TELIC, command, *words, *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def wait_for(server: LocalServer, count: int) -> None:
    until = time.monotonic() + 30
    while server.count < count:
        assert time.monotonic() < until, f"only {server.count} requests came"
        time.sleep(0.01)


def test_control_c_ends_with_130_and_what_was_paid_for_is_kept(server: LocalServer, words: list[str]) -> None:
    process = begin("eval", words)
    wait_for(server, 6)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130, said
    assert "Interrupted" in said
    assert "Traceback" not in said
    paid = sum(server.answered.values())
    again = begin("eval", words, "--json")
    row = json.loads(again.communicate(timeout=60)[0])
    assert row["cached_calls"] >= paid - THREADS
    assert row["calls"] + row["cached_calls"] == 30


def test_a_killed_compile_goes_on_and_asks_nothing_twice(
    server: LocalServer, words: list[str], tmp_path: Path
) -> None:
    more = ["--optimizer", "random-search", "--candidates", "1", "--demos", "2"]
    more += ["--out", str(tmp_path / "out.json"), "--json"]
    process = begin("compile", words, *more)
    wait_for(server, 40)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=30)
    asked = set(server.answered)
    again = begin("compile", words, *more)
    out, said = again.communicate(timeout=120)
    assert again.returncode == 0, said
    assert json.loads(out)["resumed"] > 0
    assert (tmp_path / "out.json").exists()
    twice = {body for body, count in server.answered.items() if count > 1}
    # Only what was on the wire at the moment of death can be lost.
    assert len(twice) <= THREADS
    assert twice <= asked
