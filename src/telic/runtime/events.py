"""Callbacks: told before and after each call of a module, LM, adapter or tool, each evaluation and compile.

With none set, a call pays one truth test. A callback that raises is logged, and never breaks the program.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from telic.runtime.settings import settings
from telic.runtime.steps import Steps

R = TypeVar("R")

ACTIVE_CALL_ID: ContextVar[str | None] = ContextVar("telic_call_id", default=None)
"""Id of the innermost call that callbacks were told of. In an `on_…_start` it is still the parent's."""


class BaseCallback:
    """Derive from it and define what you want to be told of.

    Each `on_…_start(call_id, instance, inputs)` is followed by `on_…_end(call_id, outputs, exception)` with
    the same id, in the same thread or task; `outputs` is `None` where there is an exception.
    `ACTIVE_CALL_ID.get()` in a start method gives the id of the surrounding call, so that calls can be drawn
    as a tree.
    """

    def on_module_start(self, call_id: str, instance: Any, inputs: dict[str, Any]) -> None:
        """A module or predictor is called; `inputs` has `args` and `kwargs`."""

    def on_module_end(
        self, call_id: str, outputs: Any | None, exception: BaseException | None = None
    ) -> None:
        """It returned or raised."""

    def on_lm_start(self, call_id: str, instance: Any, inputs: dict[str, Any]) -> None:
        """An LM is asked; `inputs` has `prompt`, `messages` and `kwargs`, the parameters."""

    def on_lm_end(
        self, call_id: str, outputs: dict[str, Any] | None, exception: BaseException | None = None
    ) -> None:
        """It answered (from the record too) or failed."""

    def on_adapter_format_start(self, call_id: str, instance: Any, inputs: dict[str, Any]) -> None:
        """An adapter renders `signature`, `demos` and `inputs`."""

    def on_adapter_format_end(
        self, call_id: str, outputs: dict[str, Any] | None, exception: BaseException | None = None
    ) -> None:
        """It gave messages or a prompt."""

    def on_adapter_parse_start(self, call_id: str, instance: Any, inputs: dict[str, Any]) -> None:
        """An adapter reads `completion` against `signature`."""

    def on_adapter_parse_end(
        self, call_id: str, outputs: dict[str, Any] | None, exception: BaseException | None = None
    ) -> None:
        """It gave the output fields, or could not."""

    def on_tool_start(self, call_id: str, instance: Any, inputs: dict[str, Any]) -> None:
        """A tool is called."""

    def on_tool_end(
        self, call_id: str, outputs: dict[str, Any] | None, exception: BaseException | None = None
    ) -> None:
        """It returned or raised."""

    def on_evaluate_start(self, call_id: str, instance: Any, inputs: dict[str, Any]) -> None:
        """An evaluation begins."""

    def on_evaluate_end(
        self, call_id: str, outputs: Any | None, exception: BaseException | None = None
    ) -> None:
        """It has a result, or was stopped."""

    def on_compile_start(self, call_id: str, instance: Any, inputs: dict[str, Any]) -> None:
        """An optimizer begins."""

    def on_compile_end(
        self, call_id: str, outputs: Any | None, exception: BaseException | None = None
    ) -> None:
        """It has a program, or was stopped."""

    def on_optimizer_step_start(self, call_id: str, instance: Any, inputs: dict[str, Any]) -> None:
        """An optimizer tries something: `inputs` has `step`, its number from 0, and `trials`."""

    def on_optimizer_step_end(
        self, call_id: str, outputs: Any | None, exception: BaseException | None = None
    ) -> None:
        """Every trial of the step is scored; `outputs` are their results."""

    def on_interpreter_startup_start(self, call_id: str, instance: Any, inputs: dict[str, Any]) -> None:
        """An interpreter is started."""

    def on_interpreter_startup_end(
        self, call_id: str, outputs: Any | None, exception: BaseException | None = None
    ) -> None:
        """It is ready, or could not be started."""

    def on_interpreter_execute_start(self, call_id: str, instance: Any, inputs: dict[str, Any]) -> None:
        """Code is run in an interpreter."""

    def on_interpreter_execute_end(
        self, call_id: str, outputs: Any | None, exception: BaseException | None = None
    ) -> None:
        """It ended or raised."""

    def on_interpreter_tool_call_start(self, call_id: str, instance: Any, inputs: dict[str, Any]) -> None:
        """Code in an interpreter calls a tool of the host."""

    def on_interpreter_tool_call_end(
        self, call_id: str, outputs: Any | None, exception: BaseException | None = None
    ) -> None:
        """The tool returned or raised."""

    def on_interpreter_shutdown_start(self, call_id: str, instance: Any, inputs: dict[str, Any]) -> None:
        """An interpreter is shut down."""

    def on_interpreter_shutdown_end(
        self, call_id: str, outputs: Any | None, exception: BaseException | None = None
    ) -> None:
        """It is gone."""


