"""One system in a process of its own: builds its index, then answers queries, over a pipe of JSON lines.

Run by the interpreter that has the system's libraries; imports telic only where telic is measured.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.retrieval.vectors import Stored

Search = Callable[[int, int], list[int]]
"""A query's number and how many are wanted, to passages, best first."""


def telic_side(given: Stored, size: int, scratch: Path, bits: int, rescore_bits: int | None) -> Search:
    from telic.retrieval.late_interaction.retriever import LateInteraction

    path = scratch / f"telic-{bits}-{rescore_bits}"
    built = LateInteraction.build(
        (str(number) for number in range(size)),
        encoder=given, path=path, bits=bits, rescore_bits=rescore_bits,
    )  # fmt: skip
    NOTED.update(built.stats())
    opened = LateInteraction.open(path, given)
    return lambda query, k: [int(passage.id) for passage in opened.search(str(query), k)]


def torch_side(given: Stored, size: int, scratch: Path) -> Search:
    """Every product, in float32: what all others are compared with."""
    import torch

    parts = [given.passage(number) for number in range(size)]
    rows = torch.from_numpy(np.concatenate(parts))
    passage_of = torch.repeat_interleave(torch.arange(size), torch.tensor([len(part) for part in parts]))

    def search(query: int, k: int) -> list[int]:
        products = rows @ torch.from_numpy(given.encode_queries([str(query)])[0]).T
        best = torch.full((size, products.shape[1]), -torch.inf)
        best.index_reduce_(0, passage_of, products, "amax")
        return torch.topk(best.sum(dim=1), k).indices.tolist()

    return search


def bm25s_side(given: Stored, size: int, scratch: Path) -> Search:
    import bm25s

    from benchmarks.retrieval.vectors import texts

    paragraphs, questions = texts(size)
    index = bm25s.BM25()
    index.index(bm25s.tokenize(paragraphs, show_progress=False), show_progress=False)

    def search(query: int, k: int) -> list[int]:
        asked = bm25s.tokenize([questions[query]], show_progress=False)
        found, _ = index.retrieve(asked, k=k, show_progress=False, n_threads=1)
        return [int(number) for number in found[0]]

    return search


def faiss_side(given: Stored, size: int, scratch: Path) -> Search:
    """One vector a passage, the mean of its tokens, all compared."""
    import faiss

    means = np.stack([given.passage(number).mean(axis=0) for number in range(size)])
    faiss.normalize_L2(means)
    index = faiss.IndexFlatIP(given.dim)
    index.add(means)

    def search(query: int, k: int) -> list[int]:
        mean = given.encode_queries([str(query)])[0].mean(axis=0, keepdims=True)
        return [int(number) for number in index.search(mean, k)[1][0]]

    return search


def plaid_side(given: Stored, size: int, scratch: Path) -> Search:
    import torch
    from fast_plaid import search as plaid

    index = plaid.FastPlaid(index=str(scratch / "plaid"), device="cpu")
    index.create(documents_embeddings=[torch.from_numpy(given.passage(number)) for number in range(size)])

    def search(query: int, k: int) -> list[int]:
        rows = torch.from_numpy(given.encode_queries([str(query)])[0]).unsqueeze(0)
        return [int(number) for number, _ in index.search(queries_embeddings=rows, top_k=k)[0]]

    return search


SIDES: dict[str, Callable[[Stored, int, Path], Search]] = {
    "telic, 4 bits": lambda given, size, scratch: telic_side(given, size, scratch, 4, None),
    "telic, 4 bits, rescored at 8": lambda given, size, scratch: telic_side(given, size, scratch, 4, 8),
    "telic, 2 bits": lambda given, size, scratch: telic_side(given, size, scratch, 2, None),
    "exact MaxSim (torch)": torch_side,
    "fast-plaid": plaid_side,
    "bm25s": bm25s_side,
    "faiss, one vector": faiss_side,
}
NOTED: dict[str, Any] = {}
"""What a system says of itself."""


def main() -> None:
    system, folder, size, dim, scratch = sys.argv[1:]
    given = Stored(Path(folder), int(size), int(dim) or None)
    cpu, wall = _cpu(), time.perf_counter()
    search = SIDES[system](given, int(size), Path(scratch))
    search(0, 10)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    built = {"cpu": _cpu() - cpu, "wall": time.perf_counter() - wall, "peak_mb": peak, **NOTED}
    print(json.dumps(built), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        answers = []
        for query in asked["queries"]:
            cpu, wall = _cpu(), time.perf_counter()
            found = search(query, asked["k"])
            answers.append({"wall": time.perf_counter() - wall, "cpu": _cpu() - cpu, "found": found})
        print(json.dumps(answers), flush=True)


def _cpu() -> float:
    """Seconds of this process and of those it waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


if __name__ == "__main__":
    main()
