"""The models this process has in memory: one for each file and options, however many engines use it."""

from __future__ import annotations

import atexit
import os
import threading
from pathlib import Path

from telic.lm.embedded.options import Options
from telic.lm.embedded.runner import Runner

_Key = tuple[Path, Options]
_runners: dict[_Key, Runner] = {}
_users: dict[_Key, int] = {}
_lock = threading.Lock()
_over = False


def acquire(path: Path, options: Options, trained: int) -> Runner:
    """The runner of a file under some options, loaded at the first call; to be given back by `release`."""
    key = (path, options)
    with _lock:
        runner = _runners.get(key)
        if runner is None:
            runner = _runners[key] = Runner(path, options, trained)
        runner.check_process()
        _users[key] = _users.get(key, 0) + 1
        return runner


def release(path: Path, options: Options) -> None:
    """Give a runner back. With its last user it finishes what is queued, and is freed."""
    key = (path, options)
    with _lock:
        _users[key] = _users.get(key, 1) - 1
        runner = _runners.pop(key, None) if _users[key] <= 0 else None
    if runner is not None:
        runner.close()


def release_later(path: Path, options: Options) -> None:
    """`release`, for engines that nobody refers to any more.

    The garbage collector runs in any thread, in the midst of anything: also in the runner's own threads, and
    with the lock held. So another thread does it.
    """
    if not _over:
        threading.Thread(target=release, args=(path, options), name="telic-release", daemon=True).start()


@atexit.register
def _close_all() -> None:
    """Before the interpreter goes: a thread of llama.cpp that called into it then would end the process."""
    global _over
    _over = True
    runners = list(_runners.values())
    _runners.clear()
    for runner in runners:
        runner.close(stop=True)


def _forked() -> None:
    """In a forked child: llama.cpp's threads are not there, and freeing a model would wait for them."""
    global _lock
    _lock = threading.Lock()
    for runner in _runners.values():
        runner.adapted.native.leak()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
