"""How a training goes, as lines of JSON: written by the process that trains, read by whoever asks."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from telic._json import dumps
from telic.finetune.backend import JobStatus

FILE = "progress.jsonl"

_TAIL = 1 << 16
"""Bytes from the end of the file that are read for the latest state."""

_FIELDS = ("step", "steps", "loss", "seconds_left", "error", "message")


class Progress:
    """Writes the lines, and estimates the time left.

    Args:
        folder: of the job.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._began: tuple[float, int] | None = None

    def say(self, state: str, **facts: Any) -> None:
        """Write a line; what a reader sees of it is whole."""
        line = dumps({"at": time.time(), "state": state, **facts}) + "\n"
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())

    def step(self, step: int, steps: int, loss: float, **facts: Any) -> None:
        """Write that a step was done."""
        now = time.monotonic()
        if self._began is None:
            self._began = (now, step)
        began, first = self._began
        left = (now - began) / (step - first) * (steps - step) if step > first else None
        self.say("running", step=step, steps=steps, loss=loss, seconds_left=left, **facts)


def read(folder: Path) -> list[dict[str, Any]]:
    """All lines, in order. After a resume, steps that were done again come again."""
    try:
        text = (folder / FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    return [row for line in text.splitlines() if (row := _row(line)) is not None]


def loss_curve(folder: Path) -> list[tuple[int, float]]:
    """Training loss by step; of steps done twice, the later."""
    curve = {row["step"]: row["loss"] for row in read(folder) if "loss" in row and "step" in row}
    return sorted(curve.items())


def latest(folder: Path) -> JobStatus | None:
    """What the last lines say; `None` where there are none yet."""
    path = folder / FILE
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return None
    known: dict[str, Any] = {}
    for row in map(_row, lines):
        if row is not None:
            known |= row
            known["message"], known["error"] = row.get("message", ""), row.get("error")
    return _status(known) if known else None


def _status(known: Mapping[str, Any]) -> JobStatus:
    told = {name: known[name] for name in _FIELDS if known.get(name) is not None}
    return JobStatus(known["state"], **told)


def _row(line: str) -> dict[str, Any] | None:
    """A line; `None` for one that a killed process wrote half of, or the file's tail cut."""
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) else None
