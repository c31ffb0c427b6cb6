"""The progress of a download, seen from the folder that fills: it is the same for every source."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

Progress: TypeAlias = bool | Callable[[int, int], None]
"""Show a bar, be silent, or tell a function `(bytes so far, bytes in all)`."""

_SECONDS = 0.1


@contextmanager
def watching(progress: Progress, folder: Path, total: int, title: str) -> Iterator[None]:
    """Report how much has arrived in `folder`, while the block runs.

    Args:
        progress: how to report.
        folder: what fills.
        total: bytes expected.
        title: shown beside the bar.
    """
    if progress is False:
        yield
        return
    if progress is True:
        with _bar(total, title) as told, _watch(told, folder, total):
            yield
        return
    with _watch(progress, folder, total):
        yield


@contextmanager
def _bar(total: int, title: str) -> Iterator[Callable[[int, int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress as Bars, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(title, total=total)
        yield lambda done, _: bars.update(task, completed=done)


@contextmanager
def _watch(told: Callable[[int, int], None], folder: Path, total: int) -> Iterator[None]:
    done = threading.Event()

    def look() -> None:
        most = 0
        while not done.wait(_SECONDS):
            most = max(most, min(_bytes(folder), total))
            told(most, total)

    thread = threading.Thread(target=look, name="telic-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
    told(total, total)


def _bytes(folder: Path) -> int:
    """Bytes in the largest branch of the folder: a download and what is unpacked from it do not add up."""
    sizes = []
    for child in folder.iterdir():
        files = child.rglob("*") if child.is_dir() else (child,)
        sizes.append(sum(_size(file) for file in files))
    return max(sizes, default=0)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size if file.is_file() else 0
    except OSError:  # moved away between the listing and the look
        return 0
