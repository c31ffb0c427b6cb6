"""A process that is killed at a chosen moment of writing an index, as `kill -9` does it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from telic.retrieval.late_interaction import files


class Hour:
    """Counts every step that touches the disk, and kills the process at one of them.

    A step is a write to a file (of which half gets through before death), a sync, a rename, a removal, a
    creation.

    Args:
        at: the step at which the process dies; 0 lets it live.
    """

    def __init__(self, at: int) -> None:
        self.at, self.steps = at, 0

    def step(self, before: Callable[[], object] = lambda: None) -> None:
        self.steps += 1
        if self.steps == self.at:
            before()
            os.kill(os.getpid(), signal.SIGKILL)

    def install(self) -> None:
        """Put itself into everything that an index writes through."""
        for module, name in ((os, "fsync"), (os, "replace"), (os, "unlink"), (os, "rename")):
            setattr(module, name, self._counted(getattr(module, name)))
        Path.replace = self._counted(Path.replace)  # type: ignore[method-assign]
        Path.unlink = self._counted(Path.unlink)  # type: ignore[method-assign]
        files.FolderFiles.create = self._counted(files.FolderFiles.create)  # type: ignore[method-assign]
        write = files._FileSink.write

        def torn(sink: Any, data: Any) -> None:
            raw = bytes(memoryview(data).cast("B"))

            def half() -> None:
                sink._file.write(raw[: len(raw) // 2])
                sink._file.flush()

            self.step(half)
            write(sink, data)

        files._FileSink.write = torn  # type: ignore[method-assign]

    def _counted(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            self.step()
            return real(*args, **kwargs)

        return counted


def steps_of(work: Callable[[], object]) -> int:
    """Do some work in a child, and say how many steps it took."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        _be_the_child(work, 0, writing)
    os.close(writing)
    with os.fdopen(reading) as told:
        steps = int(told.read() or -1)
    assert os.waitpid(child, 0)[1] == 0
    return steps


def killed_at(step: int, work: Callable[[], object]) -> None:
    """Do some work in a child that is killed at a step."""
    child = os.fork()
    if not child:
        _be_the_child(work, step, None)
    status = os.waitpid(child, 0)[1]
    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == signal.SIGKILL


def _be_the_child(work: Callable[[], object], at: int, telling: int | None) -> None:
    code = 1
    try:
        hour = Hour(at)
        hour.install()
        work()
        if telling is not None:
            os.write(telling, str(hour.steps).encode())
        code = 0
    finally:
        os._exit(code)


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked, to be killed quickly")
