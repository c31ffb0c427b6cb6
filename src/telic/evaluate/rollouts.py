"""One run of jobs: what happens to each example, and the two drivers that make it happen.

Programs that can run as coroutines, on LMs that wait for a network, are awaited on one event loop, many at a
time, while the metric works on threads beside it; every other program is called on threads. Both run each
example in a copy of the caller's context and under a scope of its own.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
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
class Options:
    """How jobs are run.

    Attributes:
        max_errors: begin no more jobs once more than this many have raised.
        on_result: told of each outcome as it comes in, one call at a time, on whatever thread; it may block,
            but holds up the next one while it does. What it raises ends the run.
        capture_trace: collect predictor calls, and give them to the metric.
        failure_score: score of an answer that could not be read.
        rollout_id: which sample of the program is wanted where a job does not say.
        score_errors: whatever is raised is scored with the failure score too; unreadable answers are then
            errors like others, and no error is so hopeless that it ends the run.
    """

    max_errors: float = inf
    on_result: OnOutcome | None = None
    capture_trace: bool = False
    failure_score: float = 0.0
    rollout_id: int | str | None = None
    score_errors: bool = False


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


class Rollouts:
    """One run of jobs, from which each driver takes what it needs."""

    def __init__(
        self, programs: list[Any], jobs: Iterable[Job], count: int, metric: Metric | None, options: Options
    ) -> None:
        self.jobs = jobs
        self.metric = None if metric is None else bind_metric(metric)
        self.options = options
        self.capture_trace = options.capture_trace
        self.on_result = options.on_result
        self.done: list[Outcome | None] = [None] * count
        self.hopeless: BaseException | None = None
        self.on_loop = bool(programs) and all(map(runs_as_coroutine, programs))

    # Drivers.

    def blocking(self, num_threads: int | None) -> list[Outcome]:
        """Whichever driver suits, waited for here."""
        threads = num_threads or settings.num_threads
        if self.on_loop:
            from telic.runtime.portal import portal

            return portal.run(self.awaited(threads))
        return self.threaded(threads)

    async def beside_others(self, num_threads: int | None) -> list[Outcome]:
        """Whichever driver suits, without blocking the running loop."""
        threads = num_threads or settings.num_threads
        return await (self.awaited(threads) if self.on_loop else self.beside(threads))

    def threaded(self, num_threads: int) -> list[Outcome]:
        """Call programs and metric on threads; blocks."""
        from telic.runtime.executor import bounded_map

        bounded_map(
            self._rollout, self._items(), num_threads=num_threads, on_result=self._finished, stop=self._stop
        )
        return self._outcomes()

    async def awaited(self, limit: int) -> list[Outcome]:
        """Await programs on the running loop; metric and `on_result` work on threads beside it."""
        from telic.runtime.executor import abounded_map

        idle = self.metric is None and self.on_result is None
        await abounded_map(
            self._arollout,
            self._items(),
            limit=limit,
            then=None if idle else self._score_after,
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
        default = self.options.rollout_id
        for index, job in enumerate(self.jobs):
            rollout = default if job.rollout_id is None else job.rollout_id
            yield job.program, Outcome(index, job.example, rollout)

    def _rollout(self, item: tuple[Any, Outcome]) -> None:
        program, outcome = item
        self._enter(program, outcome)
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
        self._enter(program, outcome)
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
        if self.metric is not None and not self.metric.is_async and item[1].failure is None:
            self._score(item[1], self.metric)

    def _enter(self, program: Any, outcome: Outcome) -> None:
        # Every example runs in a context of its own, so the scope need not be left again.
        scope = scopes.current()
        outcome.trace = [] if self.capture_trace else None
        rollout = outcome.rollout_id if outcome.rollout_id is not None else scope.rollout_id
        sinks = (*scope.sinks, outcome)
        # What a program's own entry would set, set here at once, unless it has usage to count.
        root = program if hasattr(program, "named_predictors") and not settings.track_usage else None
        scopes.enter(scopes.Scope(root, outcome.trace, scope.budgets, sinks, rollout, scope.preview))

    def _unreadable(self, outcome: Outcome, error: AdapterParseError) -> None:
        if self.options.score_errors:
            raise error
        outcome.failure = error
        if self.metric is not None:
            outcome.value = outcome.score = self.options.failure_score

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
            if self.options.score_errors and self.metric is not None:
                outcome.value = outcome.score = self.options.failure_score
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
        hopeless = () if self.options.score_errors else HOPELESS
        if self.hopeless is None and isinstance(failure.error, hopeless):
            self.hopeless = failure.error
        return self.hopeless is not None or count > self.options.max_errors

    def _outcomes(self) -> list[Outcome]:
        if self.hopeless is not None:
            raise self.hopeless
        return [outcome for outcome in self.done if outcome is not None]


def inputs_of(example: Any) -> dict[str, Any]:
    """The input fields of an example, as keyword arguments.

    Raises:
        DataError: it is not known which fields are inputs.
    """
    keys = getattr(example, "_input_keys", None)
    if keys is None:
        return dict(example.inputs().items())
    return {name: value for name, value in example.items() if name in keys}


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
