"""Run a program on examples and score what it answers: the part that evaluations and compilers share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from telic.evaluate.metric import Metric
from telic.evaluate.outcome import Outcome
from telic.evaluate.rollouts import HOPELESS, Job, Options, Rollouts

__all__ = ["HOPELESS", "Job", "Options", "arun_examples", "run_examples", "run_jobs"]


def run_examples(
    program: Any,
    examples: Sequence[Any],
    metric: Metric | None,
    *,
    num_threads: int | None = None,
    **options: Any,
) -> list[Outcome]:
    """Run one program on examples; `run_jobs` with one job an example, and its options."""
    run = Rollouts([program], _jobs(program, examples), len(examples), metric, Options(**options))
    return run.blocking(num_threads)


async def arun_examples(
    program: Any,
    examples: Sequence[Any],
    metric: Metric | None,
    *,
    num_threads: int | None = None,
    **options: Any,
) -> list[Outcome]:
    """`run_examples` on the running loop; programs that may block run on threads beside it."""
    run = Rollouts([program], _jobs(program, examples), len(examples), metric, Options(**options))
    return await run.beside_others(num_threads)


def run_jobs(
    jobs: Sequence[Job], metric: Metric | None, *, num_threads: int | None = None, **options: Any
) -> list[Outcome]:
    """Run jobs, at most `num_threads` at a time, blocking; outcomes of those that were begun, in order.

    Args:
        jobs: what to run; `Outcome.index` is the place in here.
        metric: see `telic.evaluate.metric`; `None` runs without scoring.
        num_threads: `settings.num_threads` by default.
        **options: see `Options`.

    Raises:
        MetricError: the metric cannot be called; nothing was run.
        LMError, BudgetExceededError: one of `HOPELESS`, after what was under way has ended.
    """
    programs = list({id(job.program): job.program for job in jobs}.values())
    return Rollouts(programs, jobs, len(jobs), metric, Options(**options)).blocking(num_threads)


def _jobs(program: Any, examples: Iterable[Any]) -> Iterator[Job]:
    return (Job(program, example) for example in examples)
