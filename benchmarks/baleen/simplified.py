"""The simplified form on a small model in this process: as declared, and compiled within 100 calls.

`python -m benchmarks.baleen.simplified`. The paragraphs are those of the contexts of the questions used: a
slice of the collection. Every search gives two paragraphs, and a question has two of gold.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import telic
from benchmarks import page
from benchmarks.framework.report import machine
from telic import datasets
from telic.evaluate import answer_exact_match
from telic.evaluate.pairing import paired
from telic.evaluate.statistics import mean_interval
from telic.retrieval import BM25, Passage
from telic.systems.baleen import SimplifiedBaleen

MODEL = "local/smollm2-135m"
TRAIN, VALIDATION, TEST = 6, 8, 15
CALLS = 100


def main() -> int:
    """Compile, compare on the test questions, print and write down."""
    load = os.getloadavg()[0]
    train = datasets.load("hotpotqa", "train", TRAIN + VALIDATION, seed=0)
    test = datasets.load("hotpotqa", "test", TEST, seed=0)
    retriever = BM25(paragraphs([*train, *test]))
    with tempfile.TemporaryDirectory() as folder, telic.context(store=Path(folder) / "store.db", lm=model()):
        program = SimplifiedBaleen(passages_per_hop=2, retriever=retriever, predictor=telic.Predict)
        began = time.monotonic()
        optimizer = telic.BootstrapFewShotWithRandomSearch(
            metric=metric, max_bootstrapped_demos=1, max_labeled_demos=2, num_candidate_programs=2
        )
        with telic.budget(calls=CALLS) as budget:
            compiled = optimizer.compile(program, trainset=train[:TRAIN], valset=train[TRAIN:])
        row = {"calls": budget.spent.calls, "s": time.monotonic() - began, "n": TEST}
        row["declared"], row["compiled"] = (scored(way, test) for way in (program, compiled))
    _save(row, machine(load), len(retriever))
    return 0


def model() -> Any:
    """The embedded model."""
    return telic.LM(MODEL, temperature=0.0, max_tokens=40)


def paragraphs(examples: Sequence[Any]) -> list[Passage]:
    """The paragraphs of the questions' contexts."""
    wanted = {title for example in examples for title in example.context_titles}
    return [
        Passage(row["title"], f"{row['title']} | {row['text']}")
        for row in datasets.load_corpus("hotpotqa")
        if row["title"] in wanted
    ]


def gold_found(example: Any, prediction: Any) -> float:
    """The share of the gold paragraphs that are in the context."""
    titles = {text.partition(" | ")[0] for text in prediction.context}
    return sum(title in titles for title in example.gold_titles) / len(example.gold_titles)


def metric(example: Any, prediction: Any, trace: Any = None) -> float | bool:
    """Half for the paragraphs, half for the answer; a demonstration has found all."""
    if trace is not None:
        return gold_found(example, prediction) == 1.0
    return 0.5 * gold_found(example, prediction) + 0.5 * answer_exact_match(example, prediction)


def scored(program: Any, examples: Sequence[Any]) -> dict[str, list[float]]:
    """For each question: the share of gold paragraphs found, all of them found, answer right."""
    scores: dict[str, list[float]] = {"share": [], "all": [], "answer": []}
    for example in examples:
        prediction = program(question=example.question)
        share = gold_found(example, prediction)
        scores["share"].append(share)
        scores["all"].append(float(share == 1.0))
        scores["answer"].append(float(answer_exact_match(example, prediction)))
    return scores


def _save(row: dict[str, Any], where: str, paragraphs: int) -> None:
    when = page.today()
    page.record("baleen_simplified", {"date": when, "machine": where, "paragraphs": paragraphs, **row})
    titles = {"share": "gold paragraphs found", "all": "both found", "answer": "answer right"}
    lines = [[title, *_cells(row["declared"][name], row["compiled"][name])] for name, title in titles.items()]
    table = page.table([f"of {TEST} test questions", "as declared", "compiled", "gain"], lines)
    spent = f"compiled with {row['calls']} calls in {row['s']:.0f} s"
    said = f"{paragraphs} paragraphs; {spent} on {where}, {when}."
    print(table, said, sep="\n")
    page.show("baleen simplified table", f"{said}\n\n{table}")


def _cells(before: list[float], after: list[float]) -> list[str]:
    gain = paired(before, after)
    shown = [
        f"{100 * sum(scores) / len(scores):.0f} % ({page.interval(mean_interval(scores).percent())})"
        for scores in (before, after)
    ]
    return [*shown, f"{gain.difference:+.0f} (p = {gain.p:.2g})"]


if __name__ == "__main__":
    sys.exit(main())
