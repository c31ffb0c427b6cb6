"""Spreading compiled work over threads, where there is enough of it.

One pool serves the process. Kernels of `numba.prange` would be spread by numba itself, but two threads of a
program that both search would then abort the process where its simplest thread layer is all there is.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

_WORTH = 8_000_000
"""Multiplications that are worth a second thread: about a tenth of a millisecond, ten times what a hand-over
costs.
"""
_CHUNKS = 4
"""Pieces for each thread, so that one that gets slow pieces does not keep the others waiting."""
_MOST = 16

_lock = threading.Lock()
_pool: ThreadPoolExecutor | None = None


def workers() -> int:
    """How many threads this process may use for one search: its processors, at most 16."""
    affinity = getattr(os, "sched_getaffinity", None)
    return min(_MOST, len(affinity(0)) if affinity else os.cpu_count() or 1)


def over_chunks(count: int, work: int, part: Callable[[int, int], None]) -> None:
    """Call `part(first, end)` for pieces of `range(count)`, on several threads if `work` is worth it.

    Args:
        count: how many items.
        work: multiplications altogether.
        part: must release the interpreter for most of its time.
    """
    threads = min(workers(), max(1, work // _WORTH), count)
    if threads <= 1 or threading.current_thread().name.startswith(_NAME):
        if count:
            part(0, count)
        return
    pieces = min(count, threads * _CHUNKS)
    edges = [count * piece // pieces for piece in range(pieces + 1)]
    futures = [_threads().submit(part, edges[piece], edges[piece + 1]) for piece in range(pieces)]
    for future in futures:
        future.result()


def each(items: int, work: Callable[[int], None]) -> None:
    """Call `work(item)` for each of `range(items)`, several at once; what they call stays on their thread."""
    if items <= 1 or workers() == 1:
        for item in range(items):
            work(item)
        return
    for future in [_threads().submit(work, item) for item in range(items)]:
        future.result()


_NAME = "telic-late-interaction"


def _threads() -> ThreadPoolExecutor:
    global _pool
    with _lock:
        if _pool is None:
            _pool = ThreadPoolExecutor(workers(), thread_name_prefix=_NAME)
        return _pool


def _forget() -> None:
    """A forked process has none of its parent's threads."""
    global _pool, _lock
    _pool, _lock = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