def active_callbacks(own: Sequence[Any] = ()) -> tuple[Any, ...]:
    """Callbacks of the settings, then the instance's own."""
    general = settings.callbacks
    if general:
        return (*general, *own)
    return tuple(own) if own else ()


def notify(callbacks: Sequence[Any], event: str, **facts: Any) -> None:
    """Call `on_{event}(**facts)` of each callback that has it."""
    for callback in callbacks:
        method = getattr(callback, f"on_{event}", None)
        if method is not None:
            try:
                method(**facts)
            except Exception as error:
                import logging

                logging.getLogger("telic").warning(
                    "Callback %r failed in on_%s: %r", callback, event, error, exc_info=True
                )


@contextmanager
def notify_around(
    callbacks: Sequence[Any], kind: str, instance: Any, inputs: dict[str, Any]
) -> Iterator[Callable[[Any], None]]:
    """Tell of the start and the end of a block: call what it gives with the block's outputs.

    Args:
        callbacks: who is told.
        kind: what stands between `on_` and `_start` in a method of `BaseCallback`, such as `module`.
        instance: whose call it is.
        inputs: what it is called with.
    """
    call_id, parent = _start(callbacks, kind, instance, inputs)
    outputs: list[Any] = [None]

    def done(value: Any) -> None:
        outputs[0] = value

    try:
        yield done
    except BaseException as error:
        _end(callbacks, kind, call_id, parent, None, error)
        raise
    _end(callbacks, kind, call_id, parent, outputs[0], None)


def notifying(
    callbacks: Sequence[Any],
    kind: str,
    instance: Any,
    inputs: dict[str, Any],
    steps: Steps[R],
    *,
    shown: Callable[[R], Any] | None = None,
) -> Steps[R]:
    """`notify_around` for a pipeline; `shown` makes what callbacks see out of its result."""
    call_id, parent = _start(callbacks, kind, instance, inputs)
    try:
        result = yield from steps
    except BaseException as error:
        _end(callbacks, kind, call_id, parent, None, error)
        raise
    _end(callbacks, kind, call_id, parent, result if shown is None else shown(result), None)
    return result


def _start(
    callbacks: Sequence[Any], kind: str, instance: Any, inputs: dict[str, Any]
) -> tuple[str, str | None]:
    call_id = os.urandom(16).hex()
    notify(callbacks, f"{kind}_start", call_id=call_id, instance=instance, inputs=inputs)
    parent = ACTIVE_CALL_ID.get()
    ACTIVE_CALL_ID.set(call_id)
    return call_id, parent


def _end(
    callbacks: Sequence[Any],
    kind: str,
    call_id: str,
    parent: str | None,
    outputs: Any,
    error: BaseException | None,
) -> None:
    if ACTIVE_CALL_ID.get() == call_id:  # not so where a generator is closed from elsewhere
        ACTIVE_CALL_ID.set(parent)
    notify(callbacks, f"{kind}_end", call_id=call_id, outputs=outputs, exception=error)
