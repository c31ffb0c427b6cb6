"""Everything by which a process gives up what it does not need, before it runs code that a model wrote."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterable
from typing import Any

_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/share/zoneinfo")
_FACTS = ("/etc/ld.so.cache", "/etc/localtime", "/dev/urandom", "/dev/random", "/dev/zero")
_RESOLVING = (
    "/etc/hosts",
    "/etc/resolv.conf",
    "/etc/nsswitch.conf",
    "/etc/services",
    "/etc/gai.conf",
    "/etc/ssl",
)
_PROCESSES = 256
_PROGRAMS = ("/bin", "/sbin", "/usr", "/opt")


def confine(config: dict[str, Any]) -> list[str]:
    """Set limits, and shut out files, network and processes, as far as the system can do so for any user.

    Args:
        config: `memory`, `cpu`, `file_size`, `files` (limits); `read_paths`, `write_paths`; `network`,
            `processes` (whether they are left alone).

    Returns:
        What is in force: `limits`, `files`, `calls`.
    """
    # All of it is imported now: later it could not be read.
    from telic.sandbox.inside import guard, landlock, seccomp

    done = ["limits"] if _limit(config) else []
    network, processes = bool(config["network"]), bool(config["processes"])
    readable = [*code_paths(), *_FACTS, *config["read_paths"], *(_RESOLVING if network else ())]
    writable = [os.getcwd(), "/dev/null", *config["write_paths"]]
    if landlock.confine_files(readable, writable, _PROGRAMS if processes else (), network=network):
        done.append("files")
    if seccomp.refuse_calls(network=network, processes=processes):
        done.append("calls")
    if not {"files", "calls"} <= set(done):
        if not processes:
            # It counts all processes and threads of the user, so that it is no use where calls are refused.
            _set("RLIMIT_NPROC", _PROCESSES)
        guard.watch(readable, writable, network=network, processes=processes)
        done.append("guard")
    return done


def code_paths() -> Iterable[str]:
    """Where Python, its packages and the system's libraries are."""
    ours = (sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib"))
    prefixes = (os.path.join(prefix, "lib") for prefix in {sys.base_prefix, sys.prefix})
    return [path for path in (*ours, *prefixes, *_LIBRARIES, *sys.path) if path]


def _limit(config: dict[str, Any]) -> bool:
    limits = {
        "RLIMIT_AS": config["memory"],
        "RLIMIT_CPU": config["cpu"],
        "RLIMIT_FSIZE": config["file_size"],
        "RLIMIT_NOFILE": config["files"],
        "RLIMIT_CORE": 0,
    }
    done = [_set(name, int(limit)) for name, limit in limits.items()]
    return all(done)


def _set(name: str, limit: int) -> bool:
    try:
        import resource
    except ImportError:  # not a Unix
        return False
    number = getattr(resource, name, None)
    if number is None:
        return False
    hard = resource.getrlimit(number)[1]
    value = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
    try:
        resource.setrlimit(number, (value, value))
    except (ValueError, OSError):
        return False  # macOS refuses some of them
    return True
