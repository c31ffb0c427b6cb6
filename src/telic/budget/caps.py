"""A budget: reserved from before each LM call, settled with after it."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import asdict, dataclass, replace
from time import monotonic
from typing import Any, Literal

import telic.budget.admission as admission
import telic.budget.estimate as estimate
import telic.budget.prices as prices
from telic.budget.admission import Admitting, Ticket
from telic.errors import BudgetExceededError, InputError
from telic.runtime import scope as scopes
from telic.runtime.scope import Scope
from telic.types import Request, Response, Usage

_FIRST_GUESS = 256
"""Tokens that an answer is taken to have, where the request sets no limit and none was seen yet."""


@dataclass(slots=True)
class Spent:
    """What a budget has booked.

    Attributes:
        calls: calls begun; failed ones too, since the provider may have charged for them.
        tokens: read and written.
        usd: US dollars, of the calls whose price is known.
        unknown_cost_calls: answered calls whose price is not known.
        seconds: since the block was entered.
    """

    calls: int = 0
    tokens: int = 0
    usd: float = 0.0
    unknown_cost_calls: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        cost = f"${self.usd:.4f}"
        if self.unknown_cost_calls:
            cost = (
                f"{cost} and {self.unknown_cost_calls} calls of unknown price"
                if self.usd
                else "price unknown"
            )
        return f"{self.calls:,} calls, {self.tokens:,} tokens, {cost}, {self.seconds:.1f} s"


class Budget(Admitting):
    """See `budget`, which makes one."""

    def __init__(
        self,
        calls: int | None,
        tokens: int | None,
        usd: float | None,
        seconds: float | None,
        unknown_cost: Literal["refuse", "ignore"],
    ) -> None:
        self.caps: dict[str, Any] = {
            name: cap
            for name, cap in (("calls", calls), ("tokens", tokens), ("usd", usd), ("seconds", seconds))
            if cap is not None
        }
        self.unknown_cost = unknown_cost
        self._spent = Spent()
        self._began: float | None = None
        self._ended: float | None = None
        self._inside = 0
        self._reserved_tokens = 0
        self._reserved_usd = 0.0
        self._in_flight = 0
        self._longest = 0
        self._wakers: list[Callable[[], None]] = []

    # The block.

    def __enter__(self) -> Budget:
        scope = scopes.current()
        _outer.set((*_outer.get(), scope))
        scopes.enter(replace(scope, budgets=(*scope.budgets, self)))
        with admission.LOCK:
            self._inside += 1
            self._ended = None
            if self._began is None:
                self._began = monotonic()
        return self

    def __exit__(self, *error: object) -> None:
        *outer, scope = _outer.get()
        _outer.set(tuple(outer))
        scopes.enter(scope)
        with admission.LOCK:
            self._inside -= 1
            if not self._inside:
                self._ended = monotonic()

    async def __aenter__(self) -> Budget:
        return self.__enter__()

    async def __aexit__(self, *error: object) -> None:
        self.__exit__(*error)

    @property
    def spent(self) -> Spent:
        """What has been booked so far; calls in flight count as calls, their tokens do not yet."""
        with admission.LOCK:
            return replace(self._spent, seconds=self._elapsed())

    # What a call does with it.

    def settle(self, ticket: Ticket, response: Response | None) -> None:
        """Book what the call took; `None` where it failed. A second time does nothing."""
        with admission.LOCK:
            if not ticket.open:
                return
            ticket.open = False
            self._in_flight -= 1
            self._reserved_tokens -= ticket.tokens
            self._reserved_usd = self._reserved_usd - ticket.usd if self._in_flight else 0.0
            if response is not None and not response.cached:
                self._book(ticket, response)
            wakers, self._wakers = self._wakers, []
        for wake in wakers:
            wake()

    def needs(self, request: Request) -> Ticket:
        """A ticket for the most that the call may take, not booked yet.

        Raises:
            BudgetExceededError: that cannot be told.
        """
        if "tokens" not in self.caps and "usd" not in self.caps:
            return Ticket(request, 0, 0.0)
        prompt = estimate.prompt_tokens(request)
        answer = estimate.answer_cap(request)
        if answer is None:
            answer = (self._longest or _FIRST_GUESS) * estimate.answers(request)
        usd = 0.0
        if "usd" in self.caps:
            price = prices.cost(request.model, Usage(prompt, answer))
            if price is None and self.unknown_cost == "refuse":
                raise self.refuse(
                    f"The price of {request.model} is not known, so a budget in dollars cannot be kept. Cap "
                    "tokens or calls instead, or count such calls as free: "
                    'telic.budget(..., unknown_cost="ignore").'
                )
            usd = price or 0.0
        return Ticket(request, prompt + answer, usd)

    def admits(self, ticket: Ticket) -> bool:
        """Whether the ticket can be booked now; `False` where it may be so when a call in flight has ended.

        Raises:
            BudgetExceededError: a cap is reached.
        """
        if (cap := self.caps.get("seconds")) is not None and self._elapsed() >= cap:
            raise self.refuse(f"The budget of {cap:g} seconds is used up.")
        if (cap := self.caps.get("calls")) is not None and self._spent.calls >= cap:
            raise self.refuse(f"The budget of {cap:,} calls is used up.")
        return self._fits("tokens", ticket.tokens) and self._fits("usd", ticket.usd)

    def charge(self, what: str, usd: float | None, seconds: float | None = None) -> None:
        """Book money for something other than a call, before it is spent.

        Args:
            what: for the message, as in "Training openai/…".
            usd: US dollars; `None` where that is not known.
            seconds: that it will take, where that is known.

        Raises:
            BudgetExceededError: a cap does not allow it; nothing is booked.
        """
        with admission.LOCK:
            left = self.seconds_left()
            if left is not None and left < (seconds or 0.0):
                raise self.refuse(f"{what} takes about {seconds:,.0f} s, and {left:,.0f} s are left.")
            if (cap := self.caps.get("usd")) is not None:
                if usd is None and self.unknown_cost == "refuse":
                    raise self.refuse(
                        f"The price of this is not known: {what}. Count it as free with "
                        'telic.budget(..., unknown_cost="ignore"), or tell the backend its price.'
                    )
                amount = usd or 0.0
                if self._spent.usd + self._reserved_usd + amount > cap:
                    raise self.refuse(f"{what} takes about ${amount:,.2f}, more than is left of ${cap:g}.")
            self._spent.usd += usd or 0.0

    def wake_next(self, wake: Callable[[], None]) -> None:
        """Have `wake` called when a call in flight has ended; with the lock held since `admits` said no."""
        self._wakers.append(wake)

    def book(self, ticket: Ticket) -> None:
        """Set aside what the ticket says; the call counts from here on."""
        self._spent.calls += 1
        self._in_flight += 1
        self._reserved_tokens += ticket.tokens
        self._reserved_usd += ticket.usd

    def seconds_left(self) -> float | None:
        """Until the cap on time; `None` where there is none."""
        cap = self.caps.get("seconds")
        return None if cap is None else max(0.0, cap - self._elapsed())

    def refuse(self, what: str) -> BudgetExceededError:
        """The error that says what was spent."""
        spent = replace(self._spent, seconds=self._elapsed())
        caps = ", ".join(f"{name}={cap:g}" for name, cap in self.caps.items())
        return BudgetExceededError(
            f"{what} Spent: {spent}. Budget: {caps}.", spent=asdict(spent), caps=self.caps
        )

    def _fits(self, name: Literal["tokens", "usd"], needed: float) -> bool:
        """Whether so much is free; `False` where it may be so once calls in flight have ended."""
        cap = self.caps.get(name)
        if cap is None:
            return True
        reserved = self._reserved_tokens if name == "tokens" else self._reserved_usd
        spent = getattr(self._spent, name)
        if spent + reserved + needed <= cap:
            return True
        if self._in_flight and spent < cap:
            return False
        amount = f"{needed:,} tokens" if name == "tokens" else f"${needed:.6f}"
        cap_text = f"{cap:,} tokens" if name == "tokens" else f"${cap:g}"
        if spent >= cap:
            raise self.refuse(f"The budget of {cap_text} is used up.")
        raise self.refuse(
            f"The budget of {cap_text} has no room for the next call, which may take up to {amount} "
            "(prompt, and max_tokens or the longest answer so far)."
        )

    def _book(self, ticket: Ticket, response: Response) -> None:
        usage = estimate.usage_of(ticket.request, response)
        self._spent.tokens += usage.total_tokens
        self._longest = max(self._longest, usage.completion_tokens // max(1, len(response.choices)))
        cost = response.cost
        if cost is None and "usd" in self.caps:
            cost = prices.cost(ticket.request.model, usage)
        if cost is None:
            self._spent.unknown_cost_calls += 1
        else:
            self._spent.usd += cost

    def _elapsed(self) -> float:
        if self._began is None:
            return 0.0
        return (self._ended or monotonic()) - self._began

    def __repr__(self) -> str:
        return f"Budget({', '.join(f'{k}={v!r}' for k, v in self.caps.items())}; spent {self.spent})"


_outer: ContextVar[tuple[Scope, ...]] = ContextVar("telic_budget_outer", default=())


def budget(
    *,
    calls: int | None = None,
    tokens: int | None = None,
    usd: float | None = None,
    seconds: float | None = None,
    unknown_cost: Literal["refuse", "ignore"] = "refuse",
) -> Budget:
    """Cap what the LM calls of a block may take, in all threads and tasks started in it; blocks nest.

    `calls`, `tokens` and `usd` hold exactly, however many calls run at once: before a call is made, the most
    it can take is set aside; where that does not fit, the call waits for calls in flight to end, and is
    refused if it still does not fit. The most it can take is its prompt (estimated on the high side) and
    `max_tokens`. Only where a request sets no `max_tokens` is the longest answer so far taken instead; the
    caps on tokens and dollars may then be passed by what longer answers in flight take. Answers from the
    record cost nothing.

    Args:
        calls: LM calls; those that fail count, retries within a call do not.
        tokens: read and written.
        usd: US dollars, at list prices.
        seconds: from entering the block; no call begins later.
        unknown_cost: what `usd` does about a model whose price is not known: `"refuse"` its first call, or
            `"ignore"` (count it as free).

    Returns:
        A context manager, for `with` and `async with`. Its `spent` tells what was taken. Entered again, it
        goes on from there.

    Raises:
        InputError: no cap, or one that is negative.
    """
    made = Budget(calls, tokens, usd, seconds, unknown_cost)
    if not made.caps:
        raise InputError("A budget needs a cap: telic.budget(calls=…, tokens=…, usd=…, seconds=…).")
    for name, cap in made.caps.items():
        if isinstance(cap, bool) or not isinstance(cap, (int, float)) or not cap >= 0:
            raise InputError(f"budget({name}={cap!r}): a cap must be a number of at least 0.")
    if unknown_cost not in ("refuse", "ignore"):
        raise InputError(f'budget(unknown_cost={unknown_cost!r}) must be "refuse" or "ignore".')
    return made
