"""What a compile will take, before it is begun: calls, tokens, money, time; expected, at least and at most.

The strategy itself is run, many times, against simulated models (see `telic.optimize.forecast_simulation`),
so a forecast knows what the strategy knows: when bootstrapping ends, whom a race stops.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from telic.budget import prices
from telic.optimize.forecast_calls import Range, Take
from telic.optimize.forecast_simulation import EXTREME, LIKELY, Measured, Simulation, simulate
from telic.types import Usage

_RECENT = 200
"""Recorded calls of a model that its pace is taken from."""


@dataclass(frozen=True)
class Forecast:
    """What a compile is expected to take, with the least and the most it may.

    Attributes:
        calls: LM calls, those of answers that have to be asked for again among the most.
        prompt_tokens: tokens read.
        completion_tokens: tokens written.
        scores: examples scored by the metric.
        cost: US dollars at list prices; `None` where a price is not known.
        seconds: at the pace of the models' recorded calls; `None` where there are none.
        models: expected calls by model.
        notes: what is not in these numbers.
    """

    calls: Range
    prompt_tokens: Range
    completion_tokens: Range
    scores: Range
    cost: Range | None
    seconds: Range | None
    models: Mapping[str, float]
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """All of it; ranges as `{"low", "expected", "worst"}`."""
        names = ("calls", "prompt_tokens", "completion_tokens", "scores", "cost", "seconds")
        row: dict[str, Any] = {name: _row(getattr(self, name)) for name in names}
        return {**row, "models": dict(self.models), "notes": list(self.notes)}

    def rows(self) -> list[tuple[str, str, str, str]]:
        """A table for people: what, expected, at least, at most."""
        whole: list[tuple[str, Range | None, str]] = [
            ("LM calls", self.calls, "{:,.0f}"),
            ("prompt tokens", self.prompt_tokens, "{:,.0f}"),
            ("completion tokens", self.completion_tokens, "{:,.0f}"),
            ("scores", self.scores, "{:,.0f}"),
            ("cost", self.cost, "${:,.4f}"),
            ("seconds", self.seconds, "{:,.0f}"),
        ]
        return [
            (name, form.format(r.expected), form.format(r.low), form.format(r.worst))
            if r is not None
            else (name, "unknown", "", "")
            for name, r, form in whole
        ]

    def __str__(self) -> str:
        lines = [f"{name:18}{expected:>14}{low:>14}{worst:>14}" for name, expected, low, worst in self.rows()]
        head = f"{'':18}{'expected':>14}{'at least':>14}{'at most':>14}"
        return "\n".join([head, *lines, *(f"note: {note}" for note in self.notes)])


def forecast_of(compile_: Callable[[], Any]) -> Forecast:
    """Forecast what a call of `compile` takes; no model is asked.

    Args:
        compile_: calls `compile` of an optimizer with its arguments.

    Raises:
        CompileError: the optimizer asks models behind the engine's back.
    """
    measured: Measured = {}
    likely = [simulate(world, compile_, measured) for world in LIKELY]
    every = [*likely, *(simulate(world, compile_, measured) for world in EXTREME)]
    takes = _joined(likely, every)
    total = sum(takes.values(), Take())
    scores = Range(
        min(one.scores for one in every),
        sum(one.scores for one in likely) / len(likely),
        max(one.scores for one in every),
    )
    known = {model: take for model, take in takes.items() if take.calls.worst}
    return Forecast(
        total.calls,
        total.prompt,
        total.completion,
        scores,
        _cost(known),
        _seconds(known),
        {model: round(take.calls.expected) for model, take in known.items()},
        _notes(known),
    )


def _joined(likely: Sequence[Simulation], every: Sequence[Simulation]) -> dict[str, Take]:
    """By model: the least and the most over all worlds, the mean over the likely ones."""
    models = dict.fromkeys(model for one in every for model in one.takes)

    def ranged(model: str, name: str) -> Range:
        found: list[Range] = [getattr(one.takes.get(model, Take()), name) for one in every]
        usual: list[Range] = [getattr(one.takes.get(model, Take()), name) for one in likely]
        expected = sum(r.expected for r in usual) / len(usual)
        return Range(min(r.low for r in found), expected, max(r.worst for r in found))

    return {model: Take(*(ranged(model, n) for n in ("calls", "prompt", "completion"))) for model in models}


def _cost(takes: Mapping[str, Take]) -> Range | None:
    total = Range()
    for model, take in takes.items():
        ends = []
        for end in ("low", "expected", "worst"):
            usage = Usage(round(getattr(take.prompt, end)), round(getattr(take.completion, end)))
            ends.append(prices.cost(model, usage))
        if any(dollars is None for dollars in ends):
            return None
        total += Range(*(dollars or 0.0 for dollars in ends))
    return total


def _seconds(takes: Mapping[str, Take]) -> Range | None:
    total = Range()
    for model, take in takes.items():
        pace = _seconds_per_call(model)
        if pace is None:
            return None
        total += take.calls.times(pace, pace, pace)
    return total


def _seconds_per_call(model: str) -> float | None:
    """Of the time in which the model's latest recorded calls were under way, the share of one call: less
    than its latency where several were asked at once. `None` where fewer than 3 are recorded.
    """
    from telic.store.default import default_store

    spans = []
    for _, row in islice(default_store().scan("calls", contains=f'"{model}"'), _RECENT):
        latency = row["response"].get("latency") or 0.0
        spans.append((row["time"] - latency, row["time"]))
    if len(spans) < 3:
        return None
    busy, until = 0.0, 0.0
    for began, ended in sorted(spans):
        busy += max(0.0, ended - max(began, until))
        until = max(until, ended)
    return busy / len(spans)


def _notes(takes: Mapping[str, Take]) -> tuple[str, ...]:
    notes = ["Answers that are in the record already cost nothing; they are counted here."]
    unknown = [model for model in takes if not prices.price_known(model)]
    if unknown:
        notes.append(f"The price of {', '.join(unknown)} is not known.")
    return tuple(notes)


def _row(value: Range | None) -> dict[str, float] | None:
    if value is None:
        return None
    return {name: round(getattr(value, name), 6) for name in ("low", "expected", "worst")}
