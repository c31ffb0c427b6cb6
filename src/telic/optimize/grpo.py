"""`GRPO`: reinforcement of a program's models on its own runs.

Group relative policy optimisation (Shao et al., 2024, arXiv:2402.03300), on programs of several calls as in
Ziems et al. (2025), arXiv:2508.04660.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from telic.errors import CompileError
from telic.optimize.problem import Problem, make_problem
from telic.optimize.weights.groups import Fill, Grouping, Rewards, Shape
from telic.optimize.weights.optimizer import WeightOptimizer
from telic.optimize.weights.parts import Writer, parts_of
from telic.optimize.weights.reinforcing import Course, reinforced
from telic.optimize.weights.training import Diary, backend_of

if TYPE_CHECKING:
    from telic.budget import Budget
    from telic.finetune.backend import Backend


class GRPO(WeightOptimizer):
    """Run the program several times on an example, and train its models towards the runs that did better than
    the others.

    Each step samples runs at temperature 1, rewards each by the metric, and trains on every answer in them by
    its advantage: how far its run's reward lies above the mean of its group, in standard deviations. Groups
    are made for each call of each predictor. How far a step moves the model is up to the backend and its
    options (`train_kwargs`).

    Args:
        metric: rewards a run; values between 0 and 1 tell more than right and wrong.
        multitask: one model for all predictors of an LM; else one for each predictor.
        train_kwargs: how to train, for all or by LM.
        adapter: by which prompts are written, for all or by LM.
        exclude_demos: train, and then ask, without the student's demos.
        num_threads: how many runs at once.
        num_train_steps: trainings, one after the other.
        seed: of every random choice.
        num_dspy_examples_per_grpo_step: training examples in each step.
        num_rollouts_per_grpo_step: runs of each of them; 2 where fewer are asked for.
        use_train_as_val: measure on the training examples.
        num_steps_for_val: steps between two measurements.
        report_train_scores: accepted for compatibility; rewards stand in the run's journal.
        failure_score: reward of a run that ended in an error.
        format_failure_score: reward of a run with an answer that could not be read.
        variably_invoked_predictor_grouping_mode: what is done where runs call a predictor unequally often:
            `"truncate"` to the fewest calls, `"fill"` up to the most, or leave groups `"ragged"`.
        variably_invoked_predictor_fill_strategy: which call fills up: `"randint"` any, `"max"` the last.
        backend: who trains; see `BootstrapFinetune`.
        max_errors: errors (not unreadable answers) after which to stop.

    Raises:
        CompileError: a number or a mode is not one that there is.
    """

    def __init__(
        self,
        metric: Any = None,
        multitask: bool = True,
        train_kwargs: Mapping[Any, Any] | None = None,
        adapter: Any = None,
        exclude_demos: bool = False,
        num_threads: int | None = 6,
        num_train_steps: int = 100,
        seed: int = 0,
        num_dspy_examples_per_grpo_step: int = 1,
        num_rollouts_per_grpo_step: int = 1,
        use_train_as_val: bool = False,
        num_steps_for_val: int = 5,
        report_train_scores: bool = False,
        failure_score: float = 0,
        format_failure_score: float = -1,
        variably_invoked_predictor_grouping_mode: Grouping = "truncate",
        variably_invoked_predictor_fill_strategy: Fill | None = None,
        *,
        backend: Backend | str | None = None,
        max_errors: int | None = None,
    ) -> None:
        self.metric = metric
        self.multitask = multitask
        self.train_kwargs = train_kwargs
        self.adapter = adapter
        self.exclude_demos = exclude_demos
        self.num_threads = num_threads
        self.num_train_steps = num_train_steps
        self.seed = seed
        self.num_dspy_examples_per_grpo_step = num_dspy_examples_per_grpo_step
        self.num_rollouts_per_grpo_step = num_rollouts_per_grpo_step
        self.use_train_as_val = use_train_as_val
        self.num_steps_for_val = num_steps_for_val
        self.report_train_scores = report_train_scores
        self.failure_score = failure_score
        self.format_failure_score = format_failure_score
        self.variably_invoked_predictor_grouping_mode = variably_invoked_predictor_grouping_mode
        self.variably_invoked_predictor_fill_strategy = variably_invoked_predictor_fill_strategy
        self.backend = backend
        self.max_errors = max_errors
        self._check()

    def compile(
        self,
        student: Any,
        trainset: Sequence[Any],
        teacher: Any = None,
        valset: Sequence[Any] | None = None,
        *,
        run_id: str | None = None,
        budget: Budget | None = None,
        **ignored: Any,
    ) -> Any:
        """Return a copy of `student` with the models that measured best, or, unmeasured, with the last.

        Args:
            student: the program; each predictor's LM (or the settings') is the base that is trained.
            trainset: examples to run it on.
            teacher: none but the student itself: what is reinforced is what the program does.
            valset: examples to measure on before, at times between, and after.
            run_id: name of the run in the record; by default made from everything it depends on.
            budget: caps of this compile; reached, it ends with the best so far.
            **ignored: accepted for compatibility.

        Raises:
            CompileError: there is another teacher, or there is nothing to tell runs apart by.
            TrainingError: it cannot be trained, or a training failed.
        """
        if self.metric is None:
            raise CompileError("GRPO needs a metric: it is the reward.")
        if teacher is not None and teacher is not student and teacher != [student]:
            raise CompileError(
                "GRPO learns from the student's own runs. For a teacher's, use BootstrapFinetune."
            )
        measured = valset is not None or self.use_train_as_val
        problem = make_problem(
            student,
            trainset=trainset,
            valset=trainset if self.use_train_as_val else valset,
            metric=self.metric,
            seed=self.seed,
            failure_score=self.failure_score,
        )
        course = self._course(problem, measured=measured)
        self._begin(course.diary)
        options = {"measured": measured, "models": [part.identity for part, _ in course.parts]}
        strategy = reinforced(problem, course)
        return self.told_of(self.run(problem, strategy, run_id=run_id, options=options, budget=budget))

    def _course(self, problem: Problem, *, measured: bool) -> Course:
        writer = Writer(problem, exclude_demos=self.exclude_demos)
        parts = parts_of(problem, multitask=self.multitask, options=self.train_kwargs, adapter=self.adapter)
        return Course(
            writer,
            [(part, backend_of(part, self.backend, writer.sample(part), "reinforce")) for part in parts],
            self.num_train_steps,
            self.num_dspy_examples_per_grpo_step,
            max(2, self.num_rollouts_per_grpo_step),  # alone, no run could do better than others
            self.num_steps_for_val,
            measured,
            Rewards(self.failure_score, self.format_failure_score),
            self._shape,
            Diary(),
        )

    @property
    def _shape(self) -> Shape:
        return Shape(
            self.variably_invoked_predictor_grouping_mode, self.variably_invoked_predictor_fill_strategy
        )

    def _check(self) -> None:
        for name in ("num_train_steps", "num_dspy_examples_per_grpo_step", "num_steps_for_val"):
            if getattr(self, name) < 1:
                raise CompileError(f"GRPO({name}={getattr(self, name)}): at least 1 is needed.")
        mode, fill = self._shape.grouping, self._shape.fill
        if mode not in ("truncate", "fill", "ragged"):
            raise CompileError(f"GRPO: there is no grouping mode {mode!r}: truncate, fill or ragged.")
        if mode == "fill" and fill not in ("randint", "max"):
            raise CompileError("GRPO: grouping mode 'fill' needs a fill strategy: 'randint' or 'max'.")
