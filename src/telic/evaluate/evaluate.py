"""`Evaluate`: how good is a program on a devset, and how sure is that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from telic.evaluate.checks import check_options, error_limit
from telic.evaluate.metric import Metric

if TYPE_CHECKING:
    from pathlib import Path

    from telic.evaluate.result import EvaluationResult


class Evaluate:
    """Run a program on every example of a devset, score it, and say how sure the score is.

    Args:
        devset: examples with their inputs set (`with_inputs`).
        metric: `metric(example, prediction, trace=None)`, see `telic.evaluate.metric`.
        num_threads: examples at a time; `settings.num_threads` by default.
        display_progress: show a bar with the running score (a line every ten seconds without a terminal).
        display_table: print the results as a table: all of them, or the first so many.
        max_errors: stop once more examples than this have raised an error: a count, or a share of the devset
            (above 0, below 1); `settings.max_errors` by default. Unreadable answers do not count.
        provide_traceback: keep and show tracebacks of errors; `settings.provide_traceback` by default.
        failure_score: score of an answer that could not be read.
        save_as_csv: file to write the results to.
        save_as_json: file to write the results to.
        **kwargs: refused, or (`settings.refuse_unfit_inputs`) ignored with a warning.

    Attributes:
        last_result: what the last call found, up to where it came if it was stopped.

    Raises:
        InputError: `max_errors` is neither a count nor a share, or there is no such option.
    """

    def __init__(
        self,
        *,
        devset: Sequence[Any],
        metric: Metric | None = None,
        num_threads: int | None = None,
        display_progress: bool = False,
        display_table: bool | int = False,
        max_errors: float | None = None,
        provide_traceback: bool | None = None,
        failure_score: float = 0.0,
        save_as_csv: str | Path | None = None,
        save_as_json: str | Path | None = None,
        **kwargs: Any,
    ) -> None:
        check_options(kwargs)
        self.devset = devset
        self.metric = metric
        self.num_threads = num_threads
        self.display_progress = display_progress
        self.display_table = display_table
        self.max_errors = max_errors
        self.provide_traceback = provide_traceback
        self.failure_score = failure_score
        self.save_as_csv = save_as_csv
        self.save_as_json = save_as_json
        self.last_result: EvaluationResult | None = None
        error_limit(max_errors, 1)

    def __call__(
        self,
        program: Any,
        metric: Metric | None = None,
        devset: Sequence[Any] | None = None,
        num_threads: int | None = None,
        display_progress: bool | None = None,
        display_table: bool | int | None = None,
        callback_metadata: dict[str, Any] | None = None,
        save_as_csv: str | Path | None = None,
        save_as_json: str | Path | None = None,
    ) -> EvaluationResult:
        """Evaluate `program`, blocking; arguments given here win over those of the constructor.

        Args:
            program: a module, or any function of the inputs, sync or async.
            metric: as in the constructor.
            devset: as in the constructor.
            num_threads: as in the constructor.
            display_progress: as in the constructor.
            display_table: as in the constructor.
            callback_metadata: handed to callbacks with the call.
            save_as_csv: as in the constructor.
            save_as_json: as in the constructor.

        Raises:
            MetricError: the metric cannot be called; nothing was paid for.
            DataError: the devset is empty or has rows that are no examples with inputs; nothing was paid for.
            EvaluationError: too many examples raised an error, or all did. Its `result` is what came in.
            LMError, BudgetExceededError: one that every example would meet, such as a wrong key. Its `result`
                is what came in before, as it is on a `KeyboardInterrupt`.
        """
        from telic.evaluate.evaluation import Evaluation

        run = Evaluation(self, program, metric, devset, display_progress)
        with run.told(callback_metadata) as done:
            with run.under_way():
                run.blocking(num_threads or self.num_threads)
            result = run.finish(display_table, save_as_csv, save_as_json)
            done(result)
        return result

    async def acall(
        self,
        program: Any,
        metric: Metric | None = None,
        devset: Sequence[Any] | None = None,
        num_threads: int | None = None,
        display_progress: bool | None = None,
        display_table: bool | int | None = None,
        callback_metadata: dict[str, Any] | None = None,
        save_as_csv: str | Path | None = None,
        save_as_json: str | Path | None = None,
    ) -> EvaluationResult:
        """`__call__` on the running loop, which stays free for others."""
        from telic.evaluate.evaluation import Evaluation

        run = Evaluation(self, program, metric, devset, display_progress)
        with run.told(callback_metadata) as done:
            with run.under_way():
                await run.awaited(num_threads or self.num_threads)
            result = run.finish(display_table, save_as_csv, save_as_json)
            done(result)
        return result

    def __repr__(self) -> str:
        return (
            f"Evaluate({len(self.devset)} examples, metric={getattr(self.metric, '__name__', self.metric)!r})"
        )
