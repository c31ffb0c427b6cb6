"""`make bench-baleen`, or `python -m benchmarks.baleen`: are the paragraphs found that a question needs?

HotPotQA's questions need two paragraphs of 13,337, HoVer's claims up to four. A question counts if all of its
paragraphs are among the ten passages given, and (again) if all of them are behind the six facts kept.
Everything is chosen on the dev split, and reported on the test split. No part is trained.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import page
from benchmarks.baleen.collection import Collection, claims, collection, questions
from benchmarks.baleen.remembered import Remembered
from benchmarks.baleen.ways import Found, Way, ways
from benchmarks.framework.report import machine
from telic.evaluate.pairing import paired
from telic.evaluate.statistics import mean_interval
from telic.retrieval.late_interaction.encoder.encoder import Encoder
from telic.systems.baleen import GoldQuestion

COMMAND = "make bench-baleen"
AGAINST = "hybrid"
HEAD = ["questions", "way", "all in 10 passages", "95 %", f"to {AGAINST}", "all behind 6 facts", "95 %", "s"]


def main() -> int:
    """Run, print the table, write it down unless only a part was run."""
    arguments = _arguments()
    load = os.getloadavg()[0]
    encoder = Remembered(Encoder.load(arguments.encoder))
    of = collection(arguments.folder, encoder)
    rows = [
        row
        for title, asked, hops in _sets(of, arguments)
        for row in _measured(title, asked, ways(of, hops), arguments.only)
    ]
    if not (arguments.only or arguments.limit or arguments.split):
        _save(rows, machine(load))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.baleen", description=__doc__)
    parser.add_argument(
        "--folder", type=Path, default=Path(".telic/bench-baleen"), help="where the index is kept"
    )
    parser.add_argument("--encoder", default="minilm", metavar="NAME", help="a name or folder")
    parser.add_argument("--only", default="", metavar="WORD", help="only ways whose title has WORD")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N questions")
    parser.add_argument("--split", choices=["dev"], help="the split that things are chosen on")
    return parser.parse_args()


def _sets(of: Collection, arguments: argparse.Namespace) -> list[tuple[str, list[GoldQuestion], int]]:
    if arguments.split:
        return [("HotPotQA dev", questions("dev", arguments.limit), 2)]
    return [
        ("HotPotQA test", questions("test", arguments.limit), 2),
        ("HoVer", [claim for claim, _ in claims(of.passages, arguments.limit)], 3),
    ]


def _measured(
    title: str, asked: Sequence[GoldQuestion], tried: dict[str, Way], only: str
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for name, way in tried.items():
        if only in name or name == AGAINST:
            began = time.monotonic()
            found = [way(question.question) for question in asked]
            seconds = (time.monotonic() - began) / len(asked)
            rows.append({"set": title, "way": name, "n": len(asked), "s": seconds, **_scored(asked, found)})
            print(" | ".join(_cells(rows[-1], rows)), flush=True)
    against = next(row for row in rows if row["way"] == AGAINST)
    for row in rows:
        difference = paired(against["in_passages"], row["in_passages"])
        row["to_hybrid"] = [difference.difference, *difference.interval, difference.p]
    return rows


def _scored(asked: Sequence[GoldQuestion], found: Sequence[Found]) -> dict[str, Any]:
    gold = [{passage.id for passage in question.passages} for question in asked]
    in_passages = [float(g <= set(f.passages)) for g, f in zip(gold, found, strict=True)]
    in_facts = [float(g <= {fact.passage for fact in f.facts}) for g, f in zip(gold, found, strict=True)]
    return {"in_passages": in_passages, "in_facts": in_facts}


def _cells(row: dict[str, Any], rows: Sequence[dict[str, Any]]) -> list[str]:
    cells = [f"{row['set']} ({row['n']})", row["way"]]
    for name in ("in_passages", "in_facts"):
        mean = 100 * sum(row[name]) / len(row[name])
        cells += [f"{mean:.1f} %", page.interval(mean_interval(row[name]).percent())]
    against = next((other for other in rows if other["way"] == AGAINST), None)
    shown = "–"
    if against is not None and row is not against:
        difference = paired(against["in_passages"], row["in_passages"])
        shown = f"{difference.difference:+.1f} (p = {difference.p:.2g})"
    return [*cells[:4], shown, *cells[4:], f"{row['s']:.2f}"]


def _save(rows: Sequence[dict[str, Any]], where: str) -> None:
    when = page.today()
    page.record("baleen", {"date": when, "machine": where, "command": COMMAND, "rows": list(rows)})
    lines = [_cells(row, [other for other in rows if other["set"] == row["set"]]) for row in rows]
    page.show("baleen table", f"Measured {when} on {where} by `{COMMAND}`.\n\n{page.table(HEAD, lines)}")


if __name__ == "__main__":
    sys.exit(main())
