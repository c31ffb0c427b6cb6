"""What is measured, how often, and what is required of the ratio."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Case:
    """One comparison.

    Attributes:
        name: the function in `cases_telic` and in the rival's module.
        title: how the table calls it.
        unit: of one measurement: `s` (seconds per operation) and `MB` are better low, `/s` is better high.
        required: bound on telic's median over the rival's: at most for `s`, at least for `/s`; for `MB` the
            bound is on telic's own value; `None` where the number is only shown.
        n: operations in one measurement.
        rounds: measurements of each side, taken in turns.
        rival: whom telic is measured against: `dspy`, `raw` (the bare aiohttp client), `telic` (itself, at
            `rival_n` operations).
        options: passed to both sides.
    """

    name: str
    title: str
    unit: Literal["s", "/s", "MB"]
    required: float | None
    n: int
    rounds: int = 7
    rival: Literal["dspy", "raw", "telic"] = "dspy"
    rival_n: int | None = None
    options: dict[str, Any] = field(default_factory=dict)

    def passes(self, telic: float, ratio: float) -> bool | None:
        """Whether what was measured is as required; `None` where nothing is."""
        if self.required is None:
            return None
        if self.unit == "MB":
            return telic <= self.required
        return ratio >= self.required if self.unit == "/s" else ratio <= self.required


def cases() -> list[Case]:
    """Every case, in the order of the table."""
    return [*_calls(), *_evaluation(), *_server(), *_memory()]


def _calls() -> list[Case]:
    return [
        Case("imported", "import", "s", 1 / 3, 1),
        Case("signature", "signature from a string", "s", 1 / 10, 200),
        Case("construction", "Predict from a string", "s", 1 / 10, 200),
        Case("predict", "Predict on an in-process stub", "s", 1 / 4, 1000),
        Case("predict", "Predict on a stub, 8 demos", "s", 1 / 4, 500, options={"demos": 8}),
        Case("acall", "acall on an in-process stub", "s", 1 / 4, 1000),
        Case("cached", "Predict answered from memory", "s", 1 / 4, 1000),
    ]


def _evaluation() -> list[Case]:
    return [
        Case("evaluate", "Evaluate on a stub, 1,000 examples", "/s", 4, 1_000, 5),
        Case("evaluate", "Evaluate on a stub, 8,000 examples", "/s", 4, 8_000, 3),
        Case("evaluate", "Evaluate, 100,000 over 1,000", "/s", 0.8, 100_000, 3, "telic", 1_000),
    ]


def _server() -> list[Case]:
    """Against the loopback server telic is held to the bare client; how DSPy does is shown beside it."""
    found = []
    for in_flight, required, n in ((16, 0.8, 2_000), (64, 0.8, 5_000), (256, 0.6, 8_000)):
        title = f"20 ms server, {in_flight} in flight, over"
        options = {"in_flight": in_flight}
        found.append(Case("served", f"{title} raw aiohttp", "/s", required, n, 5, "raw", options=options))
        found.append(Case("served", f"{title} DSPy", "/s", None, 600, 2, "dspy", options=options))
    return found


def _memory() -> list[Case]:
    return [Case("growth", "memory growth, 10,000 calls of 2 KB", "MB", 10, 10_000, 1)]
