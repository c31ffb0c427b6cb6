"""DSPy's side as seen from here: the served model, the other interpreter, and what it reports."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Callable
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
    phases: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as cache, ServedModel(task.MODEL) as served:
        process = subprocess.Popen(
            [python, "-m", "benchmarks.snips_intents.dspy_side"],
            cwd=ROOT, env={**os.environ, "DSPY_CACHEDIR": cache}, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps({"url": served.url, "max_tokens": MAX_TOKENS, **task.rows(seed)}))
        process.stdin.close()
        before = served.spent()
        for line in process.stdout:
            phase, after = json.loads(line), served.spent()
            phase["calls"] = after["calls"] - before["calls"]
            phase["cpu_seconds"] += after["cpu_seconds"] - before["cpu_seconds"]
            before = after
            phases.append(_with_interval(phase))
            say(task.said(phase))
        if process.wait() or len(phases) < len(task.PHASES):
            raise RuntimeError("DSPy's side ended early (its errors are above)")
    return phases


def _with_interval(phase: dict[str, Any]) -> dict[str, Any]:
    count = task.SIZES["dev" if phase["phase"] == "search" else "test"]
    interval = wilson(phase["score"] / 100 * count, count).percent()
    return {**phase, "interval": list(interval)}
