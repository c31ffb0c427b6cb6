"""The default interpreter: a Python written for untrusted code, which has nothing unless it is given it."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Mapping
from typing import Any

from telic.errors import CodeInterpreterError
from telic.sandbox.base import Interpreter, ToolCalls
from telic.sandbox.grants import Grants
from telic.sandbox.monty_session import MontySession
from telic.sandbox.printed import Printed


class PythonInterpreter(Interpreter):
    """Run code in Monty, an interpreter for untrusted Python (`pip install 'telic[sandbox]'`).

    It is no CPython with doors closed, but an interpreter of its own in a process of its own: the language
    has no way to reach files, network, environment or processes, other than the tools and what the arguments
    here grant. Time, memory and output are bounded; what goes over a limit is stopped, and the session goes
    on with the variables as they were before that step.

    It is a subset of Python: no generators with `yield`, no class inheritance, no properties, no `del`, a
    part of the standard library, no other packages. Code that needs all of Python runs in a
    `LocalInterpreter`.

    What it does not stop: a tool that does harm when asked to, and faults of Monty itself, which is kept
    from the caller's memory by its process and from nothing else.

    Args:
        deno_command: accepted for compatibility; there is no Deno here.
        enable_read_paths: files and folders that the code may read, at the paths that they have here; a file
            is also found under its name in `/sandbox`.
        enable_write_paths: files and folders that it may write too.
        enable_env_vars: names of environment variables that it may see.
        enable_network_access: refused; see Raises.
        sync_files: whether what is written reaches the disk; otherwise it lasts as long as the session (of a
            folder: as one execution).
        tools: see `Interpreter`.
        output_fields: see `Interpreter`.
        callbacks: see `Interpreter`.
        timeout: seconds of one execution; the time of tools does not count.
        max_memory: bytes of all variables together.
        max_output_chars: see `Interpreter`.

    Raises:
        CodeInterpreterError: network access is asked for, or a granted path does not exist.
    """

    execution_instructions = (
        "The code runs in a sandbox with a subset of Python 3. Variables, functions and imports last from "
        "one execution to the next. Not available: generators with yield, class inheritance, property, "
        "staticmethod and classmethod, the del statement, third-party packages, files, network, environment "
        "and processes. These modules can be imported: asyncio, base64, bisect, collections, copy, csv, "
        "dataclasses, datetime, decimal, functools, hashlib, itertools, json, math, pathlib, random, re, "
        "sys, time, tomllib, typing, unicodedata."
    )

    def __init__(
        self,
        deno_command: list[str] | None = None,
        enable_read_paths: list[os.PathLike[str] | str] | None = None,
        enable_write_paths: list[os.PathLike[str] | str] | None = None,
        enable_env_vars: list[str] | None = None,
        enable_network_access: list[str] | None = None,
        sync_files: bool = True,
        tools: Mapping[str, Callable[..., Any]] | None = None,
        output_fields: list[dict[str, Any]] | None = None,
        callbacks: list[Any] | None = None,
        *,
        timeout: float = 30.0,
        max_memory: int = 512 * 2**20,
        max_output_chars: int = 1_000_000,
    ) -> None:
        super().__init__(tools, output_fields, callbacks, max_output_chars=max_output_chars)
        if enable_network_access:
            raise CodeInterpreterError(
                "PythonInterpreter has no network. Give it a tool that fetches what the code needs, or run "
                "the code in all of Python with LocalInterpreter(network=True)."
            )
        self.timeout = timeout
        self._grants = Grants(enable_read_paths, enable_write_paths, enable_env_vars, sync_files, max_memory)
        self._session = MontySession(timeout, max_memory, self._grants)
        self._busy = threading.Lock()

    def _open(self) -> None:
        self._session.open()
        weakref.finalize(self, self._session.close)  # an interpreter that is forgotten is ended too

    def _run(self, code: str, variables: dict[str, Any]) -> Any:
        if not self._busy.acquire(blocking=False):
            raise CodeInterpreterError(
                "This interpreter is running code already. Give each thread an interpreter of its own."
            )
        try:
            calls, printed = ToolCalls(self), Printed(self.max_output_chars)
            value = self._session.run(code, variables, self._tools, calls, printed)
            if calls.answer is not None:
                return calls.answer
            return self._result(printed.text(), value)
        finally:
            self._busy.release()
            if self._ended:  # `shutdown` came from another thread, and left this to us
                self._session.close()

    def _close(self) -> None:
        if self._busy.acquire(blocking=False):
            try:
                self._session.close()
            finally:
                self._busy.release()
        else:
            self._session.kill()
