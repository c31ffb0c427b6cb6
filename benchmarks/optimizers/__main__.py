"""`make bench-optimizers`, or `python -m benchmarks.optimizers`: telic's optimizers and DSPy's, side by side.

Every finished cell (a task, an optimizer, a repeat, a side) is kept in a folder, so what was interrupted goes
on where it ended.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any, TypeAlias

from benchmarks import page
from benchmarks.framework.report import machine
from benchmarks.framework.sides import ROOT
from benchmarks.optimizers import report, settings
from benchmarks.optimizers.cells import SIDES, Cell, Work
from benchmarks.optimizers.pairing import verdict
from benchmarks.optimizers.running import Bench, equipped, measured
from benchmarks.optimizers.scripted import planted
from benchmarks.optimizers.tasks import TASKS

COMMAND = "make bench-optimizers"
FOLDER = ROOT / ".telic" / "bench-optimizers"
REPEATS = 5

Repeats: TypeAlias = dict[report.Key, list[dict[str, Any]]]


def main() -> int:
    """Measure what is not measured yet, print the tables; 1 if a bound was missed.

    They are written down where everything was measured.
    """
    arguments = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends servers and sides too
    load = os.getloadavg()[0]
    bench = _bench(arguments)
    folder = arguments.work / ("scripted" if arguments.scripted else "real")
    work = Work(folder, fresh=arguments.fresh)
    print(f"{'scripted' if bench.scripted else settings.MODEL}, {bench.sizes}, {machine(load)}", flush=True)
    for cell in cells(arguments.tasks, arguments.optimizers, arguments.repeats, arguments.only):
        _measure(bench, work, cell)
    if arguments.only:
        return 0
    return _report(arguments, bench, work, machine(load))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.optimizers", description=__doc__)
    parser.add_argument("--only", choices=SIDES, help="measure one side; no tables")
    parser.add_argument("--tasks", nargs="+", choices=list(TASKS), default=list(TASKS), metavar="TASK")
    parser.add_argument(
        "--optimizers", nargs="+", choices=list(settings.OPTIMIZERS), default=list(settings.OPTIMIZERS),
        metavar="NAME",
    )  # fmt: skip
    parser.add_argument(
        "--repeats", type=int, default=REPEATS, metavar="N", help="each with other rows and seeds"
    )
    parser.add_argument("--limit", type=int, metavar="N", help="at most so many rows a split; saves nothing")
    parser.add_argument(
        "--scripted", action="store_true", help="a scripted model answers, in a table of its own; minutes"
    )
    parser.add_argument(
        "--reflection-lm",
        default="",
        metavar="MODEL",
        help="proposes and reflects, in place of the model itself",
    )
    parser.add_argument("--fresh", action="store_true", help="forget what was measured before")
    parser.add_argument(
        "--work", type=Path, default=FOLDER, metavar="FOLDER", help="where finished cells are kept"
    )
    parser.add_argument("--dspy-python", metavar="PATH", help="an interpreter that has DSPy already")
    return parser.parse_args()


def _bench(arguments: argparse.Namespace) -> Bench:
    # telic's side alone needs no DSPy.
    dspy = "" if arguments.only == "telic" else equipped(arguments.dspy_python)
    return Bench(dspy, arguments.scripted, reflection=arguments.reflection_lm).limited(arguments.limit)


def cells(
    tasks: Sequence[str], optimizers: Sequence[str], repeats: int, only: str | None = None
) -> Iterator[Cell]:
    """All measurements: repeat by repeat, so that an unfinished run says something of everything.

    The sides take turns at being first.
    """
    for repeat in range(repeats):
        for task in tasks:
            for optimizer in optimizers:
                for side in SIDES if repeat % 2 == 0 else reversed(SIDES):
                    if only in (None, side):
                        yield Cell(task, optimizer, repeat, side)


def _measure(bench: Bench, work: Work, cell: Cell) -> None:
    conditions = bench.conditions(cell)
    found = work.get(cell, conditions)
    kept = "kept: " if found else ""
    if found is None:
        began = time.monotonic()
        found = measured(bench, cell, work.log(cell))
        work.put(cell, conditions, {**found, "date": page.today(), "whole_seconds": time.monotonic() - began})
    print(f"{kept}{cell}: {_said(found)}", flush=True)


def _said(found: dict[str, Any]) -> str:
    if "failed" in found:
        return f"failed: {found['failed']}"
    score = 100 * sum(found["scores"]) / len(found["scores"])
    trouble = f"{found['unread']} unreadable, {found['refused']} refused, {found['errors']} errors"
    spent = f"{found['calls']:.0f} calls, {found['seconds']:.1f} s, CPU {found['cpu_seconds']:.1f} s"
    return f"{score:.0f} %, {trouble}; {spent}"


def _report(arguments: argparse.Namespace, bench: Bench, work: Work, where: str) -> int:
    repeats: Repeats = {}
    for cell in cells(arguments.tasks, arguments.optimizers, arguments.repeats):
        rows = repeats.setdefault((cell.task, cell.optimizer), [{} for _ in range(arguments.repeats)])
        rows[cell.repeat][cell.side] = work.get(cell, bench.conditions(cell))
    verdicts = {key: verdict(rows) for key, rows in repeats.items()}
    shown = report.tables(verdicts)
    missed = [*report.missed(verdicts), *(_not_found(bench, repeats) if bench.scripted else ())]
    print(f"\n{shown}\n")
    print("\n".join(f"MISSED: {what}" for what in missed) or "all bounds kept")
    whole = arguments.tasks == list(TASKS) and arguments.optimizers == list(settings.OPTIMIZERS)
    if whole and not arguments.limit:
        name = "optimizers scripted" if bench.scripted else "optimizers"
        command = f'{COMMAND} ARGS="--scripted"' if bench.scripted else COMMAND
        facts = {
            "date": page.today(),
            "machine": where,
            "command": command,
            "model": "scripted" if bench.scripted else settings.MODEL,
            "missed": missed,
            "sizes": bench.sizes,
            "optimizers": settings.OPTIMIZERS,
            "reflection": bench.reflection,
        }
        page.record(name.replace(" ", "_"), {**facts, "cells": report.recorded(verdicts, repeats)})
        proposing = f" {bench.reflection} proposed." if bench.reflection else ""
        said = f"Measured {page.today()} on {where} by `{command}`, {arguments.repeats} repeats.{proposing}"
        page.show(f"{name} table", f"{said}\n\n{shown}")
    return 1 if missed else 0


def _not_found(bench: Bench, repeats: Repeats) -> list[str]:
    """Where a side did not find what the scripted model has in store for the optimizer."""
    found = []
    for (name, optimizer), rows in repeats.items():
        for repeat, sides in enumerate(rows):
            task = TASKS[name]
            test = task.rows(repeat, bench.sizes or {})["test"]
            wanted = 100 * planted(optimizer, [row[task.source[0]] for row in test])
            for side, cell in sides.items():
                score = 100 * fmean(cell.get("scores", [0]))
                if abs(score - wanted) > 1e-6:
                    found.append(
                        f"{Cell(name, optimizer, repeat, side)}: {score:.0f} % is not {wanted:.0f} %"
                    )
    return found


if __name__ == "__main__":
    sys.exit(main())
