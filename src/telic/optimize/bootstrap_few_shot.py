"""`BootstrapFewShot`: demonstrations from good runs of a teacher (Khattab et al., 2023, arXiv:2310.03714)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from telic.optimize.demos.bootstrap import Bootstrapped, bootstrap
from telic.optimize.demos.packing import pack
from telic.optimize.labeled import labelled, labelled_demos
from telic.optimize.optimizer import Optimizer
from telic.optimize.problem import Problem, make_problem
from telic.optimize.strategy import Choice, Evaluating, Strategy
from telic.program.state import ProgramState

if TYPE_CHECKING:
    from telic.budget import Budget


class BootstrapFewShot(Optimizer):
    """Run a teacher on training examples, keep the traces of runs the metric accepts, and show them as demos.

    What room is left up to `max_labeled_demos` is filled with labelled examples that were not bootstrapped.

    Args:
        metric: accepts or scores a run; it is given the trace (not `None`), so it can be stricter than in an
            evaluation. Without one, every readable run is accepted.
        metric_threshold: score from which a run is accepted; any score above 0 by default.
        teacher_settings: settings for the teacher, such as `{"lm": larger_model}`.
        max_bootstrapped_demos: bootstrapped demos wanted for each predictor.
        max_labeled_demos: demos of both kinds for each predictor, at most; also the labelled demos the
            teacher itself is shown, where it is not compiled already.
        max_rounds: tries of each example; after the first at temperature 1.
        max_errors: errors (not unreadable answers) after which to stop; `settings.max_errors` by default.
        num_threads: how many examples at once; `settings.num_threads` by default.
        seed: of every random choice.
    """

    def __init__(
        self,
        metric: Any = None,
        metric_threshold: float | None = None,
        teacher_settings: dict[str, Any] | None = None,
        max_bootstrapped_demos: int = 4,
        max_labeled_demos: int = 16,
        max_rounds: int = 1,
        max_errors: int | None = None,
        *,
        num_threads: int | None = None,
        seed: int = 0,
    ) -> None:
        self.metric = metric
        self.metric_threshold = metric_threshold
        self.teacher_settings = teacher_settings or {}
        self.max_bootstrapped_demos = max_bootstrapped_demos
        self.max_labeled_demos = max_labeled_demos
        self.max_rounds = max_rounds
        self.max_errors = max_errors
        self.num_threads = num_threads
        self.seed = seed

    def compile(
        self,
        student: Any,
        *,
        teacher: Any = None,
        trainset: Sequence[Any],
        run_id: str | None = None,
        budget: Budget | None = None,
    ) -> Any:
        """Return a copy of `student` with demos.

        Args:
            student: the program.
            teacher: a program with the same predictors; the student itself by default.
            trainset: examples to run the teacher on; labels only where the metric needs them.
            run_id: name of the run in the record; by default made from everything it depends on.
            budget: caps of this compile, such as `telic.budget(calls=500)`.

        Raises:
            CompileError: student and teacher do not match, or there are too many errors.
            BudgetExceededError: never: a cap reached ends the run with the demos found so far.
        """
        problem = self.problem(student, trainset, teacher)
        return self.run(problem, self.strategy(problem), run_id=run_id, budget=budget)

    def problem(
        self,
        student: Any,
        trainset: Sequence[Any],
        teacher: Any = None,
        valset: Sequence[Any] | None = None,
    ) -> Problem:
        """What a compile with these parameters is about, checked."""
        return make_problem(
            student,
            trainset=trainset,
            valset=valset,
            metric=self.metric,
            teacher=teacher,
            seed=self.seed,
            teacher_settings=self.teacher_settings,
            threshold=self.metric_threshold,
        )

    def strategy(self, problem: Problem) -> Strategy:
        """Bootstrap in the order of the training set; one candidate."""
        made, state = yield from self.bootstrapped(problem)
        state, notes = pack(problem, state)
        return Choice(state, notes=(made.said, *notes))

    def bootstrapped(self, problem: Problem) -> Evaluating[tuple[Bootstrapped, ProgramState]]:
        """What the teacher's runs give in the order of the training set, and the student with that."""
        return bootstrapped_state(
            problem,
            teacher_state(problem, self.max_labeled_demos),
            range(len(problem.trainset)),
            count=self.max_bootstrapped_demos,
            max_labeled=self.max_labeled_demos,
            rounds=self.max_rounds,
            purpose="unshuffled",
        )


def teacher_state(problem: Problem, max_labeled_demos: int) -> ProgramState:
    """What the teacher runs with: its own demos where it has any, else labelled ones."""
    state = ProgramState.of(problem.teacher)
    compiled = getattr(problem.teacher, "_compiled", False) or any(state.demos(path) for path in state.paths)
    if compiled or max_labeled_demos < 1:
        return state
    return labelled(problem, state, max_labeled_demos, "teacher")


def with_bootstrapped(
    problem: Problem,
    made: Bootstrapped,
    max_bootstrapped: int,
    max_labeled: int,
    *purpose: Any,
    sample: bool = True,
) -> ProgramState:
    """The student with bootstrapped demos, filled up with labelled ones."""
    demos: dict[str, list[Mapping[str, Any]]] = {}
    for path, found in made.demos.items():
        augmented = found[:max_bootstrapped]
        room = max(0, max_labeled - len(augmented))
        fill = labelled_demos(
            problem, path, room, *purpose, sample=sample, without=made.used, beside=augmented
        )
        demos[path] = [*augmented, *fill]
    return problem.start.with_demos(demos)


def bootstrapped_state(
    problem: Problem,
    teacher: ProgramState,
    order: Sequence[int],
    *,
    count: int,
    max_labeled: int,
    rounds: int,
    purpose: Any,
) -> Evaluating[tuple[Bootstrapped, ProgramState]]:
    """Bootstrap in `order`; a part of strategies. Returns what that gave, and the student with it and filled
    up with labelled demos, not packed yet.
    """
    made = yield from bootstrap(problem, teacher, order, count=count, rounds=rounds)
    return made, with_bootstrapped(problem, made, count, max_labeled, purpose)
