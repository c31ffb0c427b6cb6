"""A live line of a compile: step, candidates, scores so far, calls, cost. Quiet where nobody looks."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from time import monotonic
from typing import Any

from telic.optimize.strategy import Ask, Trial

logger = logging.getLogger("telic")


class Progress:
    """Shows a run as it goes on: a live bar on a terminal, a log line a step elsewhere.

    Args:
        name: of the optimizer.
        show: force it on or off; by default on where standard error is a terminal.
    """

    def __init__(self, name: str, show: bool | None = None) -> None:
        self._name = name
        self._live = sys.stderr.isatty() if show is None else show
        self._bar: Any = None
        self._task: Any = None
        self._began = monotonic()
        self._good = 0.0
        self._done = 0

    def asked(self, trials: Sequence[Trial]) -> None:
        """A step begins."""
        total = sum(len(trial.examples) for trial in trials)
        if not total:
            return
        why = (
            trials[0].why
            if len(trials) == 1
            else f"{len(trials)} candidates, {trials[0].why.partition(', ')[2]}"
        )
        logger.info("%s: %s, %d examples", self._name, why, total)
        self._good, self._done = 0.0, 0
        if self._live:
            self._start_bar(why, total)

    def asking(self, asks: Sequence[Ask]) -> None:
        """A step of questions to a model begins."""
        logger.info("%s: %s, %d replies", self._name, asks[0].why or "asking", len(asks))
        self._done = 0
        if self._live:
            self._start_bar(asks[0].why or "asking", len(asks))

    def replied(self, spent: Any) -> None:
        """One reply is there."""
        if self._bar is not None:
            self._bar.update(self._task, advance=1, facts=f"{spent.calls} calls")

    def scored(self, trial: Trial, ran: Any, spent: Any) -> None:
        """One example is done."""
        self._done += 1
        self._good += ran.score or 0.0
        if self._bar is not None:
            cost = "" if not spent.cost else f", ${spent.cost:.4f}"
            self._bar.update(
                self._task,
                advance=1,
                facts=f"mean {100 * self._good / self._done:.1f} %, {spent.calls} calls{cost}",
            )

    def close(self) -> None:
        """The run is over."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
        logger.info("%s: done after %.1f s", self._name, monotonic() - self._began)

    def _start_bar(self, why: str, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bar

        if self._bar is not None:
            self._bar.stop()
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[facts]}"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._bar.add_task(f"{self._name}: {why}", total=total, facts="")
        self._bar.start()
