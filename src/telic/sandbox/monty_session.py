"""One session of Monty: a worker process with limits, and a copy of its state to go back to."""

from __future__ import annotations

import os
import re
import signal
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from telic._lazy import require
from telic.errors import CodeExecutionError, CodeInterpreterError, CodeSyntaxError
from telic.sandbox.base import ToolCalls
from telic.sandbox.grants import Grants
from telic.sandbox.portable import portable, require_bounded
from telic.sandbox.printed import Printed, explained, shortened

GRACE = 0.5
"""Seconds that the worker gets to stop by itself before its process is ended."""
MAX_COPY = 64 * 2**20
"""Bytes of state up to which a copy is kept to go back to. Copying takes some 7 ms a megabyte."""


class MontySession:
    """The state of one interpreter, in a process that is ended and replaced when it goes over a limit.

    Args:
        timeout: seconds of one run.
        max_memory: bytes of all its values.
        grants: what it may reach.
    """

    def __init__(self, timeout: float, max_memory: int, grants: Grants) -> None:
        self._timeout = timeout
        self._max_memory = max_memory
        self._grants = grants
        self._monty: Any = None
        self._pool: Any = None
        self._session: Any = None
        self._pid: int | None = None
        self._saved: bytes | None = None
        self._used = False
        self._copied = True
        self._killed = False
        self._owner = 0
        self._closing = threading.Lock()

    def open(self) -> None:
        """Start the worker.

        Raises:
            MissingExtraError: Monty is not installed.
        """
        self._monty = require("pydantic_monty", extra="sandbox", purpose="running code that a model wrote")
        pool = self._monty.Monty(
            min_processes=1,
            max_processes=1,
            request_timeout=self._timeout + 2 * GRACE,
            feed_duration_limit_grace=GRACE,
        )
        with self._translated():
            pool.__enter__()
        self._pool = pool
        self._owner = os.getpid()
        self._begin()

    def run(
        self,
        code: str,
        variables: Mapping[str, Any],
        tools: Iterable[str],
        calls: ToolCalls,
        printed: Printed,
    ) -> Any:
        """Run code to its end; the value of its last line.

        Raises:
            CodeExecutionError: it raised, or was stopped.
        """
        self._save()
        monty = self._monty
        self._used = True
        # The functions are called below; Monty only has to know that their names are those of functions.
        known = dict.fromkeys([*tools, "SUBMIT"], _unreachable)
        try:
            step = self._session.feed_start(
                code,
                inputs=dict(variables),
                external_lookup=known,
                print_callback=lambda stream, text: printed.add(text),
                mount=self._grants.mounts(monty),
                os=self._grants.handler(monty),
            )
            while not isinstance(step, monty.MontyComplete):
                if _is_call(monty, step) and step.function_name in known:
                    step = step.resume(_answered(step, calls))
                else:
                    step = step.resume_auto()
            return step.output
        except monty.MontyError as error:
            problem = self._explained(error, printed)
            if calls.answer is not None:
                return None
            raise problem from None
        except BaseException:
            self._renew()  # a tool let through what ends the run: what was fed half is of no use
            raise

    def kill(self) -> None:
        """End the worker at once, from another thread than the one that runs it."""
        self._killed = True
        if self._pid is not None:
            with suppress(ProcessLookupError):
                os.kill(self._pid, getattr(signal, "SIGKILL", signal.SIGTERM))

    def close(self) -> None:
        """End the worker."""
        with self._closing:
            pool, self._pool = self._pool, None
            if pool is not None and os.getpid() == self._owner:  # not in a fork of this process
                self._leave()
                pool.__exit__(None, None, None)
                self._grants.close()

    def _begin(self) -> None:
        limits = {
            "max_feed_duration_secs": self._timeout,
            "max_memory": self._max_memory,
            "max_suspensions": 10_000_000,  # `ToolCalls` counts, for each execution by itself
        }
        session = self._pool.checkout(limits=limits, os_policy={"sleep": "zero"})
        with self._translated():
            session.__enter__()
        self._session = session
        self._pid = session.worker_pid
        self._used = False

    def _save(self) -> None:
        """Keep a copy of the state, as long as that is cheap."""
        if self._used and self._copied:
            self._saved = self._session.dump()
            if len(self._saved) > MAX_COPY:
                self._saved, self._copied = None, False

    def _renew(self) -> bool:
        """A new session with the state of before the last run; whether there was a copy of it."""
        self._leave()
        self._begin()
        if self._saved is None:
            return False
        with self._translated():
            self._session.load_session(self._saved)
        self._used = True
        return True

    def _leave(self) -> None:
        session, self._session, self._pid = self._session, None, None
        if session is not None:
            with suppress(self._monty.MontyError):  # its worker may be dead, which is what we want of it
                session.__exit__(None, None, None)

    def _explained(self, error: Any, printed: Printed) -> CodeInterpreterError:
        """The error in words for the model; where a limit was passed, the state is put back."""
        monty = self._monty
        if self._killed:
            return CodeInterpreterError("The interpreter was shut down while it ran code.")
        if isinstance(error, monty.MontySyntaxError):
            return CodeSyntaxError(explained(error.display("type-msg") + _place(error), printed))
        if isinstance(error, monty.MontyConversionError):
            return CodeInterpreterError(f"A value cannot be given to the interpreter: {error}")
        passed = self._limit_passed(error, printed)
        if passed is None:
            text = _readable(error.display("type-msg")) + _place(error)
        else:
            first_step = not self._saved and self._copied
            restored = self._renew()
            lost = not (restored or first_step)
            text = passed + (
                " All variables are lost."
                if lost
                else " The variables are as they were before this execution."
            )
            problem = CodeExecutionError(explained(text, printed))
            problem.state_lost = lost
            return problem
        return CodeExecutionError(explained(text, printed))

    def _limit_passed(self, error: Any, printed: Printed) -> str | None:
        if isinstance(error, self._monty.MontyCrashedError):
            if error.timed_out or "timeout" in str(error) or "duration" in str(error):
                return f"TimeoutError: the code ran for more than {self._timeout:g} s and was stopped."
            return "RuntimeError: the interpreter broke down on this code."
        shown = error.display("type-msg")
        if shown.startswith("TimeoutError: feed time limit"):
            return f"TimeoutError: the code ran for more than {self._timeout:g} s and was stopped."
        if shown.startswith("MemoryError: memory limit"):
            size = self._max_memory / 2**20
            return f"MemoryError: the code needed more than {size:,.0f} MiB and was stopped."
        if printed.flooded:
            return f"RuntimeError: the code printed {printed.total:,} characters and was stopped."
        return None

    def _translated(self) -> Any:
        return _Translated(self._monty)


