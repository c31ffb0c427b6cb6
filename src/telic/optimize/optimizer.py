"""`Optimizer`: what every optimizer is, a strategy with parameters; the engine does the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from telic.optimize import running
from telic.optimize.problem import Problem
from telic.optimize.strategy import Strategy
from telic.runtime.events import active_callbacks, notify_around

if TYPE_CHECKING:
    from telic.budget import Budget
    from telic.optimize.forecast import Forecast

_about: ContextVar[Mapping[str, Any] | None] = ContextVar("telic_run_about", default=None)


@contextmanager
def describing_runs(**about: Any) -> Iterator[None]:
    """Note facts with every run begun in a block, such as the command that began it."""
    token = _about.set({**(_about.get() or {}), **about})
    try:
        yield
    finally:
        _about.reset(token)


class Optimizer:
    """Base of all optimizers.

    A subclass keeps its parameters as attributes, writes what to try as a strategy (see
    `telic.optimize.strategy`), and gives `compile` the parameters its users expect:

        class Greedy(Optimizer):
            def __init__(self, metric):
                self.metric = metric

            def compile(self, student, *, trainset):
                problem = make_problem(student, trainset=trainset, valset=None, metric=self.metric)
                return self.run(problem, my_strategy(problem))
    """

    metric: Any = None
    num_threads: int | None = None
    max_errors: int | None = None
    display_progress: bool | None = None

    def get_params(self) -> dict[str, Any]:
        """The parameters this optimizer was made with."""
        return dict(vars(self))

    def forecast(self, *args: Any, **kwargs: Any) -> Forecast:
        """What `compile` would take with these arguments: calls, tokens, money, time. No model is asked.

        Raises:
            LMNotConfiguredError: a predictor has no LM, so that nothing is known of its prompts.
        """
        from telic.optimize.forecast import forecast_of

        compile_: Callable[..., Any] = self.compile  # type: ignore[attr-defined]
        return forecast_of(lambda: compile_(*args, **kwargs))

    def run(
        self,
        problem: Problem,
        strategy: Strategy,
        *,
        run_id: str | None = None,
        options: Mapping[str, Any] | None = None,
        budget: Budget | None = None,
    ) -> Any:
        """Run the strategy under the engine and return the compiled copy of the student.

        The run is named by everything it depends on, so the same call goes on where a killed one ended.

        Args:
            problem: what is compiled.
            strategy: what to try.
            run_id: a name of one's own.
            options: what else the outcome depends on; part of the run's identity.
            budget: caps of this run, beside those in force; reached, it ends with the best so far.

        Raises:
            CompileError: too many errors; what was scored is kept.
            RunMismatchError: `run_id` names a run of another program, data set or metric.
        """
        runner = running.current()
        if runner is not None:
            from telic.optimize.compiling import imagined_by

            return imagined_by(self, problem, strategy, lambda p, s: runner(p, s, budget))
        inputs = {
            "student": problem.student,
            "trainset": problem.trainset,
            "valset": problem.valset,
            "run_id": run_id,
        }
        with budget or nullcontext(), notify_around(active_callbacks(), "compile", self, inputs) as done:
            # What a run takes is loaded when there is one.
            from telic.optimize.compiling import compiled_by

            compiled = compiled_by(self, problem, strategy, run_id, options or {})
            done(compiled)
        return compiled

    def fingerprint(self, options: Mapping[str, Any]) -> str:
        """Hash of the parameters that the outcome depends on."""
        from telic._json import stable_hash
        from telic.optimize.fingerprint import parameter_identity

        # How many threads, and what is shown, change nothing of the outcome.
        indifferent = {"metric", "num_threads", "max_errors", "display_progress", "teacher_settings"}
        given = self.get_params()
        params = {k: parameter_identity(v) for k, v in given.items() if k not in indifferent}
        teacher = {k: parameter_identity(v) for k, v in (given.get("teacher_settings") or {}).items()}
        return stable_hash([type(self).__name__, params, teacher, dict(options)])

    def describe(self, problem: Problem) -> dict[str, Any]:
        """What `telic runs` shows of a run."""
        return {
            "optimizer": type(self).__name__,
            "program": type(problem.student).__name__,
            "train": len(problem.trainset),
            "validation": len(problem.valset),
            **(_about.get() or {}),
        }
