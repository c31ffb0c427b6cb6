"""How fast the innermost kernel reads stored vectors, and how fast this machine reads memory."""

from __future__ import annotations

import time

import numpy as np

from benchmarks.retrieval.vectors import Stored


def rates(given: Stored, size: int, bits: int = 4) -> dict[str, float]:
    """On one thread: bytes of packed residuals scored, products done, and memory read, all a second."""
    from telic.retrieval.late_interaction import search, threads
    from telic.retrieval.late_interaction.retriever import LateInteraction

    threads.workers = lambda: 1
    index = LateInteraction.build((str(number) for number in range(size)), encoder=given, bits=bits)
    (segment,) = index._opened.segments
    query = search.Query(given.encode_queries(["0"])[0], segment.codec)
    everyone = np.arange(len(segment), dtype=np.uint32)
    seconds = _best(lambda: search.maxima(query, segment, everyone, finest=False))
    large = np.ones(40_000_000, np.float64)
    memory = large.nbytes / _best(lambda: large.sum())
    read = segment.residuals.nbytes / seconds
    products = segment.entry.tokens * query.scaled(segment.codec.residuals).size / seconds
    return {
        "kernel_gb_s": read / 1e9,
        "memory_gb_s": memory / 1e9,
        "share": read / memory,
        "products_a_second": products,
        "ns_a_token": seconds / segment.entry.tokens * 1e9,
        "query_tokens": query.count,
    }


def _best(work: object, times: int = 5) -> float:
    found = []
    for _ in range(times):
        start = time.perf_counter()
        work()  # type: ignore[operator]
        found.append(time.perf_counter() - start)
    return min(found)