class _Translated:
    """Turns Monty's own failures into ours."""

    def __init__(self, monty: Any) -> None:
        self._monty = monty

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if isinstance(error, (self._monty.MontyError, OSError, TimeoutError)):
            raise CodeInterpreterError(f"The interpreter could not be started: {error}") from error


def _unreachable(*args: Any, **kwargs: Any) -> None:
    raise CodeInterpreterError("a tool was called past its counter")


def _is_call(monty: Any, step: Any) -> bool:
    return isinstance(step, monty.FunctionSnapshot) and not step.is_os_function and step.object_id is None


def _answered(step: Any, calls: ToolCalls) -> dict[str, Any]:
    """Call the tool that the code waits for; what it is told."""
    try:
        require_bounded([step.args, step.kwargs])
    except ValueError as error:
        return {"exc_type": "ValueError", "message": str(error)}
    value, failure = calls.call(step.function_name, step.args, step.kwargs)
    if failure is not None:
        return {"exc_type": failure.kind, "message": failure.message}
    if calls.answer is not None:
        return {"exc_type": "SystemExit", "message": "submitted"}
    try:
        return {"return_value": portable(value)}
    except TypeError:
        return {"return_value": str(value)}


def _readable(text: str) -> str:
    """Monty speaks of itself in the errors of what it does not know."""
    return re.sub(r"The monty syntax parser does not yet support", "this interpreter does not support", text)


def _place(error: Any) -> str:
    frames = error.traceback()
    if not frames:
        return ""
    line = (frames[-1].source_line or "").strip()
    return f" (line {frames[-1].line}: {shortened(line, 200)})" if line else f" (line {frames[-1].line})"
