"""What the interpreters have in common: tools, the answer, the life of a session, and who is told."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from telic.errors import CodeExecutionError, CodeInterpreterError, redact
from telic.runtime.attempt import attempt
from telic.runtime.events import active_callbacks, notify_around
from telic.sandbox.interpreter import FinalOutput, submitted
from telic.sandbox.portable import is_name, is_plain, portable_variables, written
from telic.sandbox.printed import shortened

if TYPE_CHECKING:
    from typing import Self

MAX_TOOL_CALLS = 10_000
"""Most tool calls of one `execute`: the clock stands still while a tool runs, so that loops over tools need a
limit of their own."""


class Interpreter:
    """Base of the interpreters that come with telic. Derive from it and define `_open`, `_run` and `_close`.

    Args:
        tools: functions of this process that the code can call, by name. They get plain Python data.
        output_fields: `{"name": …}` for each field of the answer, which `SUBMIT` then insists on.
        callbacks: told of startup, each execution, each tool call, and shutdown.
        max_output_chars: characters of output to keep of one `execute`; of more, the beginning and the end.
    """

    execution_instructions: ClassVar[str] = ""
    """Tells a model what runs its code."""

    def __init__(
        self,
        tools: Mapping[str, Callable[..., Any]] | None = None,
        output_fields: list[dict[str, Any]] | None = None,
        callbacks: list[Any] | None = None,
        *,
        max_output_chars: int = 1_000_000,
    ) -> None:
        self._tools = dict(tools or {})
        self.output_fields = output_fields
        self.callbacks = callbacks or []
        self.max_output_chars = max_output_chars
        self._started = False
        self._ended = False

    @property
    def tools(self) -> dict[str, Callable[..., Any]]:
        """The tools; change the dict to change them."""
        return self._tools

    def start(self) -> None:
        """Get ready to execute.

        Raises:
            CodeInterpreterError: it cannot, or the session was shut down.
            MissingExtraError: what it runs on is not installed.
        """
        if self._ended:
            raise CodeInterpreterError(
                f"This {type(self).__name__} was shut down, and its variables are gone. Make a new one."
            )
        if not self._started:
            with self._telling("interpreter_startup", {}):
                self._open()
            self._started = True

    def execute(self, code: str, variables: dict[str, Any] | None = None) -> Any:
        """Run `code` in the session; see `CodeInterpreter.execute`."""
        self.start()
        for name in self._tools:
            if not is_name(name) or name in ("SUBMIT", "print"):
                raise CodeInterpreterError(f"'{name}' cannot be the name of a tool.")
        bound = portable_variables(variables, self._tools)
        with self._telling("interpreter_execute", {"code": code, "variables": variables}) as done:
            result = self._run(code, bound)
            done(result)
        return result

    __call__ = execute

    def shutdown(self) -> None:
        """End the session, from any thread; what runs is ended too."""
        if not self._ended:
            self._ended = True
            if self._started:
                with self._telling("interpreter_shutdown", {}):
                    self._close()

    def __enter__(self) -> Self:
        """Start the session."""
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        """End the session."""
        self.shutdown()

    def invoke_tool(self, tool_name: str, args: Any = (), kwargs: Mapping[str, Any] | None = None) -> Any:
        """Call a tool as code would; what it raises goes through."""
        if isinstance(args, Mapping):
            args, kwargs = (), args
        inputs = {"tool_name": tool_name, "args": list(args), "kwargs": dict(kwargs or {})}
        with self._telling("interpreter_tool_call", inputs) as done:
            value = _called(self._tools[tool_name], tuple(args), dict(kwargs or {}))
            done(value)
        return value

    def _open(self) -> None:
        raise NotImplementedError

    def _run(self, code: str, variables: dict[str, Any]) -> Any:
        raise NotImplementedError

    def _close(self) -> None:
        raise NotImplementedError

    def _telling(self, kind: str, inputs: dict[str, Any]) -> Any:
        return notify_around(active_callbacks(self.callbacks), kind, self, inputs)

    def _result(self, printed: str, value: Any) -> Any:
        """What `execute` gives: as a console would show it, printed text and then the value of the last line.

        Raises:
            CodeExecutionError: the value is too large to be written out.
        """
        printed = printed.removesuffix("\n")
        if value is None:
            return printed or None
        try:
            text = written(value)
        except ValueError as error:
            raise CodeExecutionError(f"ValueError: {error}") from None
        if printed:
            return f"{printed}\n{shortened(text, self.max_output_chars)}"
        if len(text) > self.max_output_chars or not is_plain(value):
            return shortened(text, self.max_output_chars)
        return value


class ToolFailure(NamedTuple):
    """What code sees of a tool that failed: the name of a built-in exception, and its message."""

    kind: str
    message: str


_PASSED_ON = frozenset(
    error.__name__
    for error in (
        ArithmeticError,
        AssertionError,
        AttributeError,
        FileNotFoundError,
        IndexError,
        KeyError,
        LookupError,
        NameError,
        NotImplementedError,
        OSError,
        OverflowError,
        PermissionError,
        RuntimeError,
        TimeoutError,
        TypeError,
        ValueError,
        ZeroDivisionError,
    )
)
"""Exceptions that code may want to tell apart; others come as a `RuntimeError` with their name in it."""


class ToolCalls:
    """Calls of tools during one `execute`.

    Args:
        interpreter: whose tools they are.
    """

    def __init__(self, interpreter: Interpreter) -> None:
        self._interpreter = interpreter
        self._count = 0
        self.answer: FinalOutput | None = None
        """What was submitted."""

    def call(self, name: str, args: Any, kwargs: Mapping[str, Any]) -> tuple[Any, ToolFailure | None]:
        """The tool's value and `None`, or `None` and what went wrong, for the code that called it.

        `SUBMIT` is a tool too: where it succeeds, `answer` is set.
        """
        self._count += 1
        if self._count > MAX_TOOL_CALLS:
            message = f"there were more than {MAX_TOOL_CALLS:,} tool calls in one execution"
            return None, ToolFailure("RuntimeError", message)
        if name == "SUBMIT":
            value, error = attempt(submitted, tuple(args), kwargs, self._interpreter.output_fields)
            if error is None:
                self.answer = FinalOutput(value)
        else:
            value, error = attempt(self._interpreter.invoke_tool, name, args, kwargs)
        return value, None if error is None else _failure(error)


def _failure(error: Exception) -> ToolFailure:
    kind, message = type(error).__name__, redact(str(error))
    if kind in _PASSED_ON and type(error).__module__ == "builtins":
        return ToolFailure(kind, str(error.args[0]) if kind == "KeyError" and error.args else message)
    return ToolFailure("RuntimeError", f"{kind}: {message}")


def _called(tool: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    known = getattr(tool, "args", None)
    if args and isinstance(known, Mapping) and hasattr(tool, "func"):
        # A `Tool` takes keywords only; the code may call it by position, as its signature has it.
        if len(args) > len(known):
            raise TypeError(f"{len(args)} arguments given, but there are only: {', '.join(known) or 'none'}")
        kwargs = {**dict(zip(known, args, strict=False)), **kwargs}
        args = ()
    value = tool(*args, **kwargs)
    if inspect.iscoroutine(value):
        from telic.runtime.portal import portal

        value = portal.run(value)
    return value
