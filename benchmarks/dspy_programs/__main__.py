"""`make bench-dspy-programs`, or `python -m benchmarks.dspy_programs [--only WORD] [--save]`."""

from __future__ import annotations

import argparse
import difflib
import json
import sys

from benchmarks.dspy_programs.sides import TELIC, Run, names, run
from benchmarks.framework.sides import ROOT, dspy_python

RECORDED = ROOT / "tests" / "compat" / "dspy_programs.json"


def main() -> int:
    """Run every program on both, print a table and all differences; 1 if there is one."""
    arguments = _arguments()
    python = arguments.dspy_python or dspy_python(ROOT / ".venv-bench")
    chosen = [name for name in names() if arguments.only in name]
    recorded, bad = {}, []
    print(f"{'program':<20} {'requests':>8}  messages  structure  output")
    for name in chosen:
        theirs, mine = run(name, (python,)), run(name, TELIC)
        recorded[name] = theirs.as_json()
        messages = sum(len(request["messages"]) for request in theirs.requests)
        same = theirs.requests == mine.requests
        printed = theirs.output == mine.output
        verdicts = ["same" if fine else "DIFFERS" for fine in (same, printed)]
        print(
            f"{name:<20} {len(theirs.requests):>8}  {messages:>8}  {verdicts[0]:<9}  {verdicts[1]}",
            flush=True,
        )
        if not (same and printed):
            bad.append(name)
            print("\n".join(_differences(theirs, mine)), flush=True)
    if arguments.save:
        RECORDED.write_text(
            json.dumps(recorded, indent=1, ensure_ascii=False, sort_keys=True) + "\n", "utf-8"
        )
    print(f"{len(chosen) - len(bad)} of {len(chosen)} programs send the same requests and say the same.")
    return 1 if bad else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dspy_programs", description=__doc__)
    parser.add_argument("--only", default="", metavar="WORD", help="only programs whose name has WORD")
    parser.add_argument("--dspy-python", metavar="PATH", help="an interpreter that has DSPy already")
    parser.add_argument("--save", action="store_true", help="write DSPy's structures for the tests")
    return parser.parse_args()


def _differences(theirs: Run, mine: Run) -> list[str]:
    sides = [json.dumps(side.as_json(), indent=1, ensure_ascii=False).splitlines() for side in (theirs, mine)]
    return list(difflib.unified_diff(*sides, "DSPy", "telic", lineterm="", n=4))


if __name__ == "__main__":
    sys.exit(main())
