"""Late interaction beside exact MaxSim, BM25, single vectors and fast-plaid.

Run: make bench-retrieval, or python -m benchmarks.retrieval [--sizes 5000] [--dim 384] [--systems …]

Passages are HotPotQA paragraphs, encoded by the small encoder that telic brings and kept in `.telic/`; sizes
beyond its 13,337 are filled up with copies whose token vectors are perturbed. Each system has a process of
its own; queries go to all of them in turn, ten at a time, so that a busy machine disturbs all alike. Times
are of searching alone: no system encodes the query. fast-plaid needs an environment of its own
(`--plaid .venv-bench/bin/python`, with fast-plaid and numpy); without it, its row says so.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import page
from benchmarks.framework.report import machine
from benchmarks.framework.sides import ROOT
from benchmarks.retrieval.bandwidth import rates
from benchmarks.retrieval.vectors import Stored, prepare
from benchmarks.retrieval.worker import SIDES

EXACT = "exact MaxSim (torch)"
NEEDS = {EXACT: "torch", "bm25s": "bm25s", "faiss, one vector": "faiss"}
BLOCK = 10
K = 10
ENCODED = 13_337
EXACT_SIZE = 15_000
"""Up to so many passages all products are done; beyond, the finest index with nothing left out stands for
them.
"""


class Worker:
    """A system's process."""

    def __init__(self, system: str, python: str, folder: Path, size: int, dim: int, scratch: Path) -> None:
        command = [python, "-m", "benchmarks.retrieval.worker", system, str(folder), str(size), str(dim)]
        self._process = subprocess.Popen(
            [*command, str(scratch)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.built: dict[str, Any] = self._read()

    def ask(self, queries: list[int]) -> list[dict[str, Any]]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"queries": queries, "k": K}) + "\n")
        self._process.stdin.flush()
        answers: list[dict[str, Any]] = self._read()
        return answers

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)

    def _read(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("a worker ended before it answered (its errors are above)")
        return json.loads(line)


def lacking(system: str, plaid: str | None, size: int) -> str | None:
    """Why a system cannot be measured here."""
    if system == "fast-plaid" and plaid is None:
        return "no environment with fast-plaid (--plaid)"
    if system == "bm25s" and size > ENCODED:
        return "copies have no text"
    if system == EXACT and size > EXACT_SIZE:
        return "its vectors do not fit"
    module = NEEDS.get(system)
    if module is not None and importlib.util.find_spec(module) is None:
        return f"{module} is not installed"
    return None


def measured(size: int, options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """All systems at one size."""
    skipped = {s: why for s in options.systems if (why := lacking(s, options.plaid, size)) is not None}
    answers: dict[str, list[dict[str, Any]]] = {}
    built: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory(dir=options.scratch) as scratch:
        workers = {}
        for system in options.systems:
            if system not in skipped:
                python = options.plaid if system == "fast-plaid" else sys.executable
                workers[system] = Worker(system, python, folder, size, options.dim, Path(scratch))
                built[system] = workers[system].built
                answers[system] = []
                print(f"{size}: {system} built: {built[system]}", flush=True)
        for first in range(0, options.queries, BLOCK):
            block = list(range(first, min(first + BLOCK, options.queries)))
            for system, worker in workers.items():
                answers[system] += worker.ask(block)
        for worker in workers.values():
            worker.close()
    reference = EXACT if EXACT in answers else "telic, 4 bits, rescored at 8"
    best = [set(answer["found"]) for answer in answers.get(reference, [])]
    return {
        "size": size,
        "skipped": skipped,
        "reference": reference,
        "systems": {name: summary(given, built[name], best) for name, given in answers.items()},
    }


def summary(answers: list[dict[str, Any]], built: dict[str, Any], best: list[set[int]]) -> dict[str, Any]:
    """What a system's answers come to."""
    walls = np.array([answer["wall"] for answer in answers]) * 1e3
    found = [len(set(answer["found"]) & true) / K for answer, true in zip(answers, best, strict=False)]
    return {
        "cpu_ms": float(np.mean([answer["cpu"] for answer in answers]) * 1e3),
        "p50_ms": float(np.percentile(walls, 50)),
        "p95_ms": float(np.percentile(walls, 95)),
        "recall": float(np.mean(found)) if found else None,
        "build_cpu_s": built["cpu"],
        "build_s": built["wall"],
        "peak_mb": built["peak_mb"],
        "bytes_a_token": built.get("bytes_per_token"),
        "centroids": built.get("centroids"),
    }


def shown(found: dict[str, Any]) -> str:
    """The table, and what stands above it."""
    lines = []
    for run in found["runs"]:
        for name, row in run["systems"].items():
            ours = "" if row["bytes_a_token"] is None else f"{row['bytes_a_token']:.1f}"
            recall = "" if row["recall"] is None else f"{row['recall']:.3f}"
            times = [f"{row[part]:.1f}" for part in ("cpu_ms", "p50_ms", "p95_ms")]
            costs = [f"{row['build_cpu_s']:.1f}", f"{row['peak_mb']:.0f}"]
            lines.append([f"{run['size']:,}", name, *times, recall, ours, *costs])
        for name, why in run["skipped"].items():
            lines.append([f"{run['size']:,}", name, f"not measured: {why}", *[""] * 6])
    head = ["passages", "system", "CPU ms a query", "p50 ms", "p95 ms", "recall@10", "bytes a token"]
    rate = found["kernel"]
    return (
        f"Measured {found['date']} on {found['machine']} by `make bench-retrieval`: HotPotQA paragraphs, "
        f"{found['dim']} numbers a token, {found['queries']} questions.\n\n"
        + page.table([*head, "build CPU s", "peak MB"], lines)
        + f"\n\nThe kernel scores {rate['kernel_gb_s']:.2f} GB of packed vectors a second on one thread, "
        f"{100 * rate['share']:.0f} % of the {rate['memory_gb_s']:.1f} GB/s at which memory is read, "
        f"with {rate['query_tokens']:.0f} query tokens: {rate['ns_a_token']:.0f} ns a passage token."
    )


def main() -> None:
    reading = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    reading.add_argument("--sizes", type=int, nargs="+", default=[5000])
    reading.add_argument("--dim", type=int, default=0, help="numbers a token; 0: as the encoder gives them")
    reading.add_argument("--queries", type=int, default=100)
    reading.add_argument("--systems", nargs="+", default=list(SIDES), choices=list(SIDES))
    reading.add_argument("--plaid", help="the interpreter of an environment with fast-plaid")
    reading.add_argument("--vectors", type=Path, default=ROOT / ".telic" / "bench-retrieval")
    reading.add_argument("--scratch", help="where indexes are built")
    reading.add_argument("--record", default="retrieval", help="name of the record; 'none' for no record")
    options = reading.parse_args()
    load = os.getloadavg()[0]
    encoding = prepare(options.vectors, min(max(options.sizes), ENCODED))
    given = Stored(options.vectors, min(options.sizes), options.dim or None)
    found: dict[str, Any] = {
        "date": page.today(),
        "machine": machine(load),
        "dim": given.dim,
        "queries": options.queries,
        "encoding": encoding,
        "kernel": rates(given, min(2500, *options.sizes, given.encoded)),
        "runs": [measured(size, options, options.vectors) for size in options.sizes],
    }
    print(shown(found))
    if options.record != "none":
        page.record(options.record, found)
        page.show("retrieval table", shown(found))


if __name__ == "__main__":
    main()
