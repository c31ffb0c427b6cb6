"""The table: on the screen, as JSON with every measurement, and in the documentation."""

from __future__ import annotations

import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.framework.measure import Outcome

BEGIN, END = "<!-- framework table: begin -->", "<!-- framework table: end -->"


def quantity(value: float, unit: str) -> str:
    """A measurement in words a person reads: `237 µs`, `2,650/s`, `1.4 MB`."""
    if unit == "/s":
        return f"{value:,.0f}/s"
    if unit == "MB":
        return f"{value:.1f} MB"
    return f"{value * 1e6:,.0f} µs" if value < 0.01 else f"{value:.2f} s"


def requirement(outcome: Outcome) -> str:
    """The bound in words."""
    if outcome.required is None:
        return ""
    if outcome.unit == "MB":
        return f"≤ {outcome.required:g} MB"
    if outcome.unit == "/s":
        return f"≥ {outcome.required:g} ×"
    return f"≤ 1/{1 / outcome.required:.0f}"


def ratio(outcome: Outcome) -> str:
    """telic over the other: small times as fractions, as the bounds are."""
    value = outcome.ratio
    return f"1/{1 / value:.1f}" if outcome.unit != "/s" and 0 < value < 1 else f"{value:.2f}"


def table(outcomes: list[Outcome]) -> str:
    """All outcomes as a Markdown table."""
    lines = ["| | telic | compared with | ratio | required | |", "|---|---|---|---|---|---|"]
    for o in outcomes:
        verdict = {True: "pass", False: "**fail**", None: ""}[o.passed]
        name = {"raw": "raw aiohttp", "dspy": "DSPy", "telic": "telic"}[o.rival]
        cells = [o.title, quantity(o.telic, o.unit), f"{name} {quantity(o.other, o.unit)}", ratio(o)]
        lines.append("| " + " | ".join([*cells, requirement(o), verdict]) + " |")
    return "\n".join(lines)


def machine(load: float) -> str:
    """What the numbers were measured on, and whether it had other work.

    Args:
        load: processes that wanted a core before the benchmark began, as the system averages them.
    """
    cores = os.cpu_count() or 1
    busy = f", busy with other work (load {load:.1f})" if load > cores / 2 else ""
    return f"{cores} cores, {platform.system()}, Python {platform.python_version()}{busy}"


def save(outcomes: list[Outcome], load: float, results: Path, page: Path) -> None:
    """Write every measurement to `results`, and the table between the marks of a documentation page."""
    when = datetime.now(UTC).strftime("%Y-%m-%d")
    record = {"date": when, "machine": machine(load), "outcomes": [o.to_json() for o in outcomes]}
    results.parent.mkdir(parents=True, exist_ok=True)
    results.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    text = page.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    section = f"{BEGIN}\nMeasured {when} on {machine(load)}.\n\n{table(outcomes)}\n{END}"
    page.write_text(f"{before}{section}{after}", encoding="utf-8")
