"""The pipeline that takes, for one call, a ticket from every budget in force: all of them or none."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from typing import Any

from telic.budget import caps
from telic.runtime.steps import Steps
from telic.types import Request


def reserving(budgets: Sequence[Any], request: Request) -> Steps[list[tuple[Any, Any]]]:
    """Tickets for one call, as `(budget, ticket)`; waits where calls in flight hold what it needs.

    Nothing is booked while it waits, so that two calls never wait for each other.

    Args:
        budgets: `scope.budgets`; spenders that are no `Budget` are asked with `reserve`.
        request: what will be sent.

    Raises:
        BudgetExceededError: a cap of one of them is reached; nothing was booked in any.
    """
    unique = budgets if len(budgets) == 1 else tuple(dict.fromkeys(budgets))
    taken: list[tuple[Any, Any]] = []
    ours = [budget for budget in unique if isinstance(budget, caps.Budget)]
    while (room := _book(ours, request, taken)) is not None:
        yield room
    if len(ours) < len(unique):
        _ask_others([budget for budget in unique if budget not in ours], request, taken)
    return taken


def _book(budgets: list[caps.Budget], request: Request, taken: list[tuple[Any, Any]]) -> _Room | None:
    """Book a ticket in each, or in none and say what to wait for."""
    tickets = [(budget, budget.needs(request)) for budget in budgets]
    with caps.LOCK:
        for budget, ticket in tickets:
            if not budget.admits(ticket):
                room = _Room(budget)
                budget.wake_next(room.arrive)
                return room
        for budget, ticket in tickets:
            budget.book(ticket)
    taken.extend(tickets)
    return None


def _ask_others(budgets: Sequence[Any], request: Request, taken: list[tuple[Any, Any]]) -> None:
    try:
        for budget in budgets:
            taken.append((budget, budget.reserve(request)))
    except BaseException:
        for budget, ticket in taken:
            budget.settle(ticket, None)
        raise


class _Room:
    """The step that waits until a call of the budget has ended, or its time is over."""

    def __init__(self, budget: caps.Budget) -> None:
        self.budget = budget
        self._event = threading.Event()
        self._wake: Any = None

    def arrive(self) -> None:
        """A call ended; from any thread."""
        self._event.set()
        if self._wake is not None:
            self._wake()

    def perform(self) -> None:
        """Wait in this thread."""
        asyncio = sys.modules.get("asyncio")
        if asyncio is not None and asyncio._get_running_loop() is not None:
            # The calls in flight may belong to this very loop, which would stand still.
            raise self.budget.refuse(
                "The budget has no room beside the calls in flight, and this one cannot wait."
            )
        self._event.wait(self.budget.seconds_left())

    async def aperform(self) -> None:
        """Wait on the running loop."""
        import asyncio

        loop = asyncio.get_running_loop()
        arrived = asyncio.Event()
        self._wake = lambda: _set_on(loop, arrived)
        if self._event.is_set():
            return
        try:
            await asyncio.wait_for(arrived.wait(), self.budget.seconds_left())
        except TimeoutError:
            return


def _set_on(loop: Any, arrived: Any) -> None:
    try:
        loop.call_soon_threadsafe(arrived.set)
    except RuntimeError:  # the loop is closed: nobody waits any more
        return
