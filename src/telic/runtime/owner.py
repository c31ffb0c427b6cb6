"""Who may change the settings of the process, where only the first may."""

from __future__ import annotations

import sys
import threading
import weakref
from typing import Any

from telic.errors import ConfigureError


class Owner:
    """The thread, and the task, that called first."""

    _thread: int | None = None
    _task: weakref.ref[Any] | None = None
    _had_task: bool = False

    def check(self) -> None:
        """Take note of the caller, if it is the first.

        Raises:
            ConfigureError: another thread or another task was first.
        """
        thread = threading.get_ident()
        if self._thread is None:
            self._thread = thread
        elif self._thread != thread:
            raise ConfigureError(
                "configure(...) may only be called from the thread that called it first. "
                "Use context(...) in other threads."
            )
        task = _running_task()
        if task is None or "IPython" in sys.modules:  # there, every cell is a task
            return
        if not self._had_task:
            self._task, self._had_task = weakref.ref(task), True
        elif self._task is None or self._task() is not task:
            raise ConfigureError(
                "configure(...) may only be called from the async task that called it first. "
                "Use context(...) in other tasks."
            )

    def forget(self) -> None:
        """Whoever comes next is the first."""
        self._thread, self._task, self._had_task = None, None, False


def _running_task() -> Any:
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return None
    try:
        return asyncio.current_task()
    except RuntimeError:  # no loop runs in this thread
        return None
