"""Who runs strategies here: the engine, or something in its place, such as a forecast."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, TypeAlias

from telic.optimize.problem import Problem
from telic.optimize.strategy import Choice, Strategy

if TYPE_CHECKING:
    from telic.budget import Budget

Runner: TypeAlias = Callable[[Problem, Strategy, "Budget | None"], Choice]
"""Called with the problem, the strategy, and the run's own budget."""

_runner: ContextVar[Runner | None] = ContextVar("telic_strategy_runner", default=None)

current = _runner.get
"""What runs strategies in the place of the engine; `None` where nothing does."""


@contextmanager
def running_by(runner: Runner) -> Iterator[None]:
    """Have strategies run by something else than the engine in a block: no journal, no callbacks."""
    token = _runner.set(runner)
    try:
        yield
    finally:
        _runner.reset(token)
