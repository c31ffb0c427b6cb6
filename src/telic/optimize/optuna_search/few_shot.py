"""`BootstrapFewShotWithOptuna`: which bootstrapped demonstration to show, chosen by a Parzen estimator.

From the DSPy work (Khattab et al., 2023, arXiv:2310.03714, section 4), which names Optuna's samplers (Akiba
et al., 2019, arXiv:1907.10902) as an alternative to drawing demos at random.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from telic._lazy import require
from telic.errors import CompileError
from telic.evaluate.evaluate import Evaluate
from telic.evaluate.metric import bind_metric
from telic.optimize.bootstrap_few_shot import bootstrapped_state, teacher_state
from telic.optimize.mipro.board import Board
from telic.optimize.mipro.plan import Plan
from telic.optimize.mipro.search import search_by_minibatches, search_by_racing
from telic.optimize.optimizer import Optimizer
from telic.optimize.optuna_search.space import DemoSpace
from telic.optimize.problem import Problem, make_problem
from telic.optimize.strategy import Choice, Strategy

if TYPE_CHECKING:
    from telic.budget import Budget


class BootstrapFewShotWithOptuna(Optimizer):
    """Bootstrap a pool of demos, and search for those that a predictor does best with.

    It needs the extra `optuna`: `pip install 'telic[optuna]'`.

    Args:
        metric: scores a run; it is given a trace (not `None`) while bootstrapping.
        teacher_settings: settings for the teacher, such as `{"lm": larger_model}`.
        max_bootstrapped_demos: accepted; `compile` says how many are bootstrapped.
        max_labeled_demos: least size of the pool: what bootstrapped demos leave room for is filled with
            labelled examples.
        max_rounds: tries of each example while bootstrapping.
        num_candidate_programs: combinations tried.
        num_threads: how many examples at once; `settings.num_threads` by default.
        demos_per_predictor: how many demos of the pool a predictor shows; one, as in DSPy, by default.
        racing: stop candidates early that are behind on the same examples; off, every candidate sees every
            example.
        max_errors: errors (not unreadable answers) after which to stop; `settings.max_errors` by default.
        seed: of every random choice.
    """

    def __init__(
        self,
        metric: Any,
        teacher_settings: dict[str, Any] | None = None,
        max_bootstrapped_demos: int = 4,
        max_labeled_demos: int = 16,
        max_rounds: int = 1,
        num_candidate_programs: int = 16,
        num_threads: int | None = None,
        *,
        demos_per_predictor: int = 1,
        racing: bool = True,
        max_errors: int | None = None,
        seed: int = 0,
    ) -> None:
        if demos_per_predictor < 1:
            raise CompileError(f"demos_per_predictor={demos_per_predictor} must be at least 1.")
        self.metric = metric
        self.teacher_settings = teacher_settings or {}
        self.max_bootstrapped_demos = max_bootstrapped_demos
        self.max_labeled_demos = max_labeled_demos
        self.max_rounds = max_rounds
        self.num_candidate_programs = num_candidate_programs
        self.num_threads = num_threads
        self.demos_per_predictor = demos_per_predictor
        self.racing = racing
        self.max_errors = max_errors
        self.seed = seed
        self._board: Board | None = None

    def get_params(self) -> dict[str, Any]:
        """The parameters this optimizer was made with."""
        return {name: value for name, value in super().get_params().items() if name != "_board"}

    def compile(
        self,
        student: Any,
        *,
        teacher: Any = None,
        max_demos: int,
        trainset: Sequence[Any],
        valset: Sequence[Any] | None = None,
        run_id: str | None = None,
        budget: Budget | None = None,
    ) -> Any:
        """Return the best combination as a copy of `student`.

        Args:
            student: the program.
            teacher: a program with the same predictors; the student itself by default.
            max_demos: demos to bootstrap for the pool.
            trainset: examples that demos are made of.
            valset: examples that combinations are compared on; the trainset by default.
            run_id: name of the run in the record; by default made from everything it depends on.
            budget: caps of this compile, such as `telic.budget(calls=500)`.

        Raises:
            CompileError: student and teacher do not match, or there are too many errors.
            MissingExtraError: Optuna is not installed.
        """
        require("optuna", extra="optuna", purpose="BootstrapFewShotWithOptuna")
        problem = make_problem(
            student,
            trainset=trainset,
            valset=valset,
            metric=bind_metric(self.metric),
            teacher=teacher,
            seed=self.seed,
            teacher_settings=self.teacher_settings,
        )
        strategy = self.strategy(problem, max_demos)
        options = {"max_demos": max_demos}
        return self.run(problem, strategy, run_id=run_id, options=options, budget=budget)

    def strategy(self, problem: Problem, max_demos: int) -> Strategy:
        """Make the pool, then search it."""
        made, pooled = yield from bootstrapped_state(
            problem,
            teacher_state(problem, self.max_labeled_demos),
            range(len(problem.trainset)),
            count=max_demos,
            max_labeled=self.max_labeled_demos,
            rounds=self.max_rounds,
            purpose="pool",
        )
        space = DemoSpace(
            problem.start, {path: pooled.demos(path) for path in pooled.paths}, self.demos_per_predictor
        )
        board = self._board = Board(problem, space, [])
        plan = Plan(1, 0, self.num_candidate_programs, None, 1)
        yield from (search_by_racing if self.racing else search_by_minibatches)(board, plan)
        ranking = board.ranking()
        return Choice(ranking[0].candidate, tuple(ranking), (made.said,))

    def objective(self, trial: Any) -> float:
        """Score of what a trial of Optuna chooses, in percent: for a study of one's own, after `compile`.

        Args:
            trial: an `optuna.Trial`.

        Raises:
            CompileError: there is no pool to choose from, because nothing was compiled yet.
        """
        if self._board is None:
            raise CompileError("objective() chooses from the pool that compile() makes; call that first.")
        problem, space = self._board.problem, self._board.space
        chosen = {name: trial.suggest_int(name, 0, count - 1) for name, count in space.options.items()}
        program = space.state(space.combination(chosen)).apply(problem.student)
        evaluate = Evaluate(
            devset=problem.valset,
            metric=problem.metric,
            num_threads=self.num_threads,
            max_errors=self.max_errors,
        )
        return float(evaluate(program).score)
