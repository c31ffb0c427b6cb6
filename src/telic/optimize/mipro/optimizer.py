"""`MIPROv2`: instructions and demonstrations chosen together (Opsahl-Ong et al., 2024, arXiv:2406.11695)."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from telic._lazy import require
from telic.evaluate.metric import bind_metric
from telic.lm.base import BaseLM
from telic.optimize.fingerprint import parameter_identity
from telic.optimize.mipro.board import Board, Row
from telic.optimize.mipro.plan import Auto, Plan, check_auto, check_settings, make_plan, most_examples
from telic.optimize.mipro.proposals import Grounding, Proposer
from telic.optimize.mipro.search import search_by_minibatches, search_by_racing
from telic.optimize.mipro.space import Space
from telic.optimize.optimizer import Optimizer
from telic.optimize.problem import Problem, kept_back, make_problem
from telic.optimize.strategy import Choice, Strategy
from telic.runtime.rng import rng
from telic.runtime.settings import settings

if TYPE_CHECKING:
    from telic.budget import Budget

_VALIDATION_SHARE = 0.8
_MOST_VALIDATION = 1000


class MIPROv2(Optimizer):
    """Propose instructions and demos for every predictor, and find the best combination.

    1. Sets of demos are bootstrapped, as by a random search.
    2. A model proposes instructions, grounded in a summary of the data, the program's code, demos, earlier
       instructions and tips.
    3. A Parzen estimator (Optuna) proposes combinations; each is tried on a minibatch, and the best are
       evaluated on everything. The best of those is returned.

    With `max_bootstrapped_demos=0, max_labeled_demos=0`, instructions alone are chosen.

    It needs the extra `optuna`: `pip install 'telic[optuna]'`.

    Args:
        metric: scores a run; it is given a trace (not `None`) while bootstrapping.
        prompt_model: the model that proposes; `settings.lm` by default.
        task_model: the model that the program is compiled for; `settings.lm` by default.
        teacher_settings: settings for the teacher, such as `{"lm": larger_model}`.
        max_bootstrapped_demos: most bootstrapped demos of a set.
        max_labeled_demos: most demos of both kinds of a set.
        auto: `"light"`, `"medium"` or `"heavy"`: 6, 12 or 18 candidates, on at most 100, 300 or 1000
            validation examples, with the number of trials that suits them; `None` to say it all yourself.
        num_candidates: instructions and demo sets for each predictor, with `auto=None`.
        num_threads: how many examples at once; `settings.num_threads` by default.
        max_errors: errors (not unreadable answers) after which to stop; `settings.max_errors` by default.
        seed: of every random choice.
        init_temperature: sampling temperature of proposals.
        verbose: accepted; the log is at `telic`'s logger.
        track_stats: give the compiled program `trial_logs`, `mb_candidate_programs`, `score` and
            `total_calls`.
        log_dir: accepted; everything is in the record (`telic runs show`).
        metric_threshold: score from which a run is good enough to learn from; any score above 0 by default.
        racing: try combinations on the same examples, and go on only with the better ones (see
            `telic.optimize.mipro.search`); off, every trial has a minibatch of its own, as in the paper.

    What `compile` takes:

    - `student`, `teacher`: the program, and one with the same predictors (by default the student itself).
    - `trainset`: examples that demos are made of, and that proposals look at.
    - `valset`: examples that combinations are compared on; by default the last 80 % of the trainset, at most
      1000, which then are not trained on.
    - `num_trials`: combinations tried, with `auto=None`.
    - `max_bootstrapped_demos`, `max_labeled_demos`, `seed`: in place of the optimizer's own.
    - `minibatch`, `minibatch_size`: try combinations on so many examples; a preset does so from 51 on.
    - `minibatch_full_eval_steps`: trials between evaluations on everything; in a race, these are at the end.
    - `program_aware_proposer`, `data_aware_proposer`, `tip_aware_proposer`, `fewshot_aware_proposer`: whether
      proposals know the program, a summary of the data, a tip each, demos.
    - `view_data_batch_size`: examples looked at at once for the summary.
    - `requires_permission_to_run`, `provide_traceback`: accepted; nothing is asked (see `forecast`), and
      tracebacks are logged anyway.
    - `run_id`: name of the run in the record; by default made from everything it depends on.
    - `budget`: caps of this compile, such as `telic.budget(calls=500)`.
    """

    def __init__(
        self,
        metric: Any,
        prompt_model: BaseLM | None = None,
        task_model: BaseLM | None = None,
        teacher_settings: dict[str, Any] | None = None,
        max_bootstrapped_demos: int = 4,
        max_labeled_demos: int = 4,
        auto: Auto | None = "light",
        num_candidates: int | None = None,
        num_threads: int | None = None,
        max_errors: int | None = None,
        seed: int = 9,
        init_temperature: float = 1.0,
        verbose: bool = False,
        track_stats: bool = True,
        log_dir: str | None = None,
        metric_threshold: float | None = None,
        *,
        racing: bool = True,
    ) -> None:
        check_auto(auto)
        self.metric = metric
        self.prompt_model = prompt_model
        self.task_model = task_model
        self.teacher_settings = teacher_settings or {}
        self.max_bootstrapped_demos = max_bootstrapped_demos
        self.max_labeled_demos = max_labeled_demos
        self.auto = auto
        self.num_candidates = num_candidates
        self.num_threads = num_threads
        self.max_errors = max_errors
        self.seed = seed
        self.init_temperature = init_temperature
        self.verbose = verbose
        self.track_stats = track_stats
        self.log_dir = log_dir
        self.metric_threshold = metric_threshold
        self.racing = racing

    def compile(
        self,
        student: Any,
        *,
        trainset: Sequence[Any],
        teacher: Any = None,
        valset: Sequence[Any] | None = None,
        num_trials: int | None = None,
        max_bootstrapped_demos: int | None = None,
        max_labeled_demos: int | None = None,
        seed: int | None = None,
        minibatch: bool = True,
        minibatch_size: int = 35,
        minibatch_full_eval_steps: int = 5,
        program_aware_proposer: bool = True,
        data_aware_proposer: bool = True,
        view_data_batch_size: int = 10,
        tip_aware_proposer: bool = True,
        fewshot_aware_proposer: bool = True,
        requires_permission_to_run: bool | None = None,
        provide_traceback: bool | None = None,
        run_id: str | None = None,
        budget: Budget | None = None,
    ) -> Any:
        """Return the best combination as a copy of `student`; for the parameters see the class.

        Returns:
            The program, with `candidate_programs` (best first, each with its score) and `provenance`.

        Raises:
            CompileError: settings that contradict each other, or student and teacher that do not match.
            DataError: an empty set, or a single example to be split in two.
            MissingExtraError: Optuna is not installed.
        """
        check_settings(self.auto, self.num_candidates, num_trials)
        require("optuna", extra="optuna", purpose="MIPROv2")
        problem = self._problem(student, trainset, valset, teacher, self.seed if seed is None else seed)
        most = (
            self.max_bootstrapped_demos if max_bootstrapped_demos is None else max_bootstrapped_demos,
            self.max_labeled_demos if max_labeled_demos is None else max_labeled_demos,
        )
        plan = make_plan(
            auto=self.auto,
            num_candidates=self.num_candidates,
            num_trials=num_trials,
            predictors=len(problem.start.paths),
            zero_shot=not any(most),
            examples=len(problem.valset),
            minibatch=minibatch,
            minibatch_size=minibatch_size,
            full_every=minibatch_full_eval_steps,
        )
        aware = (data_aware_proposer, program_aware_proposer, tip_aware_proposer, fewshot_aware_proposer)
        grounding = Grounding(*aware, batch=view_data_batch_size)
        return self._search(problem, plan, grounding, most, run_id=run_id, budget=budget)

    def _problem(
        self, student: Any, trainset: Sequence[Any], valset: Sequence[Any] | None, teacher: Any, seed: int
    ) -> Problem:
        train, val = kept_back(trainset, valset, _kept, "MIPROv2")
        return make_problem(
            student,
            trainset=train,
            valset=_sampled(val, most_examples(self.auto), seed),
            metric=bind_metric(self.metric),
            teacher=teacher,
            seed=seed,
            teacher_settings=self.teacher_settings,
            threshold=self.metric_threshold,
        )

    def _search(
        self, problem: Problem, plan: Plan, grounding: Grounding, most: tuple[int, int], **naming: Any
    ) -> Any:
        # A task model takes the place of the one in the settings, which then still proposes.
        lm = self.prompt_model or (settings.lm if self.task_model is not None else None)
        proposer = Proposer(problem, plan, grounding, lm, self.init_temperature, *most, notes=[])
        log: list[Row] = []
        options = {"plan": plan, "grounding": grounding, "demos": most, "lm": parameter_identity(lm)}
        with self._task_model():
            compiled = self.run(problem, self.strategy(proposer, log), options=options, **naming)
        if self.track_stats:
            _attach(compiled, problem, log)
        return compiled

    def strategy(self, proposer: Proposer, log: list[Row]) -> Strategy:
        """Make the options, then search.

        Args:
            proposer: makes the options.
            log: the steps of the search are added here.
        """
        problem, plan = proposer.problem, proposer.plan
        board = Board(problem, Space(problem.start, {}, {}), log)
        score = yield from board.evaluate(board.space.given, problem.validation, "full evaluation")
        if plan.demo_sets:
            sets = yield from proposer.demo_sets()
        elif proposer.grounding.demos:
            sets = yield from proposer.shown_demos()
        else:
            sets = {path: [] for path in problem.start.paths}
        instructions = yield from proposer.instructions(sets, score)
        board = Board(problem, proposer.space(instructions, sets), log)
        yield from (search_by_racing if self.racing else search_by_minibatches)(board, plan)
        ranking = board.ranking()
        return Choice(ranking[0].candidate, tuple(ranking), tuple(proposer.notes))

    def _task_model(self) -> AbstractContextManager[None]:
        return nullcontext() if self.task_model is None else settings.context(lm=self.task_model)


def _kept(count: int) -> int:
    """How many of so many training examples are kept back to choose by."""
    return min(_MOST_VALIDATION, max(1, int(_VALIDATION_SHARE * count)))


def _sampled(examples: Sequence[Any], most: int | None, seed: int) -> Sequence[Any]:
    """At most so many of the examples, in their order."""
    if most is None or len(examples) <= most:
        return examples
    chosen = sorted(rng(seed, "validation examples").sample(range(len(examples)), most))
    return [examples[index] for index in chosen]


def _attach(compiled: Any, problem: Problem, log: Sequence[Row]) -> None:
    """Give a compiled program the statistics of its search, under DSPy's names."""
    rows = {}
    for number, row in enumerate(log, 1):
        kind = "full_eval" if row.full else "mb"
        rows[number] = {
            f"{kind}_score": row.score,
            f"{kind}_program": _listed(row, problem),
            "parameters": row.parameters,
            "examples": row.examples,
            "total_eval_calls_so_far": row.scored,
        }
    compiled.trial_logs = rows
    compiled.mb_candidate_programs = sorted(
        ({"score": r["mb_score"], "program": r["mb_program"]} for r in rows.values() if "mb_score" in r),
        key=lambda entry: -entry["score"],
    )
    compiled.score = max(
        (r["full_eval_score"] for r in rows.values() if "full_eval_score" in r), default=None
    )
    compiled.total_calls = log[-1].scored if log else 0


def _listed(row: Row, problem: Problem) -> Any:
    program = row.state.apply(problem.student)
    # Else its parameters would count as parts of the program that it is listed on.
    program._compiled = True
    return program
