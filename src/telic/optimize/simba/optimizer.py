"""`SIMBA`: stochastic introspective mini-batch ascent, an optimizer that came with DSPy and has no paper of
its own; its rules from contrasted runs are close to AvaTaR's (Wu et al., 2024, arXiv:2406.11200).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from telic.errors import CompileError
from telic.lm.base import BaseLM
from telic.optimize.optimizer import Optimizer
from telic.optimize.problem import Problem, make_problem
from telic.optimize.simba.search import Options, Search

if TYPE_CHECKING:
    from telic.budget import Budget


class SIMBA(Optimizer):
    """Learn from the examples on which runs differ: from a good run as a demo, or from what makes it better
    than a bad one as a rule.

    In each step the examples of a minibatch are run several times. For those whose runs differ most, a
    candidate is made from a program so far: some of its demos are dropped by chance, and either the steps of
    the best run are added as a demo, or a model compares the best with the worst run and its advice is added
    to the instructions. The candidates are run on the minibatch. In the end the winners of the steps are
    compared on all examples.

    Args:
        metric: scores a run.
        bsize: examples of a minibatch; all of them where there are fewer.
        num_candidates: runs of an example, and candidates of a step.
        max_steps: minibatches.
        max_demos: demos of a candidate; 0 for rules alone.
        prompt_model: the model that compares runs; `settings.lm` by default.
        teacher_settings: settings for one of the runs of each example, such as `{"lm": larger_model}`.
        demo_input_field_maxlen: characters of an input that a demo shows.
        num_threads: how many examples at once; `settings.num_threads` by default.
        temperature_for_sampling: of the softmax over programs whose runs are sampled; in scores.
        temperature_for_candidates: of the softmax over programs that candidates are made from; in scores.
        racing: in the final comparison, stop candidates that fall behind; off, each sees every example.
    """

    def __init__(
        self,
        *,
        metric: Callable[..., Any],
        bsize: int = 32,
        num_candidates: int = 6,
        max_steps: int = 8,
        max_demos: int = 4,
        prompt_model: BaseLM | None = None,
        teacher_settings: dict[str, Any] | None = None,
        demo_input_field_maxlen: int = 100_000,
        num_threads: int | None = None,
        temperature_for_sampling: float = 0.2,
        temperature_for_candidates: float = 0.2,
        racing: bool = True,
    ) -> None:
        for name, value, least in (
            ("bsize", bsize, 1),
            ("num_candidates", num_candidates, 2),
            ("max_steps", max_steps, 0),
            ("max_demos", max_demos, 0),
        ):
            if value < least:
                raise CompileError(f"{name}={value} must be at least {least}.")
        if metric is None:
            raise CompileError("SIMBA needs a metric: metric(example, prediction).")
        self.metric = metric
        self.bsize = bsize
        self.num_candidates = num_candidates
        self.max_steps = max_steps
        self.max_demos = max_demos
        self.prompt_model = prompt_model
        self.teacher_settings = teacher_settings or {}
        self.demo_input_field_maxlen = demo_input_field_maxlen
        self.num_threads = num_threads
        self.temperature_for_sampling = temperature_for_sampling
        self.temperature_for_candidates = temperature_for_candidates
        self.racing = racing

    def compile(
        self,
        student: Any,
        *,
        trainset: Sequence[Any],
        seed: int = 0,
        run_id: str | None = None,
        budget: Budget | None = None,
    ) -> Any:
        """Return the best candidate as a copy of `student`.

        Args:
            student: the program.
            trainset: examples to learn from and to compare on.
            seed: of every random choice.
            run_id: name of the run in the record; by default made from everything it depends on.
            budget: caps of this compile, such as `telic.budget(calls=500)`.

        Returns:
            The program, with `candidate_programs`, `report` and `provenance`, and `trial_logs`: step to mean
            scores of the sampled runs and of the candidates.

        Raises:
            CompileError: the student has no predictors, or there are too many errors.
            DataError: an empty set, or an example without inputs.
            MetricError: the metric cannot be called.
        """
        problem = make_problem(
            student,
            trainset=trainset,
            valset=None,
            metric=self.metric,
            seed=seed,
            teacher_settings=self.teacher_settings,
        )
        search = self.search(problem)
        compiled = self.run(problem, search.strategy(), run_id=run_id, budget=budget)
        compiled.trial_logs = search.logs
        return compiled

    def search(self, problem: Problem) -> Search:
        """The search that a compile runs; its `strategy()` can be run once."""
        options = Options(
            self.bsize,
            self.num_candidates,
            self.max_steps,
            self.max_demos,
            self.prompt_model,
            self.demo_input_field_maxlen,
            self.temperature_for_sampling,
            self.temperature_for_candidates,
            self.racing,
        )
        return Search(problem, options)
