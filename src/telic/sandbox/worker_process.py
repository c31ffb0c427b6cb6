"""The process of a `LocalInterpreter` as its host sees it: pipes, patience, and an end for all of it."""

from __future__ import annotations

import codecs
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
import weakref
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from telic.errors import CodeInterpreterError
from telic.sandbox.folders import remove_folder
from telic.sandbox.printed import OutputFloodError, Printed

GRACE = 0.5
"""Seconds that code gets to end after it was told to, before its process is ended."""
MAX_MESSAGE = 16 * 2**20
"""Bytes of the longest message that is read from the process; parsed, it can take twenty times as much."""
START_SECONDS = 30.0

_BOOT = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from telic.sandbox.inside.worker import main; main(*map(int, sys.argv[2:]))"
)


class WorkerGoneError(Exception):
    """The process is no more, or was ended.

    Args:
        reason: `time`, `output`, `message` (it wrote nonsense) or `died`.
        status: how it ended, where it did so itself.
    """

    def __init__(self, reason: str, status: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status


class WorkerProcess:
    """A process that runs code, in a folder and a process group of its own.

    Args:
        config: its limits and permissions; see `inside.confine.confine`.
        env: its whole environment, but for what says where its folder is.

    Raises:
        CodeInterpreterError: it cannot be started.
    """

    def __init__(self, config: Mapping[str, Any], env: Mapping[str, str]) -> None:
        if os.name != "posix" or not sys.executable:
            raise CodeInterpreterError("LocalInterpreter needs a Unix system and an executable of Python.")
        self.folder = tempfile.mkdtemp(prefix="telic-code-")
        root = str(Path(__file__).resolve().parents[2])
        theirs_in, self._requests = os.pipe()
        self._replies, theirs_out = os.pipe()
        theirs_life, lifeline = os.pipe()
        theirs = (theirs_in, theirs_out, theirs_life)
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-X", "utf8", "-c", _BOOT, root, *map(str, theirs)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env={**_environment(self.folder), **env},
                pass_fds=theirs,
                start_new_session=True,
            )
        except OSError as error:
            for number in (self._requests, self._replies, lifeline):
                os.close(number)
            remove_folder(self.folder)
            raise CodeInterpreterError(
                f"The process of the interpreter cannot be started: {error}"
            ) from error
        finally:
            for number in theirs:
                os.close(number)
        stdout = self._process.stdout
        assert stdout is not None
        ours = (self._requests, self._replies, lifeline)
        self._end = weakref.finalize(self, _end, os.getpid(), self._process, ours, self.folder)
        self._reply = bytearray()
        self._searched = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._output = stdout.fileno()
        for number in (self._requests, self._replies, self._output):
            os.set_blocking(number, False)
        self.confined: list[str] = self._greeted({**config, "own_path": root})
        """What is in force in it."""

    def _greeted(self, config: Mapping[str, Any]) -> list[str]:
        printed = Printed(10_000)
        try:
            hello = self.exchange(config, START_SECONDS, printed)
            return [str(name) for name in hello["confined"]]
        except (WorkerGoneError, KeyError, TypeError) as error:
            self.end()
            said = printed.text().strip() or "it says nothing"
            raise CodeInterpreterError(
                f"The process of the interpreter did not start ({error}): {said}"
            ) from error

    def exchange(self, message: Mapping[str, Any], seconds: float, printed: Printed) -> dict[str, Any]:
        """Send a message and wait for the next one from there.

        Args:
            message: what to send.
            seconds: how long to wait; then it is told to stop, and ended where it does not.
            printed: takes what is printed meanwhile.

        Raises:
            WorkerGoneError: it died or was ended.
        """
        left = memoryview(json.dumps(message).encode() + b"\n")
        stop_at = time.monotonic() + seconds
        told = False
        with selectors.DefaultSelector() as selector:
            selector.register(self._output, selectors.EVENT_READ)
            selector.register(self._replies, selectors.EVENT_READ)
            selector.register(self._requests, selectors.EVENT_WRITE)
            while (line := self._line()) is None:
                now = time.monotonic()
                if now >= stop_at and not told:
                    told = True
                    self._process.send_signal(signal.SIGINT)
                if now >= stop_at + GRACE:
                    raise self._gone("time")
                wake_at = stop_at + GRACE if told else stop_at
                for key, _ in selector.select(wake_at - now):
                    if key.fd == self._requests:
                        left = self._sent(left)
                        if not left:
                            selector.unregister(self._requests)
                    elif not self._heard(key.fd, printed):
                        selector.unregister(key.fd)
        self._hear_out(printed)
        return self._parsed(line)

    def end(self) -> None:
        """End the process, from any thread; what waits for it learns so."""
        _kill(self._process)

    def close(self) -> None:
        """End the process and remove its folder."""
        self._end()

    def _sent(self, left: memoryview) -> memoryview:
        try:
            return left[os.write(self._requests, left) :]
        except BlockingIOError:
            return left
        except BrokenPipeError:
            raise self._gone("died") from None

    def _heard(self, number: int, printed: Printed) -> bool:
        """Read what there is; whether there may be more."""
        try:
            data = os.read(number, 1 << 16)
        except BlockingIOError:
            return True
        if number == self._replies:
            if not data:
                self._hear_out(printed)
                raise self._gone("died")
            self._reply += data
            if len(self._reply) > MAX_MESSAGE:
                raise self._gone("message")
            return True
        try:
            printed.add(self._decoder.decode(data, not data))
        except OutputFloodError:
            raise self._gone("output") from None
        return bool(data)

    def _hear_out(self, printed: Printed) -> None:
        """Take what was printed before the message: it is all in the pipe by now."""
        for _ in range(64):  # more than a pipe holds; a thread may be filling it again
            try:
                data = os.read(self._output, 1 << 16)
            except BlockingIOError:
                return
            if not data:
                return
            with suppress(OutputFloodError):
                printed.add(self._decoder.decode(data))

    def _line(self) -> bytes | None:
        end = self._reply.find(b"\n", self._searched)
        if end < 0:
            self._searched = len(self._reply)
            return None
        line = bytes(self._reply[:end])
        del self._reply[: end + 1]
        self._searched = 0
        return line

    def _parsed(self, line: bytes) -> dict[str, Any]:
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            message = None
        if not isinstance(message, dict):
            raise self._gone("message")
        return message

    def _gone(self, reason: str) -> WorkerGoneError:
        _kill(self._process)
        return WorkerGoneError(reason, self._process.returncode)


def _environment(folder: str) -> dict[str, str]:
    """No variable of this process, but for what the dynamic linker needs to find Python's own library."""
    made = {"HOME": folder, "TMPDIR": folder, "LANG": "C.UTF-8", "PATH": "/usr/local/bin:/usr/bin:/bin"}
    # Libraries that start a thread for each core would run into the limit on memory.
    made |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    for name in ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"):
        if name in os.environ:
            made[name] = os.environ[name]
    return made


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the whole group. It is not waited for before, so that its number cannot mean another group."""
    if process.returncode is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _end(owner: int, process: subprocess.Popen[bytes], pipes: tuple[int, ...], folder: str) -> None:
    if os.getpid() != owner:
        return  # a fork of the host comes to its end; the process is not its own
    _kill(process)
    if process.stdout is not None:
        process.stdout.close()
    for number in pipes:
        with suppress(OSError):
            os.close(number)
    remove_folder(folder)
