"""Access to files by allow-list, in force for this process and all that it starts; see landlock(7).

No privileges are needed. What it does not cover: looking up whether a path exists, and how large it is.
"""

from __future__ import annotations

import ctypes
import os
import platform
import stat
import struct
from collections.abc import Iterable

_CREATE, _ADD_RULE, _RESTRICT = 444, 445, 446
_PR_SET_NO_NEW_PRIVS = 38
_BENEATH = 1

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_REFER, _TRUNCATE, _IOCTL = 1 << 13, 1 << 14, 1 << 15
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL
_TCP = 0b11
_SCOPES = 0b11  # abstract Unix sockets, signals

READ = _READ_FILE | _READ_DIR
RUN = READ | _EXECUTE


def confine_files(
    readable: Iterable[str], writable: Iterable[str], runnable: Iterable[str] = (), *, network: bool = False
) -> bool:
    """Refuse access to all files but these; whether the system can.

    Args:
        readable: files, and folders with all that is in them; what does not exist is passed over.
        writable: likewise, to read, write, make and remove.
        runnable: likewise, to read and run.
        network: leave TCP alone.
    """
    if platform.system() != "Linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_CREATE, None, 0, 1)
    if version < 1:
        return False
    every = _rights(version)
    tcp = _TCP if version >= 4 and not network else 0
    attributes = struct.pack("QQQ", every, tcp, _SCOPES if version >= 6 else 0)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    rules = libc.syscall(_CREATE, ctypes.create_string_buffer(attributes, 24), size, 0)
    if rules < 0:
        return False
    try:
        for paths, rights in ((readable, READ), (writable, every), (runnable, RUN)):
            for path in paths:
                _allow(libc, rules, path, rights & every)
        if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
            return False
        return bool(libc.syscall(_RESTRICT, rules, 0) == 0)
    finally:
        os.close(rules)


def _rights(version: int) -> int:
    rights = (1 << 13) - 1
    if version >= 2:
        rights |= _REFER
    if version >= 3:
        rights |= _TRUNCATE
    if version >= 5:
        rights |= _IOCTL
    return rights


def _allow(libc: ctypes.CDLL, rules: int, path: str, rights: int) -> None:
    try:
        handle = os.open(path, getattr(os, "O_PATH", 0) | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(handle).st_mode):
            rights &= _OF_FILES
        rule = struct.pack("=Qi", rights, handle)
        libc.syscall(_ADD_RULE, rules, _BENEATH, ctypes.create_string_buffer(rule, len(rule)), 0)
    finally:
        os.close(handle)
