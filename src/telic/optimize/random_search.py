"""`BootstrapFewShotWithRandomSearch`: many draws of demonstrations, of which the best is kept.

From the DSPy work (Khattab et al., 2023, arXiv:2310.03714, section 4 and appendix E.2). Candidates are raced
(`telic.optimize.racing`) unless `racing=False`.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from telic.optimize.bootstrap_few_shot import bootstrapped_state, teacher_state
from telic.optimize.demos.packing import pack
from telic.optimize.labeled import labelled
from telic.optimize.optimizer import Optimizer
from telic.optimize.problem import Problem, make_problem
from telic.optimize.racing import race
from telic.optimize.strategy import Choice, Ranked, Result, Strategy, Trial
from telic.program.state import ProgramState

if TYPE_CHECKING:
    from telic.budget import Budget

START = "as given"


class BootstrapFewShotWithRandomSearch(Optimizer):
    """Draw sets of bootstrapped and labelled demos at random, evaluate each, keep the best.

    The candidates are the program without demos, with labelled demos only, with demos bootstrapped in the
    order of the training set, and `num_candidate_programs` more, each with a shuffled training set and 1 to
    `max_bootstrapped_demos` bootstrapped demos.

    Args:
        metric: scores a run; it is given a trace (not `None`) while bootstrapping.
        teacher_settings: settings for the teacher, such as `{"lm": larger_model}`.
        max_bootstrapped_demos: most bootstrapped demos of a candidate.
        max_labeled_demos: most demos of both kinds of a candidate.
        max_rounds: tries of each example while bootstrapping.
        num_candidate_programs: shuffled candidates.
        num_threads: how many examples at once; `settings.num_threads` by default.
        max_errors: errors (not unreadable answers) after which to stop; `settings.max_errors` by default.
        stop_at_score: percent at which to stop searching; candidates are then evaluated one by one.
        metric_threshold: score from which a run is good enough to learn from; any score above 0 by default.
        racing: stop candidates early that fall behind on the same examples (`telic.optimize.racing`); off,
            every candidate sees every example, as in the paper.
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
        max_errors: int | None = None,
        stop_at_score: float | None = None,
        metric_threshold: float | None = None,
        *,
        racing: bool = True,
        seed: int = 0,
    ) -> None:
        self.metric = metric
        self.teacher_settings = teacher_settings or {}
        self.max_bootstrapped_demos = max_bootstrapped_demos
        self.max_labeled_demos = max_labeled_demos
        self.max_rounds = max_rounds
        self.num_candidate_programs = num_candidate_programs
        self.num_threads = num_threads
        self.max_errors = max_errors
        self.stop_at_score = stop_at_score
        self.metric_threshold = metric_threshold
        self.racing = racing
        self.seed = seed

    def compile(
        self,
        student: Any,
        *,
        teacher: Any = None,
        trainset: Sequence[Any],
        valset: Sequence[Any] | None = None,
        restrict: Sequence[int] | None = None,
        labeled_sample: bool = True,
        run_id: str | None = None,
        budget: Budget | None = None,
    ) -> Any:
        """Return the best candidate as a copy of `student`.

        Args:
            student: the program.
            teacher: a program with the same predictors; the student itself by default.
            trainset: examples that demos are made of.
            valset: examples that candidates are compared on; the trainset by default.
            restrict: numbers of the candidates to consider: -3 no demos, -2 labelled, -1 in order, 0…
                shuffled.
            labeled_sample: draw the labelled demos of candidate -2 at random, instead of taking the first.
            run_id: name of the run in the record; by default made from everything it depends on.
            budget: caps of this compile, such as `telic.budget(calls=500)`.

        Returns:
            The program, with `candidate_programs` (best first, each with its score, its number as `seed`, and
            the scores of the examples) and `provenance`.

        Raises:
            CompileError: student and teacher do not match, or there are too many errors.
        """
        problem = make_problem(
            student,
            trainset=trainset,
            valset=valset,
            metric=self.metric,
            teacher=teacher,
            seed=self.seed,
            teacher_settings=self.teacher_settings,
            threshold=self.metric_threshold,
        )
        numbers = tuple(restrict) if restrict is not None else tuple(range(-3, self.num_candidate_programs))
        strategy = self.strategy(problem, numbers=numbers, labeled_sample=labeled_sample)
        options = {"numbers": numbers, "labeled_sample": labeled_sample}
        program = self.run(problem, strategy, run_id=run_id, options=options, budget=budget)
        for row in program.candidate_programs:
            row["seed"] = _number(row["label"])
        return program

    def strategy(
        self, problem: Problem, *, numbers: Sequence[int] = (), labeled_sample: bool = True
    ) -> Strategy:
        """Make the candidates, then race them."""
        teacher = teacher_state(problem, self.max_labeled_demos)
        candidates: dict[str, ProgramState] = {START: problem.start}
        notes: list[str] = []
        for number in numbers:
            label, candidate, found = yield from self.candidate(problem, teacher, number, labeled_sample)
            notes += [f"{label}: {note}" for note in found]
            if candidate not in candidates.values():
                candidates[label] = candidate
        if self.stop_at_score is None:
            ranking = yield from race(problem, candidates, keep=(START,), racing=self.racing)
        else:
            ranking = yield from self._one_by_one(problem, candidates, self.stop_at_score)
        return Choice(ranking[0].candidate, tuple(ranking), tuple(notes))

    def candidate(
        self, problem: Problem, teacher: ProgramState, number: int, labeled_sample: bool = True
    ) -> Generator[Sequence[Trial], Sequence[Result], tuple[str, ProgramState, tuple[str, ...]]]:
        """Make the candidate of a number (see `compile`): its label, its state, and notes."""
        if number == -3:
            return "no demos", problem.start.with_demos({path: [] for path in problem.start.paths}), ()
        if number == -2:
            state = labelled(
                problem, problem.start, self.max_labeled_demos, "labelled", sample=labeled_sample
            )
            return ("labelled demos", *pack(problem, state))
        order = list(range(len(problem.trainset)))
        count = self.max_bootstrapped_demos
        if number >= 0:
            random = problem.rng("candidate", number)
            random.shuffle(order)
            count = random.randint(1, count) if count else 0
        _, state = yield from bootstrapped_state(
            problem,
            teacher,
            order,
            count=count,
            max_labeled=self.max_labeled_demos,
            rounds=self.max_rounds,
            purpose=number,
        )
        return ("in order" if number == -1 else f"shuffle {number}", *pack(problem, state))

    def _one_by_one(
        self, problem: Problem, candidates: Mapping[str, ProgramState], enough: float
    ) -> Generator[Sequence[Trial], Sequence[Result], list[Ranked]]:
        ranked: list[Ranked] = []
        for label, state in candidates.items():
            ranked += yield from race(problem, {label: state})
            if 100 * ranked[-1].mean >= enough:
                break
        return sorted(ranked, key=lambda r: -r.mean)


BootstrapRS = BootstrapFewShotWithRandomSearch


def _number(label: str) -> int:
    """Of a candidate, by its label; the program as it was given counts as the one without demos."""
    known = {"labelled demos": -2, "in order": -1}
    return int(label.removeprefix("shuffle ")) if label.startswith("shuffle ") else known.get(label, -3)
