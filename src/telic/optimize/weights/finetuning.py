"""The strategy of finetuning on runs: run teachers, write training sets, train, measure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from telic.errors import BudgetExceededError
from telic.evaluate.metric import metric_name
from telic.finetune.data import TrainingSet
from telic.finetune.lengths import fitting
from telic.lm.base import BaseLM
from telic.optimize import running
from telic.optimize.problem import Problem
from telic.optimize.strategy import Choice, Evaluating, Outcome, Ranked, Strategy, Trial
from telic.optimize.weights.optimizer import AS_GIVEN
from telic.optimize.weights.parts import Part, Writer, with_trained
from telic.optimize.weights.runs import Runs, nothing_to_learn_from, teacher_runs
from telic.optimize.weights.training import Diary, Planned, spec_of, trained_by, training_asks
from telic.program.predictor_state import demo_to_json
from telic.program.state import ProgramState

if TYPE_CHECKING:
    from telic.finetune.backend import Backend

TRAINED = "trained"


@dataclass(frozen=True)
class Plan:
    """How a program is finetuned.

    Attributes:
        writer: writes the training examples.
        parts: what is trained, and by whom.
        rounds: tries of each example by a teacher.
        by_answer: the teacher is another program, and teaches by what it answers.
        measured: score the program before and after on the validation examples, and choose the better.
        diary: where it is noted what was trained.
    """

    writer: Writer
    parts: Sequence[tuple[Part, Backend]]
    rounds: int = 1
    by_answer: bool = False
    measured: bool = False
    diary: Diary = field(default_factory=Diary)


def finetuned(problem: Problem, plan: Plan) -> Strategy:
    """Run, train, measure."""
    teachers = (problem.teacher, *problem.further_teachers)
    runs = yield from teacher_runs(problem, teachers, plan.rounds, by_answer=plan.by_answer)
    notes = [runs.said]
    planned = _planned(problem, plan, runs, notes)
    plan.diary.planned = planned
    start = problem.start
    if not planned:
        if running.current() is None:
            raise nothing_to_learn_from(problem, runs)
        return Choice(start, notes=tuple(notes))
    measured = plan.measured and not runs.stopped
    ranking = [(yield from _scored(problem, start, AS_GIVEN))] if measured else []
    state = yield from _trained(start, plan, planned)
    notes += [f"{part.label}: {trained.model}" for part, trained in plan.diary.trained]
    if not measured:
        return Choice(state, notes=tuple(notes))
    try:
        ranking.append((yield from _scored(problem, state, TRAINED)))
    except BudgetExceededError:
        return Choice(state, tuple(ranking), (*notes, "The trained program was not measured any more."))
    before, after = ranking
    if after.mean < before.mean:
        notes.append("Training did not help on the validation examples: the program is as given.")
    best = max(reversed(ranking), key=lambda ranked: ranked.mean)
    return Choice(
        best.candidate, tuple(sorted(ranking, key=lambda r: (-r.mean, r.label != TRAINED))), tuple(notes)
    )


def only_runs(problem: Problem, plan: Plan, sets: dict[str, TrainingSet]) -> Strategy:
    """Run the teachers, and put what they teach into `sets`."""
    teachers = (problem.teacher, *problem.further_teachers)
    runs = yield from teacher_runs(problem, teachers, plan.rounds, by_answer=plan.by_answer)
    notes = [runs.said]
    sets |= {each.part.label: each.spec.data for each in _planned(problem, plan, runs, notes)}
    return Choice(problem.start, notes=tuple(notes))


def training_set(problem: Problem, plan: Plan, part: Part, outcomes: Sequence[Outcome]) -> TrainingSet:
    """What good runs teach a part's predictors, each example once."""
    rows = []
    for outcome in outcomes:
        for path, values in _steps(problem, plan, part, outcome):
            row = plan.writer.example(part, path, values) if path in part.paths else None
            rows += [] if row is None else [row]
    return TrainingSet(plan.writer.format(part), tuple(rows)).without_repeats()


def is_another_program(student: Any, teacher: Any) -> bool:
    """Whether the teacher's predictors are not the student's."""
    if not hasattr(teacher, "named_predictors") or not hasattr(student, "named_predictors"):
        return False
    mine, theirs = ({path for path, _ in each.named_predictors()} for each in (student, teacher))
    return mine != theirs


def _planned(problem: Problem, plan: Plan, runs: Runs, notes: list[str]) -> list[Planned]:
    about = {"program": type(problem.student).__name__, "runs": len(runs.good), "of_runs": runs.tried}
    if problem.metric is not None:
        about["metric"] = metric_name(problem.metric.metric)
    planned = []
    for part, backend in plan.parts:
        data, left_out = fitting(training_set(problem, plan, part, runs.good), part.lm)
        notes += [] if left_out is None else [f"{part.label}: {left_out}"]
        if data.rows:
            planned.append(Planned(part, backend, spec_of(part, replace(data, about=about))))
        elif runs.good:
            notes.append(f"{part.label}: no good run called it, so it was not trained.")
    return planned


def _trained(start: ProgramState, plan: Plan, planned: Sequence[Planned]) -> Any:
    lms: dict[str, BaseLM] = {}
    # One after the other: two trainings at once would share this machine's memory and cores.
    for each in planned:
        (reply,) = yield training_asks([each], "train")
        trained, lm = trained_by(each, reply)
        plan.diary.trained.append((each.part, trained))
        lms |= dict.fromkeys(each.part.paths, lm)
    return with_trained(start, lms, without_demos=tuple(lms) if plan.writer.exclude_demos else ())


def _steps(
    problem: Problem, plan: Plan, part: Part, outcome: Outcome
) -> Sequence[tuple[str, Mapping[str, Any]]]:
    if not plan.by_answer:
        return outcome.steps
    if not isinstance(outcome.output, Mapping):
        return ()
    asked = demo_to_json(problem.trainset[outcome.example].inputs())
    return [(part.paths[0], {**asked, **outcome.output})]


def _scored(problem: Problem, state: ProgramState, label: str) -> Evaluating[Ranked]:
    (result,) = yield [Trial(state, problem.validation, why=label)]
    return Ranked(state, label, {o.example: o.score for o in result.outcomes})
