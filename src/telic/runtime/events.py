"""Callbacks: told when a module, an LM call, an adapter, a tool, an evaluation or a compile starts and ends.

Where there are none, they cost one look. A callback that raises is logged and changes nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from uuid import uuid4

from telic.runtime.settings import settings
from telic.runtime.steps import Steps

logger = logging.getLogger("telic")

ACTIVE_CALL_ID: ContextVar[str | None] = ContextVar("telic_call_id", default=None)
"""Id of the innermost call that callbacks were told of; the parent of the next one."""


class BaseCallback:
    """Derive from it and define what you want to be told of.

    Every start is told `(call_id, instance, inputs)`, every end `(call_id, outputs, exception)`, for
    `module`, `lm`, `adapter_format`, `adapter_parse`, `tool`, `evaluate`, `compile` and the interpreter's events.
    """


def _add_handlers() -> None:
    kinds = ["module", "lm", "adapter_format", "adapter_parse", "tool", "evaluate", "compile"]
    kinds += [f"interpreter_{what}" for what in ("startup", "execute", "tool_call", "shutdown")]

    def start(self: Any, call_id: str, instance: Any, inputs: dict[str, Any]) -> None:
        """Told before it begins."""

    def end(self: Any, call_id: str, outputs: Any, exception: BaseException | None = None) -> None:
        """Told after it ended, with what came out or what was raised."""

    for kind in kinds:
        setattr(BaseCallback, f"on_{kind}_start", start)
        setattr(BaseCallback, f"on_{kind}_end", end)


_add_handlers()


def active_callbacks(own: Sequence[Any] = ()) -> Sequence[Any]:
    """The callbacks of the settings, then an instance's own."""
    shared: list[Any] = settings.callbacks
    return [*shared, *own] if shared and own else shared or own


def notifying(
    callbacks: Sequence[Any],
    kind: str,
    instance: Any,
    inputs: dict[str, Any],
    steps: Steps[Any],
    *,
    shown: Callable[[Any], Any] | None = None,
) -> Steps[Any]:
    """Run a pipeline between a start and an end that callbacks are told of."""
    with notify_around(callbacks, kind, instance, inputs) as done:
        result = yield from steps
        done(shown(result) if shown is not None else result)
    return result


@contextmanager
def notify_around(
    callbacks: Sequence[Any], kind: str, instance: Any, inputs: dict[str, Any]
) -> Iterator[Callable[[Any], None]]:
    """Tell callbacks of a start, and of the end of the block: what `done(outputs)` was given, or what was raised."""
    call_id = uuid4().hex
    outputs: list[Any] = [None]
    _tell(callbacks, f"on_{kind}_start", call_id=call_id, instance=instance, inputs=inputs)
    token = ACTIVE_CALL_ID.set(call_id)
    raised: BaseException | None = None
    try:
        yield lambda value: outputs.__setitem__(0, value)
    except BaseException as error:
        raised = error
        raise
    finally:
        ACTIVE_CALL_ID.reset(token)
        _tell(callbacks, f"on_{kind}_end", call_id=call_id, outputs=outputs[0], exception=raised)


def _tell(callbacks: Sequence[Any], method: str, **facts: Any) -> None:
    for callback in callbacks:
        handler = getattr(callback, method, None)
        if handler is None:
            continue
        try:
            handler(**facts)
        except Exception:  # noqa: BLE001 - an observer must not break what it observes
            logger.warning("The callback %s.%s raised.", type(callback).__name__, method, exc_info=True)
