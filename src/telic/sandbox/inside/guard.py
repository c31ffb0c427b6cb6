"""A hurdle where the kernel has no walls to offer: an audit hook that refuses what code may not do.

Code that sets out to get around it can; it stops what a model does by mistake or by an easy trick.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import Any

_PROCESSES = (
    "subprocess.",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.spawn",
    "os.system",
    "pty.spawn",
    "os.kill",
)
_CHANGES = (
    "os.chmod", "os.chown", "os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink",
    "os.truncate", "os.utime", "os.setxattr", "os.removexattr", "shutil.",
)  # fmt: skip
_WAYS_OUT = ("ctypes.", "code.__new__")


def watch(readable: Iterable[str], writable: Iterable[str], *, network: bool, processes: bool) -> None:
    """Refuse from here on; see `confine.confine` for the arguments."""
    import ctypes  # noqa: F401 - loaded now, as it cannot be later

    may_write = tuple(os.path.realpath(path) for path in writable)
    may_read = (*(os.path.realpath(path) for path in readable), *may_write)
    refused = [*_WAYS_OUT, *(() if network else ("socket.",)), *(() if processes else _PROCESSES)]
    refused_events = tuple(refused)
    inside = _inside

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = (*args, None, None)[:3]
            writes = bool(isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
            if isinstance(path, (str, bytes)) and not inside(path, may_write if writes else may_read):
                raise PermissionError(f"the sandbox does not allow opening {os.fsdecode(path)!r}")
        elif event in ("os.listdir", "os.scandir"):
            if args and isinstance(args[0], (str, bytes)) and not inside(args[0], may_read):
                raise PermissionError(f"the sandbox does not allow listing {os.fsdecode(args[0])!r}")
        elif event.startswith(_CHANGES):
            if any(isinstance(a, (str, bytes)) and not inside(a, may_write) for a in args[:2]):
                raise PermissionError(f"the sandbox does not allow {event}")
        elif event.startswith(refused_events):
            raise PermissionError(f"the sandbox does not allow {event}")

    sys.addaudithook(hook)


def _inside(path: str | bytes, folders: tuple[str, ...]) -> bool:
    real = os.path.realpath(os.fsdecode(path))
    return any(real == folder or real.startswith(folder.rstrip("/") + "/") for folder in folders)
