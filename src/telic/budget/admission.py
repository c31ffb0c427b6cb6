"""How a call is let through by every budget in force: by all of them at once, or by none."""

from __future__ import annotations

import os
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

from telic.errors import BudgetExceededError
from telic.runtime.steps import Steps, drive
from telic.types import Request, Response

LOCK = threading.Lock()
"""One for all budgets, so that what is admitted by one is not refused by the next. Held for microseconds."""


class Ticket:
    """The right to make one call, and what is set aside for it.

    Attributes:
        request: what will be sent.
        tokens: most tokens it may take, where they are capped.
        usd: most dollars it may take, where they are capped.
        open: not settled yet.
    """

    __slots__ = ("open", "request", "tokens", "usd")

    def __init__(self, request: Request, tokens: int, usd: float) -> None:
        self.request = request
        self.tokens = tokens
        self.usd = usd
        self.open = True


class Admitting(ABC):
    """A budget, as admission sees it. `admits`, `wake_next` and `book` are called with the lock held."""

    @abstractmethod
    def needs(self, request: Request) -> Ticket:
        """A ticket for the most that the call may take, not booked yet; raises where that cannot be told."""

    @abstractmethod
    def admits(self, ticket: Ticket) -> bool:
        """Whether the ticket can be booked now; `False` where it may be so when a call in flight has ended.

        Raises:
            BudgetExceededError: a cap is reached.
        """

    @abstractmethod
    def wake_next(self, wake: Callable[[], None]) -> None:
        """Have `wake` called when a call in flight has ended."""

    @abstractmethod
    def book(self, ticket: Ticket) -> None:
        """Set aside what the ticket says; the call counts from here on."""

    @abstractmethod
    def settle(self, ticket: Ticket, response: Response | None) -> None:
        """Book what the call took; `None` where it failed. A second time does nothing."""

    @abstractmethod
    def seconds_left(self) -> float | None:
        """Until the cap on time; `None` where there is none."""

    @abstractmethod
    def refuse(self, what: str) -> BudgetExceededError:
        """The error that says what was spent."""

    def reserve(self, request: Request) -> Ticket:
        """Take the right to one call; blocks where only calls in flight are in the way.

        Raises:
            BudgetExceededError: a cap is reached; nothing was booked.
        """
        ticket: Ticket = drive(reserving((self,), request))[0][1]
        return ticket


def reserving(budgets: Sequence[Any], request: Request) -> Steps[list[tuple[Any, Any]]]:
    """A pipeline for tickets of one call, as `(budget, ticket)`; waits where calls in flight hold its room.

    Nothing is booked while it waits, so that two calls never wait for each other.

    Args:
        budgets: `scope.budgets`; spenders of another kind are asked with `reserve`.
        request: what will be sent.

    Raises:
        BudgetExceededError: a cap of one of them is reached; nothing was booked in any.
    """
    unique = budgets if len(budgets) == 1 else tuple(dict.fromkeys(budgets))
    taken: list[tuple[Any, Any]] = []
    ours = [budget for budget in unique if isinstance(budget, Admitting)]
    while (room := _book(ours, request, taken)) is not None:
        yield room
    if len(ours) < len(unique):
        _ask_others([budget for budget in unique if budget not in ours], request, taken)
    return taken


def _book(budgets: list[Admitting], request: Request, taken: list[tuple[Any, Any]]) -> _Room | None:
    """Book a ticket in each, or in none and say what to wait for."""
    tickets = [(budget, budget.needs(request)) for budget in budgets]
    with LOCK:
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

    def __init__(self, budget: Admitting) -> None:
        self._budget = budget
        self._event = threading.Event()
        self._wake: Callable[[], None] | None = None

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
            raise self._budget.refuse(
                "No room beside the calls in flight, and this call cannot wait for them."
            )
        self._event.wait(self._budget.seconds_left())

    async def aperform(self) -> None:
        """Wait on the running loop."""
        import asyncio

        loop = asyncio.get_running_loop()
        arrived = asyncio.Event()
        self._wake = lambda: _set_on(loop, arrived)
        if self._event.is_set():
            return
        try:
            await asyncio.wait_for(arrived.wait(), self._budget.seconds_left())
        except TimeoutError:
            return


def _set_on(loop: Any, arrived: Any) -> None:
    try:
        loop.call_soon_threadsafe(arrived.set)
    except RuntimeError:  # the loop is closed: nobody waits any more
        return


def _after_fork() -> None:
    global LOCK
    LOCK = threading.Lock()


os.register_at_fork(after_in_child=_after_fork)
