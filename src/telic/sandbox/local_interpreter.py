"""All of CPython in a process of its own, for who chooses it."""

from __future__ import annotations

import os
import sysconfig
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from telic.errors import CodeExecutionError, CodeInterpreterError, CodeSyntaxError
from telic.sandbox.base import Interpreter, ToolCalls
from telic.sandbox.inside.worker import THREADS_LEFT
from telic.sandbox.portable import portable
from telic.sandbox.printed import Printed, explained
from telic.sandbox.worker_process import WorkerGoneError, WorkerProcess


class LocalInterpreter(Interpreter):
    """Run code in CPython, with the installed packages, in a process with limits.

    Choose it where code needs what `PythonInterpreter` lacks. It is CPython, which was not made for hostile
    code; what keeps the code in is the operating system.

    On every Unix: an empty environment, no open files of this process, a new folder as home and working
    directory, removed in the end; limits on processor time, memory, file size and open files; a time limit,
    after which the code is told to stop and, where it does not, its process group is killed.

    On Linux (x86-64, ARM64) besides, without privileges: files outside its folder, Python's own code and the
    system's libraries cannot be opened (Landlock); sockets, new processes, signals to others and changes of
    permissions are refused by the kernel (seccomp). `confined` says what is in force.

    Elsewhere an audit hook refuses the same: code that sets out to get around it can. Do not run hostile
    code there.

    What it does not stop, anywhere: reading Python's code and packages, asking whether a path exists and how
    large it is, filling the disk with many files in its own folder while it runs, making noise on the
    processor and its caches, faults of the kernel, and a tool that does harm when asked to.

    Args:
        tools: see `Interpreter`.
        output_fields: see `Interpreter`.
        execution_timeout: seconds of one execution; the time of tools does not count.
        callbacks: see `Interpreter`.
        max_memory: bytes of address space.
        max_file_size: bytes of a file that it writes.
        max_cpu: seconds of processor time of the whole session.
        max_output_chars: see `Interpreter`.
        read_paths: files and folders that it may read besides.
        write_paths: files and folders that it may read and write besides.
        env: its environment.
        network: allow sockets.
        processes: allow other programs to be started; they have the same limits.
    """

    execution_instructions = (
        "The code runs in CPython, in a process of its own. Variables, functions and imports last from one "
        "execution to the next. The standard library and the installed packages can be imported. There are "
        "no files but those in the working directory, and, unless you were told otherwise, no network and no "
        "other processes. Threads must end before the execution does."
    )

    def __init__(
        self,
        tools: Mapping[str, Callable[..., Any]] | None = None,
        output_fields: list[dict[str, Any]] | None = None,
        *,
        execution_timeout: float | None = 30.0,
        callbacks: list[Any] | None = None,
        max_memory: int = 1024 * 2**20,
        max_file_size: int = 64 * 2**20,
        max_cpu: float = 600.0,
        max_output_chars: int = 1_000_000,
        read_paths: Sequence[os.PathLike[str] | str] = (),
        write_paths: Sequence[os.PathLike[str] | str] = (),
        env: Mapping[str, str] | None = None,
        network: bool = False,
        processes: bool = False,
    ) -> None:
        super().__init__(tools, output_fields, callbacks, max_output_chars=max_output_chars)
        self.timeout = max_cpu if execution_timeout is None else execution_timeout
        self._env = dict(env or {})
        self._config = {
            "memory": max_memory,
            "file_size": max_file_size,
            "cpu": max(int(max_cpu), 1),
            "files": 256,
            "read_paths": [os.path.abspath(path) for path in read_paths],
            "write_paths": [os.path.abspath(path) for path in write_paths],
            "packages": sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}),
            "network": network,
            "processes": processes,
        }
        self._process: WorkerProcess | None = None
        self._busy = threading.Lock()

    @property
    def confined(self) -> tuple[str, ...]:
        """What is in force: `limits`, `files` (Landlock), `calls` (seccomp), `guard` (the audit hook)."""
        return tuple(self._process.confined) if self._process else ()

    def _open(self) -> None:
        self._process = WorkerProcess(self._config, self._env)

    def _run(self, code: str, variables: dict[str, Any]) -> Any:
        if not self._busy.acquire(blocking=False):
            raise CodeInterpreterError(
                "This interpreter is running code already. Give each thread an interpreter of its own."
            )
        finished = False
        try:
            if self._process is None:
                self._open()
            result = self._executed(code, variables)
            finished = True
            return result
        except CodeExecutionError as error:
            finished = not error.state_lost
            raise
        finally:
            process = self._process
            if process is not None and (self._ended or not finished):
                process.close()
                self._process = None
            self._busy.release()

    def _close(self) -> None:
        process = self._process
        if process is not None:
            process.end()
            if self._busy.acquire(blocking=False):  # otherwise who runs it closes it
                process.close()
                self._process = None
                self._busy.release()

    def _executed(self, code: str, variables: dict[str, Any]) -> Any:
        calls, printed = ToolCalls(self), Printed(self.max_output_chars)
        message: dict[str, Any] = {
            "type": "execute",
            "code": code,
            "tools": [*self._tools, "SUBMIT"],
            "variables": {name: _encoded(value) for name, value in variables.items()},
        }
        left = self.timeout
        try:
            while True:
                begun = time.monotonic()
                assert self._process is not None
                answer = self._process.exchange(message, left, printed)
                left = max(left - (time.monotonic() - begun), 0.01)
                if answer.get("type") != "call":
                    return self._concluded(answer, calls, printed)
                message = _answered(answer, calls)
        except WorkerGoneError as gone:
            if self._ended:
                raise CodeInterpreterError("The interpreter was shut down while it ran code.") from None
            if calls.answer is not None:
                self._open()
                return calls.answer
            raise _lost(self._explained(gone), printed) from None

    def _concluded(self, answer: dict[str, Any], calls: ToolCalls, printed: Printed) -> Any:
        if calls.answer is not None:
            return calls.answer
        if answer.get("type") == "done":
            return self._result(printed.text(), answer.get("value"))
        text = str(answer.get("text", ""))
        if answer.get("syntax"):
            raise CodeSyntaxError(explained(text, printed))
        if text == "stopped":
            text = f"TimeoutError: the code ran for more than {self.timeout:g} s and was stopped."
        raise CodeExecutionError(explained(text, printed))

    def _explained(self, gone: WorkerGoneError) -> str:
        if gone.reason == "time":
            return (
                f"TimeoutError: the code ran for more than {self.timeout:g} s and did not stop when told to."
            )
        if gone.reason == "output":
            return "RuntimeError: the code printed without end and was stopped."
        if gone.status == THREADS_LEFT:
            return "RuntimeError: threads of the code went on after its end and were stopped."
        if gone.status is not None and gone.status < 0:
            return f"RuntimeError: the interpreter was ended by signal {-gone.status} while it ran the code."
        return "RuntimeError: the code ended or damaged the interpreter."


