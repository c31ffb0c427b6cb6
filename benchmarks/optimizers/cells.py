"""Finished measurements, kept in files so that nothing is measured twice."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SIDES = ("telic", "dspy")


@dataclass(frozen=True, slots=True)
class Cell:
    """One measurement.

    Attributes:
        task: name of the task.
        optimizer: name of the optimizer.
        repeat: seed of rows and search.
        side: `telic` or `dspy`.
    """

    task: str
    optimizer: str
    repeat: int
    side: str

    def __str__(self) -> str:
        return f"{self.task}, {self.optimizer}, repeat {self.repeat}, {self.side}"


class Work:
    """A folder with a file for each finished cell.

    Args:
        folder: made where it is not there.
        fresh: forget what it holds.
    """

    def __init__(self, folder: Path, *, fresh: bool = False) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        if fresh:
            for file in (*folder.glob("*.json"), *folder.glob("*.log")):
                file.unlink()

    def get(self, cell: Cell, conditions: Mapping[str, Any]) -> dict[str, Any] | None:
        """What was measured; `None` where nothing was, or under other conditions."""
        file = self._file(cell)
        if not file.exists():
            return None
        kept = json.loads(file.read_text(encoding="utf-8"))
        found: dict[str, Any] = kept["found"]
        return found if kept["conditions"] == _plain(conditions) else None

    def put(self, cell: Cell, conditions: Mapping[str, Any], found: Mapping[str, Any]) -> None:
        """Keep what was measured."""
        file = self._file(cell)
        beside = file.with_suffix(".part")
        text = json.dumps({"conditions": _plain(conditions), "found": dict(found)}, indent=1)
        beside.write_text(text, encoding="utf-8")
        beside.replace(file)

    def log(self, cell: Cell) -> Path:
        """Where what the library writes on its way is kept."""
        return self._file(cell).with_suffix(".log")

    def _file(self, cell: Cell) -> Path:
        return self.folder / f"{cell.task}-{cell.optimizer}-{cell.repeat}-{cell.side}.json"


def _plain(conditions: Mapping[str, Any]) -> Any:
    """As they are after a way through JSON."""
    return json.loads(json.dumps(conditions))
