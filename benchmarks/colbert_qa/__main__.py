"""Does a retriever learn from its own rankings, and the reader with it?

Run: make bench-colbert-qa, or python -m benchmarks.colbert_qa; ARGS="--only squad_v2_sample" for one set.

MiniLM-L6 (22.7 million weights) begins as it is published; two rounds of relevance-guided supervision train
its three top layers on questions of which only the answers are known. An extractive reader of the same body
learns on what the last round retrieves, and reads the passages of every round. All is trained on this
processor. A run that was ended goes on where it was: it stands under the folder that --folder names.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import page
from benchmarks.colbert_qa import tasks
from benchmarks.framework.report import machine
from benchmarks.framework.sides import ROOT
from telic.retrieval.late_interaction.training import RetrievalSettings
from telic.systems.colbert_qa import ColBERTQAReport, ReaderSettings, Supervision, train_colbert_qa

COMMAND = "make bench-colbert-qa"
ROUNDS = 2
TRAINING = RetrievalSettings(
    batch_size=16, steps=40, learning_rate=2e-5, top_layers=3, passage_length=128, negatives=1, dropout=0.0,
    checkpoint_every=10,
)  # fmt: skip
READING = ReaderSettings(
    batch_size=8, steps=100, learning_rate=2e-4, piece=112, stride=64, wrong=1, checkpoint_every=20
)
SETS = ("squad_v2_sample", "hotpotqa")
SUPERVISION = Supervision(depth=30, positive_depth=10, positives=1, negatives=10)


def measure(task: tasks.Task, encoder: str, folder: Path) -> ColBERTQAReport:
    """All rounds of one set."""
    return train_colbert_qa(
        task.corpus, task.train, task.test, folder / task.name,
        encoder=encoder, rounds=ROUNDS, supervision=SUPERVISION, training=TRAINING,
        reading=READING, depths=(1, 5, 20), log=_say,
    )  # fmt: skip


def _say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)


def _row(task: tasks.Task, report: ColBERTQAReport) -> dict[str, Any]:
    told = report.to_json()
    for one in told["rounds"]:
        one.pop("accepted")
    compared = {
        measure: report.compare(measure).to_json()
        for measure in ("success@1", "success@5", "mrr", "exact", "f1")
    }
    sizes = {"passages": len(task.corpus), "train": len(task.train), "test": len(task.test)}
    return {"about": task.about, **sizes, **told, "first_against_last": compared}


def _show(found: dict[str, Any]) -> str:
    head = [
        "set",
        "round",
        "success@1",
        "success@5",
        "success@20",
        "exact match",
        "F1",
        "trained on",
        "minutes",
    ]
    lines = []
    for row in found["sets"].values():
        for one in row["rounds"]:
            scores = (one[name] for name in ("success@1", "success@5", "success@20", "exact", "f1"))
            about = f"{row['about']}; {row['test']} questions" if one["number"] == 0 else ""
            shown = [f"{s['percent']:.1f} % ({page.interval(s['interval'])})" for s in scores]
            lines.append(
                [
                    about,
                    str(one["number"]),
                    *shown,
                    str(one["supervised"] or "—"),
                    f"{one['seconds'] / 60:.1f}",
                ]
            )
    return page.table(head, lines)


def _told(found: dict[str, Any]) -> str:
    lines = []
    for name, row in found["sets"].items():
        for measure, one in row["first_against_last"].items():
            if measure in ("success@1", "success@5", "exact"):
                lines.append(
                    f"- {name}, {measure}, last round against 0: {one['difference']:+.1f} points "
                    f"({one['interval'][0]:+.1f} to {one['interval'][1]:+.1f}), p = {one['p']:.3f}."
                )
        lines.append(f"- {name}: {row['seconds'] / 60:.0f} minutes, the reader's training among them.")
    return "\n".join(lines)


def main() -> int:
    """Measure, write the table down."""
    # Read when PyTorch is loaded: threads that spin while they wait take the processor from other work.
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    parser = argparse.ArgumentParser(prog=COMMAND)
    parser.add_argument("--only", choices=SETS)
    parser.add_argument("--encoder", default="minilm")
    parser.add_argument("--folder", type=Path, default=ROOT / ".telic" / "bench-colbert-qa")
    arguments = parser.parse_args()
    load = os.getloadavg()[0]
    measured = {}
    for task in (tasks.squad(800, 200), tasks.hotpotqa(200, 100)):
        if arguments.only in (None, task.name):
            report = measure(task, arguments.encoder, arguments.folder)
            print(report, flush=True)
            measured[task.name] = _row(task, report)
    file = page.RESULTS / "colbert_qa.json"
    known = json.loads(file.read_text(encoding="utf-8"))["sets"] if file.exists() else {}
    settings = {"supervision": asdict(SUPERVISION), "training": asdict(TRAINING), "reading": asdict(READING)}
    sets = {**known, **measured}
    found = {"date": page.today(), "machine": machine(load), "settings": settings, "sets": sets}
    page.record("colbert_qa", found)
    text = (
        f"Measured {found['date']} on {found['machine']} by `{COMMAND}`.\n\n{_show(found)}\n\n{_told(found)}"
    )
    page.show("colbert-qa table", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
