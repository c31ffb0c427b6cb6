"""Run a program on examples and score what it answers: the part that evaluations and compilers share.

Two drivers. Programs that can run as coroutines, on LMs that wait for a network, are awaited on one event
loop, many at a time, while the metric works on threads beside it; every other program is called on threads.
Both run each example in a copy of the caller's context and under a scope of its own.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import inf
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeAlias

from telic.errors import (
    AdapterError,
    AdapterParseError,
    BudgetExceededError,
    LMAuthError,
    LMBillingError,
    LMConfigurationError,
    LMError,
    LMUnsupportedModelError,
    MetricError,
)
from telic.evaluate.metric import BoundMetric, Metric, bind_metric, score_of
from telic.evaluate.outcome import Outcome, describe
from telic.runtime import scope as scopes
from telic.runtime.settings import settings

if TYPE_CHECKING:
    from telic.runtime.outcome import Failure

HOPELESS = (LMConfigurationError, LMAuthError, LMBillingError, LMUnsupportedModelError, BudgetExceededError)
"""Errors that every further example would meet too; the first one ends the run and is raised."""

_PLAIN = (bool, int, float)
OnOutcome: TypeAlias = Callable[[Outcome], None]


@dataclass(frozen=True, slots=True)
class Job:
    """One rollout to be run.

    Attributes:
        program: called with the example's inputs.
        example: with its inputs set.
        rollout_id: which sample of the program is wanted; `None` for the canonical one.
    """

    program: Any
    example: Any
    rollout_id: int | str | None = None


def run_examples(
    program: Any,
    examples: Iterable[Any],
    metric: Metric | None,
    *,
    num_threads: int | None = None,
    max_errors: float = inf,
    on_result: OnOutcome | None = None,
    capture_trace: bool = False,
    rollout_id: int | str | None = None,
    failure_score: float = 0.0,
) -> list[Outcome]:
    """Run one program on examples; `run_jobs` with one job an example."""
    jobs = [Job(program, example, rollout_id) for example in examples]
    return run_jobs(
        jobs,
        metric,
        num_threads=num_threads,
        max_errors=max_errors,
        on_result=on_result,
        capture_trace=capture_trace,
        failure_score=failure_score,
    )


def run_jobs(
    jobs: Sequence[Job],
    metric: Metric | None,
    *,
    num_threads: int | None = None,
    max_errors: float = inf,
    on_result: OnOutcome | None = None,
    capture_trace: bool = False,
    failure_score: float = 0.0,
) -> list[Outcome]:
    """Run jobs, at most `num_threads` at a time, blocking; outcomes of those that were begun, in order.

    Args:
        jobs: what to run; `Outcome.index` is the place in here.
        metric: see `telic.evaluate.metric`; `None` runs without scoring.
        num_threads: `settings.num_threads` by default.
        max_errors: begin no more jobs once more than this many have raised.
        on_result: told of each outcome as it comes in, one call at a time, on whatever thread; it may block,
            but holds up the next one while it does. What it raises ends the run.
        capture_trace: collect predictor calls, and give them to the metric.
        failure_score: score of an answer that could not be read.

    Raises:
        MetricError: the metric cannot be called; nothing was run.
        LMError, BudgetExceededError: one of `HOPELESS`, after what was under way has ended.
    """
    run = _Run(jobs, metric, max_errors, on_result, capture_trace, failure_score)
    threads = num_threads or settings.num_threads
    if run.on_loop:
        from telic.runtime.portal import portal

        return portal.run(run.awaited(threads))
    return run.threaded(threads)


async def arun_jobs(
    jobs: Sequence[Job],
    metric: Metric | None,
    *,
    num_threads: int | None = None,
    max_errors: float = inf,
    on_result: OnOutcome | None = None,
    capture_trace: bool = False,
    failure_score: float = 0.0,
) -> list[Outcome]:
    """`run_jobs` on the running loop; programs that may block run on threads beside it."""
    run = _Run(jobs, metric, max_errors, on_result, capture_trace, failure_score)
    threads = num_threads or settings.num_threads
    return await (run.awaited(threads) if run.on_loop else run.beside(threads))


class _Run:
    """One run of jobs, from which each driver takes what it needs."""

    def __init__(
        self,
        jobs: Sequence[Job],
        metric: Metric | None,
        max_errors: float,
        on_result: OnOutcome | None,
        capture_trace: bool,
        failure_score: float,
    ) -> None:
        self.jobs = jobs
        self.metric = None if metric is None else bind_metric(metric)
        self.max_errors = max_errors
        self.on_result = on_result
        self.capture_trace = capture_trace
        self.failure_score = failure_score
        self.done: list[Outcome | None] = [None] * len(jobs)
        self.hopeless: BaseException | None = None
        programs = {id(job.program): job.program for job in jobs}
        self.on_loop = bool(programs) and all(map(runs_as_coroutine, programs.values()))

    # Drivers.

    def threaded(self, num_threads: int) -> list[Outcome]:
        """Call programs and metric on threads; blocks."""
        from telic.runtime.executor import bounded_map

        bounded_map(
            self._rollout, self._items(), num_threads=num_threads, on_result=self._finished, stop=self._stop
        )
        return self._outcomes()

    async def awaited(self, limit: int) -> list[Outcome]:
        """Await programs on the running loop; the metric works on threads beside it, unless it is async."""
        from telic.runtime.executor import abounded_map

        on_thread = self.metric is not None and not self.metric.is_async
        await abounded_map(
            self._arollout,
            self._items(),
            limit=limit,
            then=self._score_after if on_thread else None,
            num_threads=limit,
            on_result=self._finished,
            stop=self._stop,
        )
        return self._outcomes()

    async def beside(self, num_threads: int) -> list[Outcome]:
        """`threaded`, without blocking the running loop; cancelling the task stops the threads."""
        import asyncio

        from telic.runtime import cancel

        stop = cancel.Cancellation(cancel.current.get())
        token = cancel.current.set(stop)
        try:
            return await asyncio.to_thread(self.threaded, num_threads)
        except asyncio.CancelledError:
            stop.cancel()
            raise
        finally:
            cancel.current.reset(token)
            stop.close()

    # One example.

    def _items(self) -> Iterator[tuple[Any, Outcome]]:
        for index, job in enumerate(self.jobs):
            yield job.program, Outcome(index, job.example, job.rollout_id)

    def _rollout(self, item: tuple[Any, Outcome]) -> None:
        program, outcome = item
        self._enter(outcome)
        started = perf_counter()
        try:
            outcome.prediction = program(**inputs_of(outcome.example))
        except AdapterParseError as error:
            self._unreadable(outcome, error)
            return
        finally:
            outcome.seconds = perf_counter() - started
        if self.metric is not None:
            self._score(outcome, self.metric)

    async def _arollout(self, item: tuple[Any, Outcome]) -> None:
        program, outcome = item
        self._enter(outcome)
        started = perf_counter()
        try:
            call = getattr(program, "acall", program)
            outcome.prediction = await call(**inputs_of(outcome.example))
        except AdapterParseError as error:
            self._unreadable(outcome, error)
            return
        finally:
            outcome.seconds = perf_counter() - started
        if self.metric is not None and self.metric.is_async:
            self._book_score(outcome, await self._ask_metric(outcome, self.metric))

    def _score_after(self, item: tuple[Any, Outcome], _: None) -> None:
        outcome = item[1]
        if outcome.failure is None:
            assert self.metric is not None
            self._score(outcome, self.metric)

    def _enter(self, outcome: Outcome) -> None:
        # Every example runs in a context of its own, so the scope need not be left again.
        scope = scopes.current()
        outcome.trace = [] if self.capture_trace else None
        rollout = outcome.rollout_id if outcome.rollout_id is not None else scope.rollout_id
        sinks = (*scope.sinks, outcome)
        scopes.enter(scopes.Scope(None, outcome.trace, scope.budgets, sinks, rollout, scope.preview))

    def _unreadable(self, outcome: Outcome, error: AdapterParseError) -> None:
        outcome.failure = error
        if self.metric is not None:
            outcome.value = outcome.score = self.failure_score

    def _score(self, outcome: Outcome, metric: BoundMetric) -> None:
        value = self._ask_metric(outcome, metric)
        if type(value) not in _PLAIN and inspect.isawaitable(value):
            from telic.runtime.portal import portal

            value = portal.run(_awaited(value))
        self._book_score(outcome, value)

    def _ask_metric(self, outcome: Outcome, metric: BoundMetric) -> Any:
        outcome.scoring = True
        scope = scopes.current()
        if scope.trace is not None or scope.rollout_id is not None:
            # A judge's own calls are no part of the program's trace, nor of its sampling.
            scopes.enter(scopes.Scope(None, None, scope.budgets, scope.sinks, None, scope.preview))
        if outcome.trace is not None:
            return metric.traced(outcome.example, outcome.prediction, outcome.trace)
        return metric.plain(outcome.example, outcome.prediction)

    def _book_score(self, outcome: Outcome, value: Any) -> None:
        assert self.metric is not None
        outcome.value = value
        outcome.score, outcome.feedback = score_of(value, self.metric, outcome.index)

    # What came of it.

    def _finished(self, index: int, item: tuple[Any, Outcome], _: None, error: BaseException | None) -> None:
        outcome = item[1]
        if error is not None:
            outcome.error = self._explained(outcome, error)
        self.done[index] = outcome
        if self.on_result is not None:
            self.on_result(outcome)

    def _explained(self, outcome: Outcome, error: BaseException) -> BaseException:
        if not outcome.scoring or isinstance(
            error, (MetricError, LMError, AdapterError, BudgetExceededError)
        ):
            return error
        name = self.metric.name if self.metric is not None else "metric"
        told = MetricError(f"The metric '{name}' raised {describe(error)} (example {outcome.index}).")
        told.__cause__ = error
        return told

    def _stop(self, failure: Failure[Any], count: int) -> bool:
        if self.hopeless is None and isinstance(failure.error, HOPELESS):
            self.hopeless = failure.error
        return self.hopeless is not None or count > self.max_errors

    def _outcomes(self) -> list[Outcome]:
        if self.hopeless is not None:
            raise self.hopeless
        return [outcome for outcome in self.done if outcome is not None]


def inputs_of(example: Any) -> dict[str, Any]:
    """The input fields of an example, as keyword arguments.

    Raises:
        DataError: it is not known which fields are inputs.
    """
    return dict(example.inputs().items())


def runs_as_coroutine(program: Any) -> bool:
    """Whether many rollouts of `program` are best awaited on one loop.

    So it is where nothing in the program blocks and every LM it asks waits for a network, and for what can
    only be awaited.
    """
    if inspect.iscoroutinefunction(program) or inspect.iscoroutinefunction(type(program).__call__):
        return True
    capable = getattr(program, "async_capable", None)
    if capable is None or not capable():
        return False
    if not hasattr(program, "forward"):
        return True
    lms = [predictor.lm or settings.lm for predictor in program.predictors()]
    return bool(lms) and all(getattr(lm, "native_async", False) for lm in lms)


async def _awaited(value: Any) -> Any:
    return await value
