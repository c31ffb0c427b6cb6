"""`make bench-snips`, or `python -m benchmarks.snips_intents`: telic and DSPy, one after the other."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks import page
from benchmarks.framework.report import machine
from benchmarks.framework.sides import ROOT, dspy_python
from benchmarks.snips_intents import rival, task, telic_side

COMMAND = "make bench-snips"
LEAST_SCORE = 50.0
MOST_CALLS = 560
TIME_SHARE = 1 / 3

Phases = Sequence[Mapping[str, Any]]


def main() -> int:
    """Run the sides, print the table, write it down unless only one side ran; 1 if a bound was missed."""
    arguments = _arguments()
    load = os.getloadavg()[0]
    print(f"{task.MODEL}, {machine(load)}", flush=True)
    sides = {f"telic, rows {seed}": telic_side.run(seed, _say("telic")) for seed in arguments.seeds}
    first = next(iter(sides.values()))
    missed = _missed(first)
    if arguments.only != "telic":
        python = arguments.dspy_python or dspy_python(ROOT / ".venv-bench")
        name = f"DSPy 3.4.1, rows {arguments.seeds[0]}"
        sides[name] = rival.run(python, arguments.seeds[0], _say("DSPy"))
        if _total(first, "seconds") > TIME_SHARE * _total(sides[name], "seconds"):
            missed.append("more than a third of DSPy's time")
    shown = _table(sides)
    print(f"\n{shown}\n" + (f"MISSED: {'; '.join(missed)}" if missed else "all bounds met"))
    if arguments.only is None:
        _save(sides, shown, machine(load), missed)
    return 1 if missed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.snips_intents", description=__doc__)
    parser.add_argument("--only", choices=["telic"], help="leave DSPy out; saves nothing")
    parser.add_argument(
        "--seeds", type=int, nargs="+", default=[0], metavar="N",
        help="draws of rows for telic; DSPy is measured on the first",
    )  # fmt: skip
    parser.add_argument("--dspy-python", metavar="PATH", help="an interpreter that has DSPy already")
    return parser.parse_args()


def _say(library: str) -> Any:
    return lambda line: print(f"{library}: {line}", flush=True)


def _missed(phases: Phases) -> list[str]:
    last = phases[-1]
    bounds = {
        f"less than {LEAST_SCORE:.0f} % on test": last["score"] < LEAST_SCORE,
        "unreadable answers": any(phase.get("unread") for phase in phases),
        f"more than {MOST_CALLS} calls": _total(phases, "calls") > MOST_CALLS,
    }
    return [bound for bound, broken in bounds.items() if broken]


def _total(phases: Phases, key: str) -> float:
    return float(sum(phase[key] for phase in phases))


def _table(sides: Mapping[str, Phases]) -> str:
    head = ["", "test before", "unreadable", "dev, chosen", "test after", "unreadable", "calls", "s", "CPU s"]
    return page.table(head, [_row(name, phases) for name, phases in sides.items()])


def _row(name: str, phases: Phases) -> list[str]:
    before, search, after = phases
    spent = [f"{_total(phases, key):.0f}" for key in ("calls", "seconds", "cpu_seconds")]
    return [
        name, _score(before), str(before["unread"]), _score(search),
        _score(after), str(after["unread"]), *spent,
    ]  # fmt: skip


def _score(phase: Mapping[str, Any]) -> str:
    return f"{page.percent(phase['score'])} ({page.interval(phase['interval'])})"


def _save(sides: Mapping[str, Phases], shown: str, where: str, missed: Sequence[str]) -> None:
    when = page.today()
    found = {
        "date": when,
        "machine": where,
        "model": task.MODEL,
        "missed": list(missed),
        "sides": dict(sides),
    }
    page.record("snips_intents", found)
    page.show("intents table", f"Measured {when} on {where} by `{COMMAND}`.\n\n{shown}")


if __name__ == "__main__":
    sys.exit(main())
