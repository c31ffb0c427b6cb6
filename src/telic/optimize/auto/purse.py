"""What a search may spend, in runs of the program, and what of it is left.

A strategy must come to the same plan when it is run again after a crash. So what is left of the budget is
asked once, as journaled work, and then counted down by what the outcomes in the journal say they took.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from time import time
from typing import Any, TypeAlias

from telic.budget.caps import Budget, budget
from telic.errors import InputError
from telic.optimize.strategy import Ask, Asking, Reply, Result
from telic.runtime import scope as scopes

BudgetLike: TypeAlias = "int | Mapping[str, Any] | Budget | None"
_UNITS = ("calls", "tokens", "usd")
_MARGIN = 0.95
"""Share of a cap on tokens, dollars or seconds that is planned with."""


def within(caps: BudgetLike) -> AbstractContextManager[Any]:
    """The block that a search runs in: caps on it, or none.

    Args:
        caps: LM calls; or caps by name, as `telic.budget` takes them; or a `telic.budget(…)` itself.

    Raises:
        InputError: it is none of these.
    """
    if caps is None:
        return nullcontext()
    if isinstance(caps, Budget):
        return caps
    if isinstance(caps, int) and not isinstance(caps, bool):
        return budget(calls=caps)
    if isinstance(caps, Mapping):
        unknown = sorted(set(caps) - {*_UNITS, "seconds", "unknown_cost"})
        if not unknown:
            return budget(**caps)
    raise InputError(
        f"budget={caps!r}: give a number of LM calls, caps by name such as {{'calls': 500, 'usd': 2.0}} "
        "(calls, tokens, usd, seconds), or telic.budget(…)."
    )


class Purse:
    """What is left, counted down by what outcomes took.

    Args:
        caps: most calls, tokens, dollars and seconds; those that are not there are not limited.
        default_runs: most runs of the program where nothing is limited.
        predictors: calls that a run is taken to make before one was seen.

    Attributes:
        capped: whether the user set a limit.
    """

    def __init__(self, caps: Mapping[str, float], default_runs: int, predictors: int) -> None:
        self.caps = dict(caps)
        self.capped = bool(caps)
        self.default_runs = default_runs
        self._spent = dict.fromkeys((*_UNITS, "seconds"), 0.0)
        self._runs = 0
        self._each: dict[str, float] = {"calls": float(max(1, predictors))}
        self._booked: set[tuple[Any, ...]] = set()

    def book(self, results: Sequence[Result]) -> None:
        """Count down what evaluations took, each only once."""
        last = dict.fromkeys(_UNITS, 0.0)
        count = 0
        for result in results:
            trial = result.trial
            key = (trial.candidate.hash, trial.pool, trial.teacher, trial.rollout, trial.keep_steps)
            for outcome in result.outcomes:
                if outcome.score is None or (*key, outcome.example) in self._booked:
                    continue
                self._booked.add((*key, outcome.example))
                count += 1
                last["calls"] += outcome.calls
                last["tokens"] += outcome.tokens
                last["usd"] += outcome.cost or 0.0
        self._add(last)
        self._runs += count
        for unit in _UNITS if count else ():
            # Prompts grow as demos are added: the last step is nearer to the next one than the mean of all.
            self._each[unit] = max(last[unit] / count, self._spent[unit] / self._runs)

    def book_replies(self, replies: Sequence[Reply]) -> None:
        """Count down what proposals took."""
        for reply in replies:
            self._add({"calls": reply.calls, "tokens": reply.tokens, "usd": reply.cost or 0.0})

    def book_seconds(self, elapsed: float) -> None:
        """Set how long it has taken so far."""
        self._spent["seconds"] = elapsed
        if self._runs:
            self._each["seconds"] = elapsed / self._runs

    @property
    def calls_each(self) -> float:
        """LM calls of a run, as seen."""
        return self._each["calls"]

    def runs(self) -> int:
        """How many more runs of the program can be paid for."""
        if not self.capped:
            return max(0, self.default_runs - self._runs)
        left = [
            # What a call may take is set aside before it, and is more than calls take on average.
            ((1.0 if unit == "calls" else _MARGIN) * cap - self._spent[unit]) / self._each[unit]
            for unit, cap in self.caps.items()
            if self._each.get(unit, 0.0) > 0
        ]
        return max(0, int(min(left, default=float(self.default_runs))))

    def _add(self, amounts: Mapping[str, float]) -> None:
        for unit, amount in amounts.items():
            self._spent[unit] += amount


def ask_left() -> Asking[Mapping[str, float]]:
    """What all budgets in force leave: calls, tokens, usd, seconds, as far as they are capped."""
    (reply,) = yield [Ask(_left, {}, name="what is left", like=_left(), why="look at the budget")]
    return reply.value or {}


def ask_clock(number: int) -> Asking[float]:
    """The time, in seconds of the system's clock."""
    (reply,) = yield [
        Ask(_now, {"number": number}, name="clock", like={"time": 0.0}, why="look at the clock")
    ]
    return float((reply.value or {}).get("time", 0.0))


def _left() -> dict[str, float]:
    left: dict[str, float] = {}
    for one in [each for each in scopes.current().budgets if isinstance(each, Budget)]:
        for unit, cap in one.caps.items():
            rest = max(0.0, float(cap) - float(getattr(one.spent, unit)))
            left[unit] = min(rest, left.get(unit, rest))
    return left


def _now(number: int) -> dict[str, float]:
    return {"time": time()}
