"""`make bench-agents`, or `python -m benchmarks.agents`: agents on public data, first with a scripted model.

With the scripted model everything must be right: that shows that tools, protocols and loops hold. What the
embedded model makes of the same tasks is told as it is.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import telic
from benchmarks import page
from benchmarks.agents import bfcl, game24
from benchmarks.agents.retail import loop
from benchmarks.agents.scripted import WAYS
from benchmarks.framework.report import machine

COMMAND = "make bench-agents"
MODEL = "local/smollm2-135m"
QUESTIONS = 50
GAMES = 100
LIMIT = 10
LONGEST = 160


def main() -> int:
    """Run, print the table, write it down unless only a part was run; 1 where a scripted run is not right."""
    arguments = _arguments()
    load, found = os.getloadavg()[0], []
    with tempfile.TemporaryDirectory() as folder, telic.context(store=Path(folder) / "store.db"):
        for row in _rows(arguments):
            found.append(row)
            print(" | ".join(_cells(row)), flush=True)
    if not (arguments.only or arguments.model != MODEL or arguments.limit != LIMIT):
        _save(found, machine(load))
    wrong = [row for row in found if row["model"] == "scripted" and row["right"] != row["of"]]
    return 1 if wrong else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.agents", description=__doc__)
    parser.add_argument("--only", default="", metavar="WORD", help="only tasks whose title has WORD")
    parser.add_argument("--model", default=MODEL, metavar="NAME", help="a model to try; empty for none")
    parser.add_argument(
        "--limit", type=int, default=LIMIT, metavar="N", help="tasks that it tries of each kind"
    )
    return parser.parse_args()


def _rows(arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    for title, run in _tasks().items():
        if arguments.only in title:
            for way in WAYS.values():
                yield _timed(title, "scripted", way.title, lambda way=way, run=run: run(way))
    tried = {"bfcl_single_turn": (bfcl.modelled, bfcl.rows), "game24": (game24.modelled, game24.rows)}
    for title, (run, rows) in tried.items():
        if arguments.model and arguments.only in title:
            lm = telic.LM(arguments.model, temperature=0.0, max_tokens=LONGEST)
            given = rows(arguments.limit)
            yield _timed(title, arguments.model, "ReAct", lambda lm=lm, run=run, given=given: run(lm, given))


def _tasks() -> dict[str, Callable[[Any], list[bool]]]:
    return {
        "bfcl_single_turn": lambda way: bfcl.scripted(way, bfcl.rows(QUESTIONS)),
        "game24": lambda way: game24.scripted(way, game24.rows(GAMES)),
        "tau_retail": lambda way: [outcome.right for outcome in loop.scripted(way, loop.rows())],
    }


def _timed(task: str, model: str, way: str, run: Callable[[], list[bool]]) -> dict[str, Any]:
    began = time.monotonic()
    right = run()
    seconds = time.monotonic() - began
    return {"task": task, "model": model, "way": way, "right": sum(right), "of": len(right), "s": seconds}


def _cells(row: dict[str, Any]) -> list[str]:
    model = row["model"].removeprefix("local/")
    return [row["task"], model, row["way"], f"{row['right']} of {row['of']}", f"{row['s']:.0f}"]


def _save(found: list[dict[str, Any]], where: str) -> None:
    when = page.today()
    page.record("agents", {"date": when, "machine": where, "command": COMMAND, "rows": found})
    table = page.table(["task", "model", "agent", "right", "s"], [_cells(row) for row in found])
    page.show("agents table", f"Measured {when} on {where} by `{COMMAND}`.\n\n{table}")


if __name__ == "__main__":
    sys.exit(main())
