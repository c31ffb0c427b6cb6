"""`BootstrapFinetune`: train a program's models on good runs of teachers.

From the DSPy work (Khattab et al., 2023, arXiv:2310.03714, section 4) and Soylu, Potts and Khattab (2024),
arXiv:2407.10930: the trace of an accepted run gives every predictor a training example, also where the data
has no label for its step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from telic.errors import CompileError
from telic.finetune.data import TrainingSet
from telic.lm.base import BaseLM
from telic.optimize.fingerprint import code_fingerprint
from telic.optimize.problem import Problem, make_problem
from telic.optimize.weights.finetuning import Plan, finetuned, is_another_program, only_runs
from telic.optimize.weights.optimizer import WeightOptimizer
from telic.optimize.weights.parts import Writer, parts_of
from telic.optimize.weights.training import backend_of
from telic.program.state import ProgramState

if TYPE_CHECKING:
    from telic.budget import Budget
    from telic.finetune.backend import Backend


class BootstrapFinetune(WeightOptimizer):
    """Run teachers on training examples, and train the student's models on the runs the metric accepts.

    The examples are written as the student will ask: by its adapters, with its instructions, and with its
    demos unless these are excluded. Only the answers are learnt from.

    Args:
        metric: accepts or scores a run; it is given the trace (not `None`). Without one, every readable run
            is learnt from, so examples need no labels.
        multitask: one model for all predictors of an LM; else one for each predictor.
        train_kwargs: how to train (`epochs`, `learning_rate`, …, as the backend takes them), for all or by
            LM; added to the LM's own `train_kwargs`.
        adapter: by which prompts are written, for all or by LM; by default the one that each predictor speaks
            through.
        exclude_demos: teach, and then ask, without the student's demos.
        num_threads: how many examples at once; `settings.num_threads` by default.
        backend: who trains: `"local"`, `"remote"` or a `telic.finetune.Backend`; by default as the models'
            provider has it.
        metric_threshold: score from which a run is accepted; any score above 0 by default.
        max_rounds: tries of each example; after the first at temperature 1.
        teacher_settings: settings for the teacher, such as `{"lm": larger_model}`.
        max_errors: errors (not unreadable answers) after which to stop; `settings.max_errors` by default.
        seed: of every random choice.
    """

    def __init__(
        self,
        metric: Any = None,
        multitask: bool = True,
        train_kwargs: Mapping[Any, Any] | None = None,
        adapter: Any = None,
        exclude_demos: bool = False,
        num_threads: int | None = None,
        *,
        backend: Backend | str | None = None,
        metric_threshold: float | None = None,
        max_rounds: int = 1,
        teacher_settings: dict[str, Any] | None = None,
        max_errors: int | None = None,
        seed: int = 0,
    ) -> None:
        self.metric = metric
        self.multitask = multitask
        self.train_kwargs = train_kwargs
        self.adapter = adapter
        self.exclude_demos = exclude_demos
        self.num_threads = num_threads
        self.backend = backend
        self.metric_threshold = metric_threshold
        self.max_rounds = max_rounds
        self.teacher_settings = teacher_settings or {}
        self.max_errors = max_errors
        self.seed = seed

    def compile(
        self,
        student: Any,
        trainset: Sequence[Any],
        teacher: Any = None,
        *,
        valset: Sequence[Any] | None = None,
        run_id: str | None = None,
        budget: Budget | None = None,
    ) -> Any:
        """Return a copy of `student` whose predictors have trained models.

        Args:
            student: the program; each predictor's LM (or the settings') is the base that is trained.
            trainset: examples to run the teachers on; labels only where the metric needs them.
            teacher: a program with the same predictors, or several; the student itself by default. A teacher
                with other predictors (an ensemble) can teach a student of a single one, by its answers.
            valset: examples to measure the student on, before and after; the better one is returned. Without
                any, nothing is measured, and the trained one is.
            run_id: name of the run in the record; by default made from everything it depends on.
            budget: caps of this compile; `usd` and `seconds` count the training too, as forecast.

        Raises:
            CompileError: student and teacher do not match, or there are too many errors.
            TrainingError: it cannot be trained (said before a call is paid for, where it can be known), no
                run was accepted, or the training failed.
        """
        problem, plan = self._planned(student, trainset, teacher, valset)
        self._begin(plan.diary)
        strategy = finetuned(problem, plan)
        options = _dependent(problem, plan)
        return self.told_of(self.run(problem, strategy, run_id=run_id, options=options, budget=budget))

    def training_data(
        self, student: Any, trainset: Sequence[Any], teacher: Any = None, *, run_id: str | None = None
    ) -> dict[str, TrainingSet]:
        """What `compile` with these arguments would train on, to be read before anything is spent on it.

        The teachers are run and recorded; `compile` goes on from there.

        Returns:
            The predictors that a model is trained for, to its training set.
        """
        problem, plan = self._planned(student, trainset, teacher, None)
        sets: dict[str, TrainingSet] = {}
        options = {**_dependent(problem, plan), "only": "data"}
        self.run(problem, only_runs(problem, plan, sets), run_id=run_id, options=options)
        return sets

    @staticmethod
    def finetune_lms(finetune_dict: Mapping[Any, Mapping[str, Any]]) -> dict[Any, BaseLM]:
        """Train LMs side by side, as DSPy's optimizers do.

        Args:
            finetune_dict: any key to the arguments of `LM.finetune`, with the LM under `lm`.

        Returns:
            Key to trained LM.
        """
        rows = {key: dict(row) for key, row in finetune_dict.items()}
        jobs = {key: row.pop("lm").finetune(**row) for key, row in rows.items()}
        return {key: job.result() for key, job in jobs.items()}

    def _planned(
        self, student: Any, trainset: Sequence[Any], teacher: Any, valset: Sequence[Any] | None
    ) -> tuple[Problem, Plan]:
        """What is compiled, and how; everything that can be refused before a call, is."""
        problem, by_answer = self._problem(student, trainset, teacher, valset)
        writer = Writer(problem, exclude_demos=self.exclude_demos)
        parts = parts_of(problem, multitask=self.multitask, options=self.train_kwargs, adapter=self.adapter)
        chosen = [
            (part, backend_of(part, self.backend, writer.sample(part), writer.format(part))) for part in parts
        ]
        return problem, Plan(writer, chosen, self.max_rounds, by_answer, valset is not None)

    def _problem(
        self, student: Any, trainset: Sequence[Any], teacher: Any, valset: Sequence[Any] | None
    ) -> tuple[Problem, bool]:
        teachers = list(teacher) if isinstance(teacher, (list, tuple)) else [teacher or student]
        if not teachers:
            raise CompileError("BootstrapFinetune: the list of teachers is empty.")
        by_answer = is_another_program(student, teachers[0])
        if by_answer and (len(teachers) > 1 or len(student.named_predictors()) != 1):
            raise CompileError(
                "Student and teacher have other predictors, so the teacher can teach by its answers alone; "
                "that takes one teacher, and a student of one predictor. The student has "
                f"{[path for path, _ in student.named_predictors()]}, the teacher "
                f"{[path for path, _ in teachers[0].named_predictors()]}."
            )
        problem = make_problem(
            student,
            trainset=trainset,
            valset=valset,
            metric=self.metric,
            teacher=None if by_answer else teachers[0],
            seed=self.seed,
            teacher_settings=self.teacher_settings,
            threshold=self.metric_threshold,
        )
        for other in teachers[1:]:
            make_problem(student, trainset=trainset, valset=None, metric=None, teacher=other)
        return replace(problem, teacher=teachers[0], further_teachers=tuple(teachers[1:])), by_answer


def _dependent(problem: Problem, plan: Plan) -> dict[str, Any]:
    """What a run depends on besides the problem and the parameters."""
    models = [part.identity for part, _ in plan.parts]
    teacher = _identity(problem.teacher) if plan.by_answer else None
    return {"measured": plan.measured, "teacher": teacher, "models": models}


def _identity(teacher: Any) -> list[str]:
    """What a teacher that is another program is, in every process: also the finished programs within it."""
    members = getattr(teacher, "programs", None)
    programs = members if isinstance(members, list) else [teacher]
    return [f"{code_fingerprint(type(each))} {ProgramState.of(each).hash}" for each in programs]
