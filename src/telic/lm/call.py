"""One LM call from request to response: look up, wait for a twin, spend, ask, record. Written once for both
drivers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from telic.lm.history import note
from telic.runtime import scope as scopes
from telic.runtime.events import active_callbacks, notifying
from telic.runtime.scope import Scope
from telic.runtime.steps import Do, Step, Steps
from telic.types import Request, Response

if TYPE_CHECKING:
    from telic.lm.streaming import Live
    from telic.runtime.scope import AnswerStream
    from telic.types.chunk import Chunk


class Askable(Protocol):
    """What a call needs of an LM."""

    @property
    def recorded(self) -> bool:
        """Whether answers go to the store."""
        ...

    cache: bool
    callbacks: list[Any]
    history: Any
    context_window: int | None

    def asking(self, request: Request) -> Step:
        """The step that asks the model itself."""
        ...

    def streaming(self, request: Request, hear: Callable[[Chunk], None]) -> Step:
        """The step that asks the model and tells `hear` of each chunk; or that of `asking`, if it cannot."""
        ...

    def check_fits(self, request: Request) -> None:
        """Raise where the prompt surely does not fit the window."""
        ...

    def outputs(self, response: Response) -> list[Any]:
        """The answers, for callbacks."""
        ...


class PreviewEnd(BaseException):
    """Ends a preview at the first request whose answer is not known; not an error, so no `except Exception`
    eats it.
    """


def call(lm: Askable, request: Request, heard: AnswerStream | None = None) -> Steps[Response]:
    """Answer `request`, from the record where it is there, else by asking `lm`.

    A recorded LM's answers are durable before they are returned, and two identical requests in flight are
    asked once. Budgets in force are asked before the model is, and told after; an answer from the record is
    free.

    Args:
        lm: who is asked.
        request: what.
        heard: who listens while the answer is written; one that does not come as a stream is one chunk.
    """
    scope = scopes.current()
    callbacks = active_callbacks(lm.callbacks)
    steps = _answer(lm, request, scope) if heard is None else _heard(lm, request, scope, heard)
    if callbacks:
        inputs = {"prompt": request.prompt, "messages": request.messages, "kwargs": dict(request.params)}
        response = yield from notifying(callbacks, "lm", lm, inputs, steps, shown=lm.outputs)
    else:
        response = yield from steps
    _note(lm, request, response, scope)
    return response


def _heard(lm: Askable, request: Request, scope: Scope, heard: AnswerStream) -> Steps[Response]:
    from telic.lm.streaming import Live

    live = Live(heard)
    response = yield from _answer(lm, request, scope, live)
    live.finish(response)
    return response


def _answer(lm: Askable, request: Request, scope: Scope, live: Live | None = None) -> Steps[Response]:
    if not lm.recorded:
        if scope.preview is not None:
            scope.preview.append((request, lm))
            raise PreviewEnd
        return (yield from _paid(lm, request, scope, None, live))
    from telic.store.default import call_record

    record = call_record()
    if not lm.cache and scope.preview is None:
        return (yield from _paid(lm, request, scope, record, live))
    known = record.lookup(request.key)
    if scope.preview is not None:
        scope.preview.append((request, lm))
        if known is None:
            raise PreviewEnd
    if known is not None:
        return known

    def work() -> Steps[Response]:
        # Between the look-up above and here, a twin's answer may have come in.
        landed = record.landed(request.key)
        return landed if landed is not None else (yield from _paid(lm, request, scope, record, live))

    return (yield from record.flights.fly(request.key, work))


def _paid(lm: Askable, request: Request, scope: Scope, record: Any, live: Live | None) -> Steps[Response]:
    """Ask for real, under every budget in force; booked and recorded before anyone sees the answer."""
    if lm.context_window is not None:
        lm.check_fits(request)
    tickets = yield from _reserve(request, scope)
    response: Response | None = None
    try:
        response = yield (lm.asking(request) if live is None else lm.streaming(request, live.hear))
        assert response is not None
        if record is not None:
            answered = response
            yield Do(lambda: record.record(request, answered), lambda: record.arecord(request, answered))
        return response
    finally:
        for budget, ticket in tickets:
            budget.settle(ticket, response)


def _reserve(request: Request, scope: Scope) -> Steps[list[tuple[Any, Any]]]:
    """Tickets of every budget in force; may wait for calls in flight to free what this one needs."""
    if not scope.budgets:
        return []
    from telic.budget.admission import reserving

    return (yield from reserving(scope.budgets, request))


def _note(lm: Askable, request: Request, response: Response, scope: Scope) -> None:
    for sink in scope.sinks:
        sink.add(request, response)
    note(lm.history, request, response)
