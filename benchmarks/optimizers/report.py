"""The two tables, the bounds, and the record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, TypeAlias

from benchmarks import page
from benchmarks.optimizers.pairing import Estimate, Found, Verdict
from benchmarks.optimizers.settings import OPTIMIZERS
from benchmarks.optimizers.tasks import TASKS

MOST_CALLS = 0.5
MOST_TIME = 0.5

Key: TypeAlias = tuple[str, str]
"""Task and optimizer."""
Verdicts: TypeAlias = Mapping[Key, Verdict | None]


def tables(verdicts: Verdicts) -> str:
    """Scores, and below what the compiles took."""
    scores = page.table(
        ["task", "optimizer", "telic", "DSPy", "difference", "unreadable", "refused, errors", "repeats"],
        [_scores(key, verdict) for key, verdict in verdicts.items()],
    )
    spent = page.table(
        ["task", "optimizer", "calls", "ratio", "s", "ratio", "CPU s", "ratio"],
        [_spent(key, verdict) for key, verdict in verdicts.items() if verdict],
    )
    return f"{scores}\n\n{spent}"


def _scores(key: Key, verdict: Verdict | None) -> list[str]:
    if verdict is None:
        return [*_named(key), *["not compiled"] * 2, *[""] * 3, "0"]
    return [
        *_named(key),
        *(_score(verdict.scores[side]) for side in ("telic", "dspy")),
        _difference(verdict.difference),
        f"{verdict.unread['telic']}, {verdict.unread['dspy']} of {verdict.rows}",
        f"{verdict.refused['telic']}, {verdict.refused['dspy']}",
        f"{verdict.pairs}{_failed(verdict)}",
    ]


def _named(key: Key) -> list[str]:
    task, optimizer = key
    return [TASKS[task].title, OPTIMIZERS[optimizer]["class"]]


def _score(one: Estimate) -> str:
    ends = f" ({page.interval(one.interval)})" if one.interval else ""
    return f"{page.percent(one.value)}{ends}"


def _difference(one: Estimate) -> str:
    ends = f" ({one.interval.low:+.0f} to {one.interval.high:+.0f})" if one.interval else ""
    return f"{one.value:+.0f}{ends}"


def _failed(verdict: Verdict) -> str:
    names = {"telic": "telic", "dspy": "DSPy"}
    failed = [f"{names[side]} failed {count}" for side, count in verdict.failed.items() if count]
    return f" ({', '.join(failed)})" if failed else ""


def _spent(key: Key, verdict: Verdict) -> list[str]:
    cells = []
    for what, ratio in verdict.ratios.items():
        ours, theirs = (verdict.spent[side][what] for side in ("telic", "dspy"))
        cells += [f"{_quantity(ours)}, {_quantity(theirs)}", _ratio(ratio)]
    return [*_named(key), *cells]


def _quantity(value: float) -> str:
    return f"{value:,.1f}" if value < 10 else f"{value:,.0f}"


def _ratio(one: Estimate) -> str:
    ends = f" ({one.interval.low:.2f}–{one.interval.high:.2f})" if one.interval else ""
    return f"{one.value:.2f}{ends}"


def missed(verdicts: Verdicts) -> list[str]:
    """The bounds that were not kept, in words."""
    found = []
    for (task, optimizer), verdict in verdicts.items():
        name = f"{task}, {optimizer}"
        if verdict is None:
            found.append(f"{name}: no repeat was finished by both")
            continue
        bounds = {
            "the score is lower": verdict.difference.interval is None
            or verdict.difference.interval.high >= 0,
            f"calls {verdict.ratios['calls'].value:.2f} > {MOST_CALLS}": verdict.ratios["calls"].value
            <= MOST_CALLS,
            f"time {verdict.ratios['seconds'].value:.2f} > {MOST_TIME}": verdict.ratios["seconds"].value
            <= MOST_TIME,
            f"telic failed {verdict.failed['telic']} times": not verdict.failed["telic"],
        }
        found += [f"{name}: {bound}" for bound, kept in bounds.items() if not kept]
    return found


def recorded(
    verdicts: Verdicts, repeats: Mapping[Key, Sequence[Mapping[str, Found]]]
) -> list[dict[str, Any]]:
    """Everything, for the JSON record."""
    return [
        {
            "task": task,
            "optimizer": optimizer,
            "verdict": asdict(verdict) if verdict else None,
            "repeats": list(repeats[task, optimizer]),
        }
        for (task, optimizer), verdict in verdicts.items()
    ]
