"""Interleaved measurements of the two sides of a case, and their medians."""

from __future__ import annotations

import statistics
import tempfile
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.framework.cases import Case
from benchmarks.framework.sides import Server, Side, import_seconds

SERVED = {"cached", "served"}
"""Cases that ask the loopback server."""


@dataclass(frozen=True)
class Outcome:
    """What came out of a case: medians in the case's unit, and every single measurement."""

    title: str
    unit: str
    rival: str
    required: float | None
    telic: float
    other: float
    passed: bool | None
    samples: dict[str, list[float]]

    @property
    def ratio(self) -> float:
        """telic's median over the rival's."""
        return self.telic / self.other if self.other else float("inf")

    def to_json(self) -> dict[str, Any]:
        """With the ratio."""
        return {**asdict(self), "ratio": self.ratio}


def measure(case: Case, pythons: dict[str, str], server: Server) -> Outcome:
    """Run a case: telic, rival, telic, rival, … each in its own process."""
    ours, theirs = (
        _import_times(case, pythons) if case.name == "imported" else _samples(case, pythons, server)
    )
    telic, other = statistics.median(ours), statistics.median(theirs)
    passed = case.passes(telic, telic / other if other else float("inf"))
    samples = {"telic": ours, "other": theirs}
    return Outcome(case.title, case.unit, case.rival, case.required, telic, other, passed, samples)


def _import_times(case: Case, pythons: dict[str, str]) -> tuple[list[float], list[float]]:
    pairs = [
        (import_seconds(pythons["telic"], "telic"), import_seconds(pythons[case.rival], case.rival))
        for _ in range(case.rounds + 1)
    ]
    ours, theirs = zip(*pairs[1:], strict=True)  # The first pair also compiles the sources.
    return list(ours), list(theirs)


def _samples(case: Case, pythons: dict[str, str], server: Server) -> tuple[list[float], list[float]]:
    options = {**case.options, **({"url": server.url} if case.name in SERVED else {})}
    with tempfile.TemporaryDirectory() as home:
        sides = [Side("telic", pythons["telic"], home), Side(case.rival, pythons[case.rival], home)]
        sizes = [case.n, case.rival_n or case.n]
        try:
            if (
                case.unit != "MB"
            ):  # Connections, caches and lazy imports are made before anything is measured.
                for side, size in zip(sides, sizes, strict=True):
                    side.measure(case.name, min(size, 200), options)
            rounds = [
                [
                    _in_unit(case, side.measure(case.name, n, options), n)
                    for side, n in zip(sides, sizes, strict=True)
                ]
                for _ in range(case.rounds)
            ]
        finally:
            for side in sides:
                side.close()
    ours, theirs = zip(*rounds, strict=True)
    return list(ours), list(theirs)


def _in_unit(case: Case, value: float, n: int) -> float:
    if case.unit == "MB":
        return value
    return n / value if case.unit == "/s" else value / n
