"""The loop of a `LocalInterpreter`'s process: read a message, run the code, answer.

Messages are JSON, one a line, over two pipes; standard output and error go a third way. Nothing here is safe
from the code that runs beside it in the same process, and nothing has to be: whoever sent the code believes
no answer further than it could write it down itself.
"""

from __future__ import annotations

import ast
import builtins
import json
import linecache
import os
import signal
import sys
import threading
import time
import traceback
import types
from _thread import _count as thread_count, start_new_thread
from collections.abc import Callable
from typing import Any

from telic.runtime.attempt import attempt_anything

THREADS_LEFT = 3
"""The status this process ends with when threads of the code do not end."""
_MAX_TEXT = 5_000


class Submitted(BaseException):
    """Ends the code that submitted its answer."""


class Stopped(BaseException):
    """Ends code that ran for too long."""


class Channel:
    """The pipes to the host."""

    def __init__(self, incoming: int, outgoing: int) -> None:
        self._incoming = os.fdopen(incoming, "rb", buffering=1 << 16)
        self._outgoing = outgoing
        self._lock = threading.RLock()
        self._asked = 0

    def read(self) -> dict[str, Any]:
        """The next message; the end of the process where there is none to come."""
        line = self._incoming.readline()
        if not line.endswith(b"\n"):
            os._exit(0)
        message: dict[str, Any] = json.loads(line)
        return message

    def write(self, message: dict[str, Any]) -> None:
        """Send a message."""
        data = json.dumps(message).encode() + b"\n"
        with self._lock:
            while data:
                data = data[os.write(self._outgoing, data) :]

    def ask(self, message: dict[str, Any]) -> dict[str, Any]:
        """Send a message and wait for its answer; threads take turns."""
        with self._lock:
            self._asked += 1
            number = self._asked
            self.write({**message, "number": number})
            while True:  # an answer to code that was stopped meanwhile may come first
                answer = self.read()
                if answer.get("number") == number:
                    return answer


class Worker:
    """A session: one namespace, and the code that runs in it."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._module = types.ModuleType("__main__")
        self._names = self._module.__dict__
        self._names["__builtins__"] = builtins
        sys.modules["__main__"] = self._module
        self._threads = thread_count()
        self._step = 0
        self._running = False
        self._builtins = builtins.__dict__
        self._sound = dict(self._builtins)
        signal.signal(signal.SIGINT, self._stop)

    def serve(self) -> None:
        """Answer messages for ever."""
        while True:
            message = self._channel.read()
            if message["type"] == "execute":
                self._step += 1
                self._channel.write(self._answer(message))

    def _answer(self, message: dict[str, Any]) -> dict[str, Any]:
        for name in message["tools"]:
            self._names[name] = self._tool(name)
        for name, value in message["variables"].items():
            self._names[name] = decoded(value)
        value, problem = attempt_anything(lambda: self._watched(message["code"]))
        self._builtins.update(self._sound)  # first of all: without them nothing here works
        self._tidy()
        if problem is None:
            return {"type": "done", "value": value}
        if isinstance(problem, Submitted):
            return {"type": "submitted"}
        syntax = isinstance(problem, SyntaxError) and getattr(problem, "filename", "") == self._file
        return {"type": "error", "text": _shown(problem), "syntax": syntax}

    def _stop(self, number: int, frame: Any) -> None:
        if self._running:
            raise Stopped

    def _watched(self, code: str) -> Any:
        self._running = True
        try:
            return self._execute(code)
        finally:
            self._running = False

    @property
    def _file(self) -> str:
        return f"<step {self._step}>"

    def _execute(self, code: str) -> Any:
        """Run it; the value of its last line, in a form that JSON has."""
        linecache.cache[self._file] = (len(code), None, code.splitlines(True), self._file)
        try:
            tree = ast.parse(code, self._file)
        except (ValueError, MemoryError, RecursionError) as error:  # null bytes, or nested too deep
            raise SyntaxError(str(error) or "too deeply nested", (self._file, 1, 1, "")) from None
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, self._file, "exec"), self._names)
        if not isinstance(last, ast.Expr):
            return None
        return encoded(eval(compile(ast.Expression(last.value), self._file, "eval"), self._names))

    def _tidy(self) -> None:
        """Nothing of a step may run on beside the next one."""
        self._running = True
        try:
            while thread_count() > self._threads:
                time.sleep(0.005)
            self._running = False
        except Stopped:
            os._exit(THREADS_LEFT)
        for stream in (sys.stdout, sys.stderr):
            attempt_anything(stream.flush)

    def _tool(self, name: str) -> Callable[..., Any]:
        channel = self._channel

        def tool(*args: Any, **kwargs: Any) -> Any:
            answer = channel.ask(
                {"type": "call", "tool": name, "args": encoded(args), "kwargs": encoded(kwargs)}
            )
            if answer["type"] == "submitted":
                raise Submitted
            if answer["type"] == "failed":
                raise getattr(builtins, answer["kind"], RuntimeError)(answer["message"])
            return decoded(answer["value"])

        tool.__name__ = tool.__qualname__ = name
        return tool


def encoded(value: Any) -> Any:
    """`value` where JSON has it, and its text where not."""
    if value is None:
        return None
    try:
        json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        if isinstance(value, (list, tuple, set, frozenset)):
            return [encoded(part) for part in value]
        if isinstance(value, dict):
            return {str(key): encoded(part) for key, part in value.items()}
        return repr(value)
    return value


def decoded(value: dict[str, Any]) -> Any:
    """What the host sent: JSON, or a literal where JSON would lose something."""
    return value["json"] if "json" in value else ast.literal_eval(value["literal"])


def _shown(error: BaseException) -> str:
    """The error as the model is shown it: what, and in which line of its own code."""
    if isinstance(error, Stopped):
        return "stopped"
    text, _ = attempt_anything(lambda: "".join(traceback.format_exception_only(error)).strip())
    text = str(text or type(error).__name__)[:_MAX_TEXT]
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename.startswith("<step ")]
    if not frames or isinstance(error, SyntaxError):
        return text
    return f"{text} (line {frames[-1].lineno}: {(frames[-1].line or '')[:200]})"


def _end_with_the_host(lifeline: int, begun: threading.Event) -> None:
    begun.set()
    os.read(lifeline, 1)  # returns when the host is gone, and with it the other end
    os._exit(0)


def main(incoming: int, outgoing: int, lifeline: int) -> None:
    """Confine this process as the first message says, then serve."""
    channel = Channel(incoming, outgoing)
    config = channel.read()
    sys.path[:] = [path for path in sys.path if path != config["own_path"]]
    sys.path += [path for path in config["packages"] if path not in sys.path]
    from telic.sandbox.inside.confine import confine

    done = confine(config)
    begun = threading.Event()
    start_new_thread(_end_with_the_host, (lifeline, begun))
    begun.wait()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace", line_buffering=True)  # type: ignore[union-attr]
    for name in [name for name in sys.modules if name.partition(".")[0] == "telic"]:
        del sys.modules[name]
    channel.write({"type": "ready", "confined": done})
    Worker(channel).serve()
