"""`Optimizer`: what every optimizer is, a strategy with parameters; the engine does the rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic
from typing import Any

from telic.optimize.engine import Engine
from telic.optimize.journal import Journal, free_run_id
from telic.optimize.problem import Problem
from telic.optimize.progress import Progress
from telic.optimize.report import CompileReport, compare_with_start, provenance
from telic.optimize.strategy import Choice, Ranked, Strategy
from telic.runtime.events import active_callbacks, notify_around

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

    def run(
        self,
        problem: Problem,
        strategy: Strategy,
        *,
        run_id: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run the strategy under the engine and return the compiled copy of the student.

        The run is named by everything it depends on, so the same call goes on where a killed one ended.

        Args:
            problem: what is compiled.
            strategy: what to try.
            run_id: a name of one's own.
            options: what else the outcome depends on; part of the run's identity.

        Raises:
            CompileError: too many errors; what was scored is kept.
            RunMismatchError: `run_id` names a run of another program, data set or metric.
        """
        inputs = {
            "student": problem.student,
            "trainset": problem.trainset,
            "valset": problem.valset,
            "run_id": run_id,
        }
        with notify_around(active_callbacks(), "compile", self, inputs) as done:
            compiled = self._run(problem, strategy, run_id, options or {})
            done(compiled)
        return compiled

    def _run(
        self, problem: Problem, strategy: Strategy, run_id: str | None, options: Mapping[str, Any]
    ) -> Any:
        from telic.store.default import default_store

        began = monotonic()
        store = default_store()
        name = type(self).__name__
        fingerprints = {**problem.fingerprints(), "optimizer": self._fingerprint(options)}
        journal = Journal(store, run_id or free_run_id(store, fingerprints))
        journal.open(fingerprints, self._describe(problem))
        progress = Progress(name, self.display_progress)
        engine = Engine(problem, journal, progress, self.num_threads, self.max_errors)
        try:
            choice = engine.run(strategy)
        except BaseException as error:
            journal.finish("failed" if isinstance(error, Exception) else "stopped", {"error": _short(error)})
            raise
        finally:
            progress.close()
        report = CompileReport(
            journal.run_id,
            name,
            choice.ranking,
            compare_with_start(problem, choice),
            engine.spent,
            journal.resumed,
            monotonic() - began,
            choice.notes,
            engine.stopped,
        )
        result = {**report.to_json(), "candidate": choice.candidate.hash, "state": choice.candidate.to_json()}
        journal.finish("stopped" if engine.stopped else "finished", result)
        return self._compiled(problem, choice, report)

    def _compiled(self, problem: Problem, choice: Choice, report: CompileReport) -> Any:
        program = choice.candidate.apply(problem.student)
        program._compiled = True
        program.report = report
        program.provenance = provenance(problem, report, self.get_params())
        program.candidate_programs = [_candidate(problem, ranked) for ranked in choice.ranking]
        return program

    def _fingerprint(self, options: Mapping[str, Any]) -> str:
        from telic._json import stable_hash

        # How many threads, and what is shown, change nothing of the outcome.
        indifferent = {"metric", "num_threads", "max_errors", "display_progress", "teacher_settings"}
        params = {k: v for k, v in self.get_params().items() if k not in indifferent}
        teacher = {k: repr(v) for k, v in (self.get_params().get("teacher_settings") or {}).items()}
        return stable_hash([type(self).__name__, params, teacher, dict(options)])

    def _describe(self, problem: Problem) -> dict[str, Any]:
        return {
            "optimizer": type(self).__name__,
            "program": type(problem.student).__name__,
            "train": len(problem.trainset),
            "validation": len(problem.valset),
            **(_about.get() or {}),
        }


def _candidate(problem: Problem, ranked: Ranked) -> dict[str, Any]:
    program = ranked.candidate.apply(problem.student)
    # Else its parameters would count as parts of the program that it is listed on.
    program._compiled = True
    return {"score": round(100 * ranked.mean, 2), "program": program, "label": ranked.label}


def _short(error: BaseException) -> str:
    from telic.evaluate.outcome import describe

    return describe(error)[:2000]
