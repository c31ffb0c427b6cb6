"""What is shown while an evaluation runs: the running score with its interval, and what went wrong so far."""

from __future__ import annotations

import sys
from time import monotonic
from typing import Any, Protocol

from telic.evaluate.statistics import ScoreSummary

_BAR_SECONDS = 0.1
_LINE_SECONDS = 10.0


class Progress(Protocol):
    """Told of the state after each example; shows it now and then."""

    def update(self, done: int, scores: ScoreSummary, failures: int, errors: int) -> None:
        """`done` examples have come in."""
        ...

    def close(self) -> None:
        """Nothing more comes."""
        ...


class Silent:
    """Shows nothing."""

    def update(self, done: int, scores: ScoreSummary, failures: int, errors: int) -> None:
        """Nothing is shown."""

    def close(self) -> None:
        """Nothing is shown."""


class Bar:
    """A live bar, on a terminal or in a notebook."""

    def __init__(self, total: int, title: str) -> None:
        from rich import progress

        self._progress = progress.Progress(
            progress.TextColumn("{task.description}"),
            progress.BarColumn(bar_width=24),
            progress.MofNCompleteColumn(),
            progress.TimeElapsedColumn(),
            progress.TimeRemainingColumn(),
            progress.TextColumn("{task.fields[state]}"),
            console=_console(),
        )
        self._task = self._progress.add_task(title, total=total, state="")
        self._next = 0.0
        self._last: tuple[int, ScoreSummary, int, int] | None = None
        self._progress.start()

    def update(self, done: int, scores: ScoreSummary, failures: int, errors: int) -> None:
        """Show the state, at most ten times a second."""
        self._last = (done, scores, failures, errors)
        now = monotonic()
        if now >= self._next:
            self._next = now + _BAR_SECONDS
            self._show()

    def close(self) -> None:
        """Show the last state, and leave it on the screen."""
        self._show()
        self._progress.stop()

    def _show(self) -> None:
        if self._last is not None:
            done, scores, failures, errors = self._last
            self._progress.update(self._task, completed=done, state=state(scores, failures, errors))


class Lines:
    """A line every ten seconds and one at the end, for logs and pipes."""

    def __init__(self, total: int, title: str) -> None:
        self._total = total
        self._title = title
        self._next = monotonic() + _LINE_SECONDS
        self._last: tuple[int, ScoreSummary, int, int] | None = None

    def update(self, done: int, scores: ScoreSummary, failures: int, errors: int) -> None:
        """Write a line if the last one was long ago."""
        self._last = (done, scores, failures, errors)
        now = monotonic()
        if now >= self._next:
            self._next = now + _LINE_SECONDS
            self._show()

    def close(self) -> None:
        """Write the last line."""
        self._show()

    def _show(self) -> None:
        if self._last is not None:
            done, scores, failures, errors = self._last
            print(f"{self._title}: {done}/{self._total}, {state(scores, failures, errors)}", file=sys.stderr)


def progress(display: bool, total: int, title: str) -> Progress:
    """A bar on a terminal or in a notebook, lines elsewhere, nothing if not wanted."""
    if not display:
        return Silent()
    console = _console()
    return Bar(total, title) if console.is_terminal or console.is_jupyter else Lines(total, title)


def state(scores: ScoreSummary, failures: int, errors: int) -> str:
    """`61.7 % [53.0, 69.7], 2 unreadable, 1 error`."""
    parts = []
    if scores.count:
        parts.append(f"{100 * scores.mean:.1f} % {scores.interval().percent()}")
    if failures:
        parts.append(f"{failures} unreadable")
    if errors:
        parts.append(f"{errors} error{'' if errors == 1 else 's'}")
    return ", ".join(parts)


def _console() -> Any:
    from rich.console import Console

    return Console(stderr=True)
