"""DSPy's side as seen from here: the served model, the other interpreter, and what it reports."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.framework.sides import ROOT
from benchmarks.served import ServedModel
from benchmarks.snips_intents import task
from telic.evaluate.statistics import wilson

MAX_TOKENS = 100
"""Of an answer. Four times what a well-formed one takes; without a cap the model rambles on."""


def run(python: str, seed: int, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """The same phases as telic's, through the same engine behind HTTP.

    Args:
        python: an interpreter that has DSPy.
        seed: of the rows.
        say: told each phase in a line.

    Returns:
        The phases; CPU seconds are those of DSPy and of the server together.
    """
    with tempfile.TemporaryDirectory() as folder, ServedModel(task.MODEL) as served:
        log = Path(folder) / "dspy.log"  # long: a warning and an error for every unreadable answer
        with log.open("w", encoding="utf-8") as errors:
            process = subprocess.Popen(
                [python, "-m", "benchmarks.snips_intents.dspy_side"],
                cwd=ROOT, env={**os.environ, "DSPY_CACHEDIR": folder}, text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
            )  # fmt: skip
        assert process.stdin is not None
        process.stdin.write(json.dumps({"url": served.url, "max_tokens": MAX_TOKENS, **task.rows(seed)}))
        process.stdin.close()
        phases = list(_phases(process, served, say))
        if process.wait() or len(phases) < len(task.PHASES):
            raise RuntimeError(f"DSPy's side ended early:\n{log.read_text(encoding='utf-8')[-3000:]}")
    return phases


def _phases(
    process: subprocess.Popen[str], served: ServedModel, say: Callable[[str], None]
) -> Iterator[dict[str, Any]]:
    assert process.stdout is not None
    before = served.spent()
    for line in process.stdout:
        phase, after = json.loads(line), served.spent()
        phase["calls"] = after["calls"] - before["calls"]
        phase["cpu_seconds"] += after["cpu_seconds"] - before["cpu_seconds"]
        before = after
        say(task.said(phase))
        yield _with_interval(phase)


def _with_interval(phase: dict[str, Any]) -> dict[str, Any]:
    count = task.SIZES["dev" if phase["phase"] == "search" else "test"]
    interval = wilson(phase["score"] / 100 * count, count).percent()
    return {**phase, "interval": list(interval)}
