"""The engine: runs a strategy, and owns what strategies know nothing of: threads, the journal, budgets,
errors.

ask ─▶ what the journal knows is answered from it ─▶ the rest is run, each score written before it is used ─▶
tell
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from math import inf
from typing import Any

from telic.errors import BudgetExceededError, CompileError
from telic.evaluate.outcome import Outcome as Ran, describe
from telic.evaluate.runner import Job, run_jobs
from telic.evaluate.statistics import mean_interval
from telic.optimize.asking import answer, plain_value
from telic.optimize.feedback import Told, asking_about
from telic.optimize.journal import Journal, score_key
from telic.optimize.problem import Problem
from telic.optimize.progress import Progress
from telic.optimize.scores import present
from telic.optimize.strategy import Ask, Choice, Outcome, Ranked, Reply, Result, Strategy, Trial
from telic.program.predictor_state import demo_to_json
from telic.runtime.events import active_callbacks, notify_around
from telic.runtime.settings import settings


@dataclass
class Spent:
    """What a run took: since it began, and of that what was paid for in this process.

    Attributes:
        calls: LM calls paid for now.
        cached_calls: LM calls answered from the record.
        tokens: tokens of the paid calls.
        cost: US dollars of the paid calls; `None` where a price is unknown.
        scores: scores made now.
    """

    calls: int = 0
    cached_calls: int = 0
    tokens: int = 0
    cost: float | None = 0.0
    scores: int = 0

    def add(self, ran: Ran, *, scored: bool = True) -> None:
        """Book one example, or one reply."""
        self.scores += scored
        self.calls += ran.calls
        self.cached_calls += ran.cached_calls
        self.tokens += ran.usage.total_tokens
        if self.cost is not None:
            self.cost = None if ran.cost is None else self.cost + ran.cost


@dataclass
class Engine:
    """Runs one strategy to its choice.

    Attributes:
        problem: what is compiled.
        journal: where every score is written before it is used.
        progress: told of what happens.
        num_threads: how many examples at once.
        max_errors: errors after which the run stops.
        stopped: why the run ended before its strategy did, where it did.
    """

    problem: Problem
    journal: Journal
    progress: Progress
    num_threads: int | None = None
    max_errors: int | None = None
    spent: Spent = field(default_factory=Spent)
    stopped: str | None = None
    _errors: int = 0
    _notes: dict[str, None] = field(default_factory=dict)
    _seen: dict[str, Ranked] = field(default_factory=dict)

    def run(self, strategy: Strategy) -> Choice:
        """Ask, evaluate, tell, until the strategy chooses.

        A budget reached is raised in the strategy, at the `yield` that could not be done, once: it may end
        with what it has. Where it does not, the run ends with the candidate that did best so far.

        Raises:
            CompileError: more errors than allowed; what was scored is kept, and the run can go on.
        """
        step = 0
        try:
            asked = next(strategy)
            while True:
                try:
                    results = self._perform(step, list(asked))
                except BudgetExceededError as error:
                    if self.stopped is not None:
                        raise
                    # A strategy may know better than the engine what to make of an unfinished step.
                    self.stopped = str(error)
                    asked = strategy.throw(error)
                else:
                    asked = strategy.send(results)
                step += 1
        except StopIteration as end:
            choice: Choice = end.value
            return self._noted(choice)
        except BudgetExceededError as error:
            strategy.close()
            self.stopped = self.stopped or str(error)
            return self._best_so_far()

    def _perform(self, step: int, asked: Sequence[Trial | Ask]) -> Sequence[Any]:
        """One step: evaluate, or ask."""
        trials = [each for each in asked if isinstance(each, Trial)]
        asks = [each for each in asked if isinstance(each, Ask)]
        if trials and asks:
            raise CompileError("A step of a strategy is either trials or asks; this one is both.")
        self.journal.proposed(step, trials)
        inputs = {"step": step, "trials": trials, "asks": asks}
        with notify_around(active_callbacks(), "optimizer_step", self, inputs) as done:
            results = self._evaluate(trials) if trials or not asks else self._answer(asks)
            done(results)
        self.journal.told(step)
        return results

    def _answer(self, asks: Sequence[Ask]) -> list[Reply]:
        self.progress.asking(asks)

        def booked(ask: Ask, ran: Ran) -> None:
            self.spent.add(ran, scored=False)
            if ran.error is not None and not isinstance(ran.error, BudgetExceededError):
                self._count_error(ran.error, ask.why or "a question to a model")
            self.progress.replied(self.spent)

        replies = answer(asks, self.journal, num_threads=self.num_threads, booked=booked)
        self._notes |= {reply.note: None for reply in replies if reply.note}
        return replies

    def _evaluate(self, trials: Sequence[Trial]) -> list[Result]:
        self.progress.asked(trials)
        groups: dict[tuple[bool, bool, tuple[str, ...] | None], list[Trial]] = {}
        for trial in trials:
            groups.setdefault((trial.keep_steps, trial.teacher, trial.feedback_for), []).append(trial)
        for group in sorted(groups.values(), key=lambda group: (group[0].keep_steps, group[0].teacher)):
            try:
                self._run(group)
            finally:
                # What was scored counts also where a cap ends the step.
                for trial in group:
                    self._remember(self._result(trial))
        results = [self._result(trial) for trial in trials]
        self.progress.told(results)
        return results

    def _run(self, trials: Sequence[Trial]) -> None:
        """Run what the journal does not know, of trials that differ in candidate and examples alone.

        Candidate by candidate, so that prompts that share a prefix meet.
        """
        open_ = {
            score_key(trial, example): (trial, example)
            for trial in trials
            for example in trial.examples
            if self.journal.score(score_key(trial, example)) is None
        }
        if not open_:
            return
        programs: dict[tuple[str, int], Any] = {}
        wanted = list(open_.values())
        jobs = [self._job(trial, example, programs) for trial, example in wanted]

        def on_result(ran: Ran) -> None:
            trial, example = wanted[ran.index]
            self._book(trial, example, ran, jobs[ran.index].program)

        first = trials[0]
        with self._settings(first.teacher):
            run_jobs(
                jobs,
                self._metric(jobs, first.feedback_for),
                num_threads=self.num_threads,
                on_result=on_result,
                capture_trace=first.keep_steps or bool(first.feedback_for),
                failure_score=self.problem.failure_score,
            )

    def _metric(self, jobs: Sequence[Job], feedback_for: tuple[str, ...] | None) -> Any:
        if feedback_for is None or self.problem.metric is None:
            return self.problem.metric
        programs = {id(job.program): job.program for job in jobs}.values()
        paths = {id(p): path for program in programs for path, p in program.named_predictors()}
        return asking_about(self.problem.metric, feedback_for, paths)

    def _job(self, trial: Trial, example: int, programs: dict[tuple[str, int], Any]) -> Job:
        pool = self.problem.trainset if trial.pool == "train" else self.problem.valset
        row = pool[example]
        if trial.teacher and any(trial.candidate.demos(path) for path in trial.candidate.paths):
            # Nobody learns from an answer that was copied from the question's own demo.
            return Job(self._program(_without(trial, row)), row, trial.rollout or None)
        key = (trial.candidate.hash, trial.rollout)
        if key not in programs:
            programs[key] = self._program(trial)
        return Job(programs[key], row, trial.rollout or None)

    def _program(self, trial: Trial) -> Any:
        problem, state = self.problem, trial.candidate
        program = state.apply(problem.teacher_of(state) if trial.teacher else problem.student)
        if trial.rollout:
            for _, predictor in program.named_predictors():
                predictor.config = {**predictor.config, "temperature": 1.0}
        return program

    def _settings(self, teacher: bool) -> AbstractContextManager[None]:
        chosen = self.problem.teacher_settings
        return settings.context(**chosen) if teacher and chosen else nullcontext()

    def _book(self, trial: Trial, example: int, ran: Ran, program: Any) -> None:
        self.spent.add(ran)
        key = score_key(trial, example)
        if ran.error is not None:
            if isinstance(ran.error, BudgetExceededError):
                return
            self.journal.failed(key, describe(ran.error))
            self._count_error(ran.error, f"{trial.pool} example {example} ({trial.why})")
        else:
            self.journal.scored(key, _outcome(example, ran, program, trial.keep_steps))
        self.progress.scored(trial, example, ran.score, self.spent)

    def _count_error(self, error: BaseException, where: str) -> None:
        self._errors += 1
        allowed = settings.max_errors if self.max_errors is None else self.max_errors
        if self._errors > allowed:
            raise CompileError(
                f"Stopped after {self._errors} errors (max_errors={allowed}). The last, on {where}: "
                f"{describe(error)}. All scores so far are kept: mend the cause and run the same again to go "
                f"on."
            ) from error

    def _result(self, trial: Trial) -> Result:
        outcomes = [self.journal.score(score_key(trial, e)) or Outcome(e, None) for e in trial.examples]
        return Result(trial, tuple(outcomes))

    def _remember(self, result: Result) -> None:
        trial = result.trial
        if trial.teacher or trial.pool != "val":
            return
        known = self._seen.get(trial.candidate.hash)
        scores = {**(known.scores if known else {}), **{o.example: o.score for o in result.outcomes}}
        self._seen[trial.candidate.hash] = Ranked(trial.candidate, trial.why.partition(",")[0], scores)

    def _noted(self, choice: Choice) -> Choice:
        ended = [] if self.stopped is None else [f"The run was ended by its budget: {self.stopped}"]
        return replace(choice, notes=(*choice.notes, *self._notes, *ended))

    def _best_so_far(self) -> Choice:
        """The candidate that is surest to be good: few examples do not make a winner."""
        ranking = sorted(self._seen.values(), key=_surely, reverse=True)
        best = ranking[0].candidate if ranking else self.problem.start
        return self._noted(Choice(best, tuple(ranking)))


def _surely(ranked: Ranked) -> tuple[float, float]:
    scores = present(ranked.scores.values())
    return (mean_interval(scores).low, ranked.mean) if scores else (-inf, 0.0)


def _without(trial: Trial, example: Any) -> Trial:
    """The trial with an example left out of the demos."""
    row = demo_to_json(example)
    kept = {
        path: [d for d in trial.candidate.demos(path) if not _same(d, row)] for path in trial.candidate.paths
    }
    return Trial(trial.candidate.with_demos(kept), trial.examples, trial.pool, True, trial.rollout)


def _same(demo: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    return {k: v for k, v in demo.items() if k != "augmented"} == row


def _outcome(example: int, ran: Ran, program: Any, keep_steps: bool) -> Outcome:
    failed = ran.failure
    return Outcome(
        example,
        ran.score,
        None if failed is None else describe(failed),
        ran.feedback,
        tuple(_steps(ran.trace or (), program)) if keep_steps else (),
        ran.calls + ran.cached_calls,
        ran.full_tokens,
        ran.full_cost,
        ran.value.by if isinstance(ran.value, Told) else {},
        plain_value(ran.prediction) if keep_steps and failed is None else None,
        (failed.program_path or "self", failed.lm_response) if keep_steps and failed is not None else None,
        ran.full_seconds,
    )


def _steps(
    trace: Iterable[tuple[Any, Mapping[str, Any], Any]], program: Any
) -> Iterable[tuple[str, dict[str, Any]]]:
    paths = {id(predictor): path for path, predictor in program.named_predictors()}
    for predictor, inputs, prediction in trace:
        path = paths.get(id(predictor))
        if path is not None:
            yield path, {**demo_to_json(inputs), **demo_to_json(prediction)}
