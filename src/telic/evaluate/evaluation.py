"""One evaluation under way: options settled, outcomes booked as they come in, the result in the end."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

from telic.errors import EvaluationError
from telic.evaluate.checks import checked_devset, error_limit
from telic.evaluate.metric import BoundMetric, Metric, bind_metric
from telic.evaluate.outcome import Outcome, describe, traceback_text
from telic.evaluate.progress import progress
from telic.evaluate.result import EvaluationResult
from telic.evaluate.runner import arun_examples, run_examples
from telic.evaluate.statistics import ScoreSummary
from telic.runtime.events import active_callbacks, notify_around
from telic.runtime.settings import settings

logger = logging.getLogger("telic.evaluate")


class Evaluation:
    """One call of an `Evaluate`: what it was told, and what has come in.

    Args:
        owner: the `Evaluate`; its `last_result` is set.
        program: what is evaluated.
        metric: instead of the owner's.
        devset: instead of the owner's.
        display: whether progress is shown, instead of the owner's.
    """

    def __init__(
        self, owner: Any, program: Any, metric: Metric | None, devset: Any, display: bool | None
    ) -> None:
        self.owner = owner
        self.program = program
        self.metric: BoundMetric = bind_metric(metric if metric is not None else owner.metric)
        self.examples = examples = checked_devset(owner.devset if devset is None else devset)
        self.limit = error_limit(owner.max_errors, len(examples))
        wanted = owner.provide_traceback
        self.with_traceback: bool = settings.provide_traceback if wanted is None else wanted
        self.options: dict[str, Any] = {
            "max_errors": self.limit,
            "on_result": self._take,
            "failure_score": owner.failure_score,
            "score_errors": settings.score_errors,
        }
        shown = owner.display_progress if display is None else display
        title = self.metric.name if self.metric.name.isidentifier() else "score"
        self.progress = progress(shown, len(examples), title)
        self.outcomes: list[Outcome] = []
        self.scores = ScoreSummary()
        self.failures = self.errors = 0
        self.started = perf_counter()
        self.seconds = 0.0

    def blocking(self, num_threads: int | None) -> None:
        """Run every example, and wait for it here."""
        run_examples(self.program, self.examples, self.metric, num_threads=num_threads, **self.options)

    async def awaited(self, num_threads: int | None) -> None:
        """Run every example, leaving the loop to others."""
        await arun_examples(self.program, self.examples, self.metric, num_threads=num_threads, **self.options)

    def _take(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        if outcome.score is not None:
            self.scores.add(outcome.score)
        if outcome.error is not None:
            self.errors += 1
            if self.errors == 1:
                self._show(outcome.error, outcome.index, "further ones are counted, see result.errors")
        elif outcome.failure is not None:
            self.failures += 1
            if self.failures == 1:
                self._show(outcome.failure, outcome.index, "further ones are counted, see result.failures")
            if not self.with_traceback:
                _without_frames(outcome.failure)
        self.progress.update(len(self.outcomes), self.scores, self.failures, self.errors)

    def _show(self, error: BaseException, index: int, more: str) -> None:
        where = f"\n{traceback_text(error)}" if self.with_traceback else ""
        logger.warning("Example %d: %s (%s)%s", index, describe(error)[:1000], more, where)

    def told(self, metadata: dict[str, Any] | None) -> AbstractContextManager[Callable[[Any], None]]:
        """Callbacks hear of the start and the end."""
        inputs = {
            "program": self.program,
            "metric": self.metric.metric,
            "devset": self.examples,
            "callback_metadata": metadata,
        }
        return notify_around(active_callbacks(), "evaluate", self.owner, inputs)

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """Whatever ends the run, what came in is kept and goes with the exception."""
        try:
            yield
        except BaseException as error:
            result = self._result()
            error.add_note(
                f"The evaluation stopped at {len(result)} of {result.total} examples ({result.summary()}). "
                "That is kept in `evaluate.last_result`, and answered calls are not paid for again."
            )
            error.result = result  # type: ignore[attr-defined]
            raise
        finally:
            self.progress.close()

    def _result(self) -> EvaluationResult:
        self.seconds = perf_counter() - self.started
        # A copy, since a thread that an interrupt left behind may still report.
        self.owner.last_result = result = EvaluationResult(
            outcomes=sorted(self.outcomes, key=lambda outcome: outcome.index),
            total=len(self.examples),
            seconds=self.seconds,
            metric_name=self.metric.name,
            with_traceback=self.with_traceback,
        )
        return result

    def finish(
        self, display_table: bool | int | None, csv: str | Path | None, json: str | Path | None
    ) -> EvaluationResult:
        """The result, written and shown as asked for; raises where there were too many errors."""
        result = self._result()
        owner = self.owner
        if csv or owner.save_as_csv:
            result.to_csv(csv or owner.save_as_csv)
        if json or owner.save_as_json:
            result.save_as_json(json or owner.save_as_json or "")
        shown = owner.display_table if display_table is None else display_table
        if shown is not False and shown != 0:
            print(result.to_table(len(result) if shown is True else shown))
        none_scored = self.errors == len(self.examples) and not self.options["score_errors"]
        if self.errors > self.limit or none_scored:
            raise EvaluationError(_too_many(result, self.limit), result=result)
        return result


def _without_frames(error: BaseException) -> None:
    """Let go of the frames an exception holds: there may be as many unreadable answers as examples."""
    link: BaseException | None = error
    while link is not None:
        link.__traceback__ = None
        link = link.__cause__ or link.__context__


def _too_many(result: EvaluationResult, limit: float) -> str:
    causes = Counter(problem.error[:300] for problem in result.errors)
    first = {problem.error[:300]: problem.index for problem in reversed(result.errors)}
    listed = "; ".join(f"{n} × {text} (first at example {first[text]})" for text, n in causes.most_common(3))
    kept = f"; {len(result)} of {result.total} examples were run, kept in the `result` of this exception"
    allowed = (
        "every example did" if len(result.errors) == result.total else f"at most {int(limit)} are allowed"
    )
    return f"{len(result.errors)} examples raised an error ({allowed}): {listed}{kept}."