def _answered(call: dict[str, Any], calls: ToolCalls) -> dict[str, Any]:
    """Call the tool that the code asks for; the message to answer with."""
    name, args, kwargs = call.get("tool"), call.get("args"), call.get("kwargs")
    number = call.get("number")
    if not isinstance(name, str) or not isinstance(args, list) or not isinstance(kwargs, dict):
        raise WorkerGoneError("message")
    value, failure = calls.call(name, args, kwargs)
    if failure is not None:
        return {"type": "failed", "number": number, "kind": failure.kind, "message": failure.message}
    if calls.answer is not None:
        return {"type": "submitted", "number": number}
    try:
        value = portable(value)
    except TypeError:
        value = str(value)
    return {"type": "value", "number": number, "value": _encoded(value)}


def _encoded(value: Any) -> dict[str, Any]:
    """A value for the process: as JSON, or as a literal where JSON would lose something."""
    return {"json": value} if _is_json(value) else {"literal": repr(value)}


def _is_json(value: Any) -> bool:
    if isinstance(value, list):
        return all(map(_is_json, value))
    if isinstance(value, dict):
        return all(isinstance(key, str) for key in value) and all(map(_is_json, value.values()))
    return isinstance(value, (str, int, float, type(None)))


def _lost(text: str, printed: Printed) -> CodeExecutionError:
    error = CodeExecutionError(explained(f"{text} All variables are lost.", printed))
    error.state_lost = True
    return error
