"""Tables in the documentation, each between two marks, and the records they come from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.framework.sides import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"
RESULTS = ROOT / "benchmarks" / "results"


def table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def percent(score: float) -> str:
    """`65 %`."""
    return f"{score:.0f} %"


def interval(ends: Sequence[float]) -> str:
    """`55–74`."""
    return f"{ends[0]:.0f}–{ends[1]:.0f}"


def today() -> str:
    """The date, in UTC."""
    return datetime.now(UTC).strftime("%Y-%m-%d")


def record(name: str, found: dict[str, Any]) -> None:
    """Write what was measured to `benchmarks/results/<name>.json`."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    text = json.dumps(found, indent=1, ensure_ascii=False) + "\n"
    (RESULTS / f"{name}.json").write_text(text, encoding="utf-8")


def show(name: str, text: str, page: Path = PAGE) -> None:
    """Put `text` between the marks `name` of a page.

    Raises:
        ValueError: the page has no such marks.
    """
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, found, rest = page.read_text(encoding="utf-8").partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"{page} has no marks named '{name}'")
    page.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")
