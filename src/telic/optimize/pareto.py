"""Score against what an answer takes: the candidates worth a choice, and the choice within limits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from telic.errors import CompileError
from telic.evaluate.statistics import Interval, mean_interval
from telic.optimize.scores import present
from telic.optimize.strategy import Outcome, Ranked

Objective: TypeAlias = Literal["tokens", "cost", "seconds"]


@dataclass(frozen=True, slots=True)
class Price:
    """What one answer of a candidate takes, on average over the validation examples it saw.

    Attributes:
        tokens: read and written.
        cost: US dollars; `None` where unknown.
        seconds: of its LM calls when they were made, one after the other.
    """

    tokens: float
    cost: float | None
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Rounded; the cost only where it is known."""
        row = {"tokens": round(self.tokens, 1), "seconds": round(self.seconds, 4)}
        return row if self.cost is None else {**row, "cost": round(self.cost, 8)}


@dataclass(frozen=True, slots=True)
class Option:
    """A candidate, to be chosen or not.

    Attributes:
        ranked: the candidate with its scores.
        score: percent.
        interval: of the score, percent.
        price: what an answer takes.
    """

    ranked: Ranked
    score: float
    interval: Interval
    price: Price

    @property
    def label(self) -> str:
        """What it is called in the report."""
        return self.ranked.label

    def apply(self, program: Any) -> Any:
        """A copy of `program` with this candidate's state; marked as compiled."""
        made = self.ranked.candidate.apply(program)
        made._compiled = True
        return made

    def __str__(self) -> str:
        cost = "" if self.price.cost is None else f", ${self.price.cost:.6f}"
        return (
            f"{self.label}: {self.score:.1f} % {self.interval}, {self.price.tokens:,.0f} tokens, "
            f"{self.price.seconds:.2f} s{cost}"
        )


@dataclass(frozen=True, slots=True)
class Limits:
    """What a choice must keep to; `None` is no limit."""

    max_tokens: float | None = None
    max_cost: float | None = None
    max_seconds: float | None = None
    min_score: float | None = None

    def misses(self, option: Option) -> list[str]:
        """The limits that an option does not keep, in words."""
        price, missed = option.price, []
        for name, limit, value in (
            ("tokens", self.max_tokens, price.tokens),
            ("cost", self.max_cost, price.cost),
            ("seconds", self.max_seconds, price.seconds),
        ):
            if limit is not None and (value is None or value > limit):
                missed.append(f"{name} {'unknown' if value is None else f'{value:.6g}'} > {limit:g}")
        if self.min_score is not None and option.score < self.min_score:
            missed.append(f"score {option.score:.1f} < {self.min_score:g}")
        return missed


def prices(outcomes: Iterable[tuple[str, Outcome]]) -> dict[str, Price]:
    """Candidate hash to what one of its answers takes."""
    sums: dict[str, tuple[int, int, float | None, float]] = {}
    for digest, outcome in outcomes:
        count, tokens, cost, seconds = sums.get(digest, (0, 0, 0.0, 0.0))
        known = None if cost is None or outcome.cost is None else cost + outcome.cost
        sums[digest] = (count + 1, tokens + outcome.tokens, known, seconds + outcome.seconds)
    return {
        digest: Price(tokens / count, None if cost is None else cost / count, seconds / count)
        for digest, (count, tokens, cost, seconds) in sums.items()
    }


def options_of(ranking: Sequence[Ranked], known: Mapping[str, Price]) -> list[Option]:
    """Those of the candidates that were scored and whose price is known, best score first."""
    options = []
    for ranked in ranking:
        scores = present(ranked.scores.values())
        price = known.get(ranked.candidate.hash)
        if scores and price is not None:
            options.append(Option(ranked, 100 * ranked.mean, mean_interval(scores).percent(), price))
    return sorted(options, key=lambda option: (-option.score, option.price.tokens))


def pareto_set(options: Sequence[Option], against: Objective) -> list[Option]:
    """Those that no other beats in the one without being beaten in the other, best score first.

    Candidates whose price is not known are left out, and so are those that a race stopped: they were shown
    worse on few examples, so their score says little.

    Raises:
        CompileError: another objective.
    """
    if against not in ("tokens", "cost", "seconds"):
        raise CompileError(f'pareto(against={against!r}) must be "tokens", "cost" or "seconds".')
    known = [(_price(o, against), o) for o in options if not o.ranked.stopped]
    ordered = sorted(
        ((price, option) for price, option in known if price is not None),
        key=lambda pair: (-pair[1].score, pair[0]),
    )
    front: list[Option] = []
    cheapest = float("inf")
    for price, option in ordered:
        if price < cheapest:
            front.append(option)
            cheapest = price
    return front


def choose(options: Sequence[Option], limits: Limits) -> Option:
    """The best score within limits; the cheapest where only the score is limited.

    Raises:
        CompileError: there is none.
    """
    whole = [option for option in options if not option.ranked.stopped]
    within = [option for option in whole if not limits.misses(option)]
    if not within:
        near = min(whole, key=lambda option: len(limits.misses(option)), default=None)
        told = "nothing was scored" if near is None else f"nearest: {near} ({', '.join(limits.misses(near))})"
        raise CompileError(f"No candidate is within the limits; {told}.")
    if limits == Limits(min_score=limits.min_score) and limits.min_score is not None:
        return min(within, key=lambda option: (option.price.tokens, -option.score))
    return max(within, key=lambda option: (option.score, -option.price.tokens))


def _price(option: Option, against: Objective) -> float | None:
    found: float | None = getattr(option.price, against)
    return found
