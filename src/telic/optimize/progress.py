"""What is shown of a compile while it runs: candidates with their scores, calls, cost, time left.

On a terminal it is a live table, elsewhere a log line a step.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from telic.evaluate.statistics import ScoreSummary
from telic.optimize.strategy import Ask, Result, Trial

logger = logging.getLogger("telic")

_SHOWN = 6
"""Candidates of the live table."""
_REFRESHES = 4
"""Of the live table, a second."""

_expected: ContextVar[float | None] = ContextVar("telic_expected_calls", default=None)


@contextmanager
def expecting_calls(calls: float) -> Iterator[None]:
    """Say how many LM calls the runs of a block are expected to take, for the time left to be shown."""
    token = _expected.set(calls)
    try:
        yield
    finally:
        _expected.reset(token)


@dataclass
class Standing:
    """A candidate as it stands.

    Attributes:
        label: what it is called.
        scores: of the validation examples it has seen.
        seen: positions of these.
    """

    label: str
    scores: ScoreSummary = field(default_factory=ScoreSummary)
    seen: set[int] = field(default_factory=set)

    def add(self, example: int, score: float | None) -> None:
        """Take in a score, once."""
        if score is not None and example not in self.seen:
            self.seen.add(example)
            self.scores.add(score)

    def row(self) -> dict[str, Any]:
        """Label, score and interval in percent, number of examples."""
        score, interval = round(100 * self.scores.mean, 2), list(self.scores.interval().percent())
        return {"label": self.label, "score": score, "interval": interval, "examples": self.scores.count}

    def __str__(self) -> str:
        return f"{self.label} {100 * self.scores.mean:.1f} % {self.scores.interval().percent()}"


class Progress:
    """Follows a run, and shows it.

    Args:
        name: of the optimizer.
        show: force the live table on or off; by default on where standard error is a terminal.

    Attributes:
        standings: candidate hash to how it stands.
    """

    def __init__(self, name: str, show: bool | None = None) -> None:
        self.standings: dict[str, Standing] = {}
        self._name = name
        self._wanted = sys.stderr.isatty() if show is None else show
        self._expected = _expected.get()
        self._live: Any = None
        self._began = monotonic()
        self._step = ""
        self._total = 0
        self._done = 0
        self._spent: Any = None

    def asked(self, trials: Sequence[Trial]) -> None:
        """A step of evaluations begins."""
        total = sum(len(trial.examples) for trial in trials)
        if total:
            self._begin(_what(trials), total, "examples")

    def asking(self, asks: Sequence[Ask]) -> None:
        """A step of questions to a model begins."""
        self._begin(asks[0].why or "asking", len(asks), "replies")

    def replied(self, spent: Any) -> None:
        """One reply is there."""
        self._done += 1
        self._spent = spent

    def scored(self, trial: Trial, example: int, score: float | None, spent: Any) -> None:
        """One example is done."""
        self._done += 1
        self._spent = spent
        self._stand(trial, example, score)

    def told(self, results: Sequence[Result]) -> None:
        """A step is over; what the journal knew before is among its results."""
        for result in results:
            for outcome in result.outcomes:
                self._stand(result.trial, outcome.example, outcome.score)
        leader = self.best()
        if leader is not None:
            logger.info("%s: best so far %s", self._name, leader)

    def best(self) -> Standing | None:
        """The candidate that is surest to be good."""
        return next(iter(self.ranked()), None)

    def ranked(self) -> list[Standing]:
        """Candidates that were scored, surest to be good first."""
        scored = [standing for standing in list(self.standings.values()) if standing.scores.count]
        return sorted(scored, key=lambda s: (s.scores.interval().low, s.scores.mean), reverse=True)

    def seconds_left(self) -> float | None:
        """At the pace so far, where it was said how many calls are expected."""
        made = 0 if self._spent is None else self._spent.calls + self._spent.cached_calls
        if not made or not self._expected:
            return None
        return max(0.0, (self._expected / made - 1.0) * (monotonic() - self._began))

    def stand(self, digest: str, label: str, example: int, score: float | None) -> None:
        """Take in a score of a candidate, by its hash."""
        if digest not in self.standings:
            self.standings[digest] = Standing(label)
        self.standings[digest].add(example, score)

    def close(self) -> None:
        """The run is over."""
        if self._live is not None:
            self._live.stop()
            self._live = None
        logger.info("%s: done after %.1f s", self._name, monotonic() - self._began)

    def _stand(self, trial: Trial, example: int, score: float | None) -> None:
        if trial.pool == "val" and not trial.teacher:
            digest = trial.candidate.hash
            self.stand(digest, trial.why.partition(",")[0] or digest[:8], example, score)

    def _begin(self, step: str, total: int, unit: str) -> None:
        logger.info("%s: %s, %d %s", self._name, step, total, unit)
        self._step, self._total, self._done = step, total, 0
        if self._wanted and self._live is None:
            from rich.console import Console
            from rich.live import Live

            console = Console(stderr=True)
            self._live = Live(
                get_renderable=self.view,
                console=console,
                refresh_per_second=_REFRESHES,
                transient=console.is_terminal,  # elsewhere the last table is all there is
            )
            self._live.start()

    def view(self) -> Any:
        """The live table, as rich shows it."""
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        head = Table.grid(padding=(0, 1))
        bar = ProgressBar(total=max(1, self._total), completed=self._done, width=24)
        head.add_row(Text(f"{self._name}: {self._step}"), bar, f"{self._done}/{self._total}")
        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in ("candidate", "score %", "95 % interval", "examples"):
            table.add_column(column)
        ranked = self.ranked()
        for number, standing in enumerate(ranked[:_SHOWN]):
            scores = standing.scores
            mark = " (best so far)" if not number else ""
            interval = f"{scores.interval().percent()}"
            table.add_row(
                Text(standing.label + mark), f"{100 * scores.mean:.1f}", Text(interval), f"{scores.count}"
            )
        parts: list[Any] = [head, table] if ranked else [head]
        if len(ranked) > _SHOWN:
            parts.append(Text(f"… and {len(ranked) - _SHOWN} more"))
        return Group(*parts, Text(self.facts()))

    def facts(self) -> str:
        """Calls, cost and time in a line."""
        spent = self._spent
        said = []
        if spent is not None:
            said.append(f"{spent.calls:,} calls")
            if spent.cached_calls:
                said.append(f"{spent.cached_calls:,} from the record")
            said.append("cost unknown" if spent.cost is None else f"${spent.cost:.4f}")
        said.append(f"{monotonic() - self._began:.0f} s")
        left = self.seconds_left()
        if left is not None:
            said.append(f"about {left:.0f} s left")
        return ", ".join(said)


def _what(trials: Sequence[Trial]) -> str:
    if len(trials) == 1:
        return trials[0].why
    return f"{len(trials)} candidates, {trials[0].why.partition(', ')[2]}".removesuffix(", ")
