"""`make bench-embedded`, or `python -m benchmarks.embedded_tasks`: every task on every model."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import telic
from benchmarks import page
from benchmarks.embedded_tasks.tasks import SIZES, Task, tasks
from benchmarks.framework.report import machine

COMMAND = "make bench-embedded"
MODELS = ("local/smollm2-135m", "local/gemma-3-270m")
THREADS = 8


def main() -> int:
    """Measure, print the table, write it down unless only a part was measured; 1 if weights lack."""
    arguments = _arguments()
    load, began = os.getloadavg()[0], time.monotonic()
    print(f"{machine(load)}; rows: {SIZES}", flush=True)
    found: list[dict[str, Any]] = []
    lacking = []
    for model in (model for model in MODELS if arguments.model in model):
        try:
            found += _measured(model, arguments)
        except telic.ModelWeightsError as error:
            lacking.append(model)
            print(f"{model} is left out: {error}", flush=True)
    minutes = (time.monotonic() - began) / 60
    print(f"\n{_table(found)}\n\n{minutes:.1f} minutes")
    if not (lacking or arguments.only or arguments.model or arguments.seed):
        _save(found, machine(load), minutes)
    return 1 if lacking else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.embedded_tasks", description=__doc__)
    parser.add_argument("--only", default="", metavar="WORD", help="only tasks whose title has WORD")
    parser.add_argument("--model", default="", metavar="WORD", help="only models whose name has WORD")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="another draw of rows and demos")
    return parser.parse_args()


def _measured(model: str, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    rows = []
    for task in (task for task in tasks() if arguments.only in task.title):
        lm = telic.LM(model, temperature=0.0, max_tokens=task.max_tokens)
        with tempfile.TemporaryDirectory() as folder:  # a record of its own: nothing is known beforehand
            store = Path(folder) / "store.db"
            with telic.context(lm=lm, store=store, num_threads=THREADS):
                rows.append({"model": model, **_run(task, arguments.seed)})
        print(" | ".join(_row(rows[-1])), flush=True)
    return rows


def _run(task: Task, seed: int) -> dict[str, Any]:
    """A task, as declared and compiled, on rows that the search does not see."""
    began = time.monotonic()
    train, dev, test = (task.rows(split, seed) for split in SIZES)
    evaluate = telic.Evaluate(devset=test, metric=task.metric)
    search = telic.BootstrapFewShotWithRandomSearch(metric=task.metric, num_candidate_programs=2, seed=seed)
    before = evaluate(task.program)
    compiled = search.compile(task.program, trainset=train, valset=dev)
    after = evaluate(compiled)
    best, comparison = compiled.report.to_json()["candidates"][0], telic.compare(before, after)
    return {
        "task": task.title,
        "data": task.data,
        "before": {"score": before.score, "interval": list(before.interval)},
        "dev": best,
        "after": {"score": after.score, "interval": list(after.interval)},
        "comparison": comparison.to_json(),
        "unread": [len(before.failures), len(after.failures)],
        "errors": [len(before.errors), len(after.errors)],
        "calls": before.calls + compiled.report.spent.calls + after.calls,
        "seconds": time.monotonic() - began,
    }


def _table(found: list[dict[str, Any]]) -> str:
    head = ["model", "task", "as declared", "compiled", "gain", "unreadable", "calls", "s"]
    return page.table(head, [_row(row) for row in found])


def _row(row: dict[str, Any]) -> list[str]:
    scores = [
        f"{page.percent(row[when]['score'])} ({page.interval(row[when]['interval'])})"
        for when in ("before", "after")
    ]
    compared = row["comparison"]
    low, high = compared["interval"]
    gain = f"{compared['difference']:+.0f} ({low:+.0f} to {high:+.0f})"
    unread = f"{row['unread'][0]}, {row['unread'][1]}"
    spent = [f"{row['calls']:,}", f"{row['seconds']:.0f}"]
    return [row["model"].removeprefix("local/"), row["task"], *scores, gain, unread, *spent]


def _save(found: list[dict[str, Any]], where: str, minutes: float) -> None:
    when = page.today()
    facts = {"date": when, "machine": where, "command": COMMAND, "minutes": round(minutes, 1), "sizes": SIZES}
    page.record("embedded_tasks", {**facts, "rows": found})
    said = f"Measured {when} on {where} by `{COMMAND}`, in {minutes:.0f} minutes."
    page.show("tasks table", f"{said}\n\n{_table(found)}")


if __name__ == "__main__":
    sys.exit(main())
