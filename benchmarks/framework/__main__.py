"""`make bench`, or `python -m benchmarks.framework [--only WORD] [--save]`."""

from __future__ import annotations

import argparse
import os
import sys

from benchmarks.framework.cases import cases
from benchmarks.framework.measure import Outcome, measure
from benchmarks.framework.report import machine, quantity, ratio, save, table
from benchmarks.framework.sides import ROOT, Server, dspy_python

RESULTS = ROOT / "benchmarks" / "results" / "framework.json"
PAGE = ROOT / "docs" / "performance.md"


def main() -> int:
    """Measure, print the table, write it down unless only a part was measured; 1 if a bound was missed."""
    arguments = _arguments()
    load = os.getloadavg()[0]
    print(f"Measuring on {machine(load)}.", flush=True)
    chosen = [case for case in cases() if arguments.only in case.title]
    pythons = {"telic": sys.executable, "raw": sys.executable}
    pythons["dspy"] = arguments.dspy_python or dspy_python(ROOT / ".venv-bench")
    server = Server(sys.executable, latency_ms=20)
    outcomes: list[Outcome] = []
    try:
        for case in chosen:
            outcomes.append(measure(case, pythons, server))
            _say(outcomes[-1])
    finally:
        server.close()
    print("\n" + table(outcomes))
    if not arguments.only:
        save(outcomes, load, RESULTS, PAGE)
    return 1 if any(outcome.passed is False for outcome in outcomes) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.framework", description=__doc__)
    parser.add_argument(
        "--only", default="", metavar="WORD", help="only cases whose title has WORD; saves nothing"
    )
    parser.add_argument("--dspy-python", metavar="PATH", help="an interpreter that has DSPy already")
    return parser.parse_args()


def _say(o: Outcome) -> None:
    verdict = {True: "pass", False: "FAIL", None: ""}[o.passed]
    sides = f"telic {quantity(o.telic, o.unit)}, {o.rival} {quantity(o.other, o.unit)}"
    print(f"{o.title}: {sides}, ratio {ratio(o)} {verdict}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
