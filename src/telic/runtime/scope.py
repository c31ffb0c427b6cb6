"""Facts of the running call: who calls, what is recorded, what may be spent.

Settings are choices of the user; the scope is set by whoever starts something (a program call, an evaluation,
a compile, `telic.budget`) and read by what runs inside. It is one immutable value in one context variable, so
that a thread, a task or a nested loop started with a copied context sees the same facts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from telic.types import Request, Response
    from telic.types.chunk import Chunk


class Spender(Protocol):
    """What a budget is to the scope: asked before a call, told after it."""

    def reserve(self, request: Request) -> Any:
        """Take the right to make one call, or raise `BudgetExceededError`; returns a ticket."""
        ...

    def settle(self, ticket: Any, response: Response | None) -> None:
        """Book what the call took; `None` where it failed or cost nothing."""
        ...


class CallSink(Protocol):
    """Told of every answered LM call made in the scope, cached ones too."""

    def add(self, request: Request, response: Response) -> None:
        """Take note."""
        ...


class AnswerStream(Protocol):
    """One answer on its way, told in this order, from whatever thread the chunks arrive on."""

    def hear(self, chunk: Chunk) -> None:
        """The next chunk; must not block."""
        ...

    def end(self) -> None:
        """The answer is complete."""
        ...

    def read(self, fields: Mapping[str, Any]) -> None:
        """What the answer was read as."""
        ...


class StreamSink(Protocol):
    """Whoever wants to hear answers while they are written."""

    def begin(self, predictor: Any, signature: Any, adapter: Any, rendered: Any) -> AnswerStream | None:
        """A predictor is about to ask, through an adapter; `None` where its answer need not be streamed."""
        ...

    def same(self, copy: Any, predictor: Any) -> None:
        """`copy` runs in the place of `predictor`."""
        ...


@dataclass(frozen=True, slots=True)
class Scope:
    """What the running call knows.

    Attributes:
        root: the program that was called from outside; names of predictors are found through it.
        trace: predictor calls so far, as `(predictor, inputs, prediction)`; `None` where nobody collects.
        budgets: every budget in force, outermost first.
        sinks: told of each LM call: usage trackers, run recorders.
        rollout_id: default for requests that set none: which sample of the program this is.
        preview: where set, requests are collected here, each with its LM, instead of being sent.
        stream: hears answers while they are written; `None` where nobody listens.
    """

    root: Any = None
    trace: list[tuple[Any, Mapping[str, Any], Any]] | None = None
    budgets: tuple[Spender, ...] = ()
    sinks: tuple[CallSink, ...] = ()
    rollout_id: int | str | None = None
    preview: list[tuple[Request, Any]] | None = None
    stream: StreamSink | None = None


ROOT = Scope()
_scope: ContextVar[Scope] = ContextVar("telic_scope", default=ROOT)

current = _scope.get
"""The scope of the running call."""
enter = _scope.set
"""Set the scope; returns the token for `leave`."""
leave = _scope.reset
"""Restore what was before `enter`."""


@contextmanager
def within(**changes: Any) -> Iterator[Scope]:
    """Run a block in the current scope with some facts replaced."""
    scope = replace(_scope.get(), **changes)
    token = _scope.set(scope)
    try:
        yield scope
    finally:
        _scope.reset(token)
