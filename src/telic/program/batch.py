"""Programs on many examples at once, results in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from telic.errors import EvaluationError
from telic.runtime.executor import bounded_map
from telic.runtime.settings import settings


def run_batch(
    pairs: Sequence[tuple[Any, Any]],
    *,
    num_threads: int | None = None,
    max_errors: int | None = None,
    provide_traceback: bool | None = None,
    progress: bool = False,
    access_examples: bool = True,
) -> tuple[list[Any], list[Any], list[Exception]]:
    """Run `(program, example)` pairs concurrently, each in a copy of the caller's context.

    Args:
        pairs: what to run on what: an example or a dict of keywords, or a tuple of positional arguments.
        num_threads: how many at a time; `settings.num_threads` by default.
        max_errors: failures after which to stop; `settings.max_errors` by default.
        provide_traceback: log tracebacks of failures; `settings.provide_traceback` by default.
        progress: show a bar on a terminal.
        access_examples: pass an example's inputs as keywords; otherwise the example itself.

    Returns:
        Results in order (`None` where one failed), the failed examples, and their exceptions.

    Raises:
        EvaluationError: more failures than `max_errors`; its `result` is what this would have returned.
    """
    allowed = settings.max_errors if max_errors is None else max_errors
    if settings.stop_at_max_errors:
        allowed = max(allowed - 1, 0)
    threads = num_threads or settings.num_threads
    bar = _Bar(len(pairs)) if progress else None

    def booked(index: int, pair: Any, result: Any, error: BaseException | None) -> None:
        if error is not None:
            _log(index, error, settings.provide_traceback if provide_traceback is None else provide_traceback)
        if bar is not None:
            bar.advance()

    try:
        outcome = bounded_map(
            _runner(access_examples),
            pairs,
            num_threads=threads,
            on_result=booked,
            stop=lambda _, count: count > allowed,
        )
    finally:
        if bar is not None:
            bar.close()
    errors = [failure.error for failure in outcome.failures]
    results = [*outcome.results, *([None] * (len(pairs) - len(outcome.results)))]
    answer = (results, [pairs[f.index][1] for f in outcome.failures], errors)
    if len(errors) > allowed:
        raise EvaluationError(
            f"Stopped after {len(errors)} failures (max_errors={allowed}). The first: {errors[0]!r}",
            result=answer,
        ) from errors[0]
    return answer  # type: ignore[return-value]


def _runner(access_examples: bool) -> Callable[[tuple[Any, Any]], Any]:
    def run(pair: tuple[Any, Any]) -> Any:
        program, example = pair
        if isinstance(example, tuple):
            return program(*example)
        if not access_examples:
            return program(example)
        return program(**(example.inputs() if hasattr(example, "inputs") else example))

    return run


def _log(index: int, error: BaseException, with_traceback: bool) -> None:
    import logging

    logging.getLogger("telic").error(
        "example %d failed: %s: %s",
        index,
        type(error).__name__,
        error,
        exc_info=error if with_traceback else None,
    )


class _Bar:
    """A progress bar on standard error, where that is a terminal."""

    def __init__(self, total: int) -> None:
        import sys

        self._bar: Any = None
        if sys.stderr.isatty() and total > 1:
            from rich.console import Console
            from rich.progress import Progress

            self._bar = Progress(console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task("running", total=total)
            self._bar.start()

    def advance(self) -> None:
        """One more is done."""
        if self._bar is not None:
            self._bar.advance(self._task)

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
