"""`GEPA`: a program's texts evolved by reflection on its runs (Agrawal et al., 2025, "GEPA: Reflective Prompt
Evolution Can Outperform Reinforcement Learning", arXiv:2507.19457).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol

from telic.errors import CompileError
from telic.lm.base import BaseLM
from telic.optimize.gepa.allowance import allowance, auto_budget, check_allowance
from telic.optimize.gepa.result import DspyGEPAResult
from telic.optimize.gepa.search import Options, Search
from telic.optimize.gepa.selecting import Selector, check_selector
from telic.optimize.optimizer import Optimizer
from telic.optimize.problem import Problem, make_problem
from telic.program.tool_texts import is_tool_state

if TYPE_CHECKING:
    from telic.budget import Budget


class GEPAFeedbackMetric(Protocol):
    """A metric that gives feedback: a number, or something with a `score` and a `feedback`.

    It is asked plainly, with `gold` and `pred`; and, to reflect on a predictor, with the run's trace, the
    predictor's path, and the predictor's calls in that run. What it then says of this predictor is what the
    reflection is shown; the score that counts is the plain one.
    """

    def __call__(
        self, gold: Any, pred: Any, trace: Any = None, pred_name: Any = None, pred_trace: Any = None
    ) -> Any:
        """Score a run, and say what is good or wrong about it."""


class InstructionProposer(Protocol):
    """Writes new texts by component name."""

    def __call__(
        self,
        candidate: dict[str, str],
        reflective_dataset: dict[str, list[dict[str, Any]]],
        components_to_update: list[str],
    ) -> dict[str, str]:
        """New texts for `components_to_update`.

        Args:
            candidate: component name to text.
            reflective_dataset: component name to runs, each with `Inputs`, `Generated Outputs` (a text where
                it could not be read) and `Feedback`.
            components_to_update: which to rewrite.
        """


class GEPA(Optimizer):
    """Rewrite a program's instructions by reflection on its runs, and keep what does better.

    A model is shown a few runs with the metric's feedback, and asked for a better text; where the new text
    does better on the same examples, the candidate is scored on the validation set. The next parent is drawn
    from the candidates that are the best on some validation example, so that a good idea for a part of the
    examples is not lost. Candidates that changed different parts are merged.

    The search also ends when a candidate has the perfect score on every validation example.

    Give exactly one of `auto`, `max_full_evals` and `max_metric_calls`; it is looked at between iterations,
    so the last one may go a little over. For a cap that holds to the call, use `telic.budget`.

    Args:
        metric: see `GEPAFeedbackMetric`. Metrics with two or three arguments do too: their feedback, or at
            least the score, is used for every predictor.
        auto: `"light"`, `"medium"` or `"heavy"`.
        max_full_evals: scored runs, as multiples of the training and validation set together.
        max_metric_calls: scored runs.
        reflection_minibatch_size: runs that are reflected on at a time.
        candidate_selection_strategy: `"pareto"`, or `"current_best"` to always go on from the best.
        reflection_lm: the model that reflects, best a strong one; `settings.lm` where it is not given.
        skip_perfect_score: do not reflect on runs that all have `perfect_score`.
        add_format_failure_as_feedback: also reflect on answers that could not be read.
        instruction_proposer: writes new texts in the place of the built-in reflection; see
            `InstructionProposer`.
        code_proposer: must be `None`: there are no modules here whose code is learnt.
        component_selector: `"round_robin"`, `"all"`, or a function of `state`, `trajectories`,
            `subsample_scores`, `candidate_idx` and `candidate` that gives component names.
        use_merge: merge candidates that changed different parts.
        max_merge_invocations: most merges tried; `None` for no limit.
        num_threads: how many examples at once; `settings.num_threads` by default.
        failure_score: score of an answer that could not be read.
        perfect_score: the best score there is.
        log_dir: kept for the result; runs are in the record, see `telic runs`.
        track_stats: give the compiled program `detailed_results`.
        use_wandb: accepted; callbacks tell other systems.
        wandb_api_key: accepted.
        wandb_init_kwargs: accepted.
        track_best_outputs: also keep what the best candidates returned; needs `track_stats`.
        warn_on_score_mismatch: accepted; the score is always the plain one, so there is no mismatch.
        use_mlflow: accepted.
        seed: of every random choice.
        gepa_kwargs: accepted; options of another engine.
        optimize_tools: also rewrite what tools and their arguments are said to be.
        racing: stop a candidate on the validation set once it is shown to be worse than what it was made
            from; off, every candidate sees every example, as in the paper.
    """

    def __init__(
        self,
        metric: GEPAFeedbackMetric | Callable[..., Any],
        *,
        auto: Literal["light", "medium", "heavy"] | None = None,
        max_full_evals: int | None = None,
        max_metric_calls: int | None = None,
        reflection_minibatch_size: int = 3,
        candidate_selection_strategy: Literal["pareto", "current_best"] = "pareto",
        reflection_lm: BaseLM | None = None,
        skip_perfect_score: bool = True,
        add_format_failure_as_feedback: bool = False,
        instruction_proposer: InstructionProposer | Callable[..., Any] | None = None,
        code_proposer: Any = None,
        component_selector: Selector | str = "round_robin",
        use_merge: bool = True,
        max_merge_invocations: int | None = 5,
        num_threads: int | None = None,
        failure_score: float = 0.0,
        perfect_score: float = 1.0,
        log_dir: str | None = None,
        track_stats: bool = False,
        use_wandb: bool = False,
        wandb_api_key: str | None = None,
        wandb_init_kwargs: dict[str, Any] | None = None,
        track_best_outputs: bool = False,
        warn_on_score_mismatch: bool = True,
        use_mlflow: bool = False,
        seed: int | None = 0,
        gepa_kwargs: dict[str, Any] | None = None,
        optimize_tools: bool = False,
        racing: bool = True,
    ) -> None:
        check_allowance(auto, max_full_evals, max_metric_calls)
        check_selector(component_selector)
        self.metric = metric
        self.auto = auto
        self.max_full_evals = max_full_evals
        self.max_metric_calls = max_metric_calls
        self.reflection_minibatch_size = reflection_minibatch_size
        self.candidate_selection_strategy = candidate_selection_strategy
        self.reflection_lm = reflection_lm
        self.skip_perfect_score = skip_perfect_score
        self.add_format_failure_as_feedback = add_format_failure_as_feedback
        self.instruction_proposer = instruction_proposer
        self.code_proposer = code_proposer
        self.component_selector = component_selector
        self.use_merge = use_merge
        self.max_merge_invocations = max_merge_invocations
        self.num_threads = num_threads
        self.failure_score = failure_score
        self.perfect_score = perfect_score
        self.log_dir = log_dir
        self.track_stats = track_stats
        self.track_best_outputs = track_best_outputs
        self.seed = seed
        self.optimize_tools = optimize_tools
        self.racing = racing
        _check(self)

    def auto_budget(
        self,
        num_preds: int,
        num_candidates: int,
        valset_size: int,
        minibatch_size: int = 35,
        full_eval_steps: int = 5,
    ) -> int:
        """Runs that `auto` stands for; see `telic.optimize.gepa.allowance.auto_budget`."""
        return auto_budget(num_preds, num_candidates, valset_size, minibatch_size, full_eval_steps)

    def compile(
        self,
        student: Any,
        *,
        trainset: Sequence[Any],
        teacher: Any = None,
        valset: Sequence[Any] | None = None,
        run_id: str | None = None,
        budget: Budget | None = None,
    ) -> Any:
        """Return the best candidate as a copy of `student`.

        Args:
            student: the program.
            trainset: examples whose runs are reflected on.
            teacher: must be `None`.
            valset: examples that candidates are compared on; the trainset by default. Fewer than the trainset
                will do: each candidate sees them all.
            run_id: name of the run in the record; by default made from everything it depends on.
            budget: caps of this compile, such as `telic.budget(calls=500)`.

        Returns:
            The program, with `candidate_programs`, `report` and `provenance`; with `track_stats`, also with
            `detailed_results`.

        Raises:
            CompileError: something cannot be as it is given, or there are too many errors.
            DataError: an empty set, or an example without inputs.
            MetricError: the metric cannot be called.
        """
        if teacher is not None:
            raise CompileError("GEPA learns from the student's own runs; leave teacher out.")
        problem = make_problem(
            student,
            trainset=trainset,
            valset=valset,
            metric=self.metric,
            seed=self.seed or 0,
            failure_score=self.failure_score,
        )
        search = self.search(problem, valset)
        compiled = self.run(problem, search.strategy(), run_id=run_id, budget=budget)
        if self.track_stats and search.pool.members:
            compiled.detailed_results = DspyGEPAResult.of(search, log_dir=self.log_dir, seed=self.seed)
        return compiled

    def search(self, problem: Problem, valset: Sequence[Any] | None = None) -> Search:
        """The search that a compile runs; its `strategy()` can be run once.

        Args:
            problem: what is compiled.
            valset: the validation set where it is another one than the training set.
        """
        names = self._components(problem)
        allowed = allowance(
            self.auto,
            self.max_full_evals,
            self.max_metric_calls,
            texts=len(names),
            trainset=problem.trainset,
            valset=valset,
        )
        limit = allowed if self.max_merge_invocations is None else self.max_merge_invocations
        options = Options(
            allowed,
            names,
            self.reflection_minibatch_size,
            self.candidate_selection_strategy,
            self.reflection_lm,
            self.skip_perfect_score,
            self.add_format_failure_as_feedback,
            self.instruction_proposer,
            self.component_selector,
            limit if self.use_merge else 0,
            self.perfect_score,
            self.track_best_outputs,
            self.racing,
        )
        return Search(problem, options)

    def _components(self, problem: Problem) -> tuple[str, ...]:
        states = problem.start.to_json()
        tools = [path for path, state in states.items() if is_tool_state(state)]
        names = problem.start.components()
        if not self.optimize_tools:
            names = {n: t for n, t in names.items() if not any(n.startswith(f"{p}.") for p in tools)}
        return tuple(names)


def _check(optimizer: Any) -> None:
    wrong = None
    if optimizer.metric is None:
        wrong = "GEPA needs a metric: metric(gold, pred, trace, pred_name, pred_trace)."
    elif optimizer.candidate_selection_strategy not in ("pareto", "current_best"):
        wrong = (
            f"candidate_selection_strategy={optimizer.candidate_selection_strategy!r} is neither 'pareto' "
            "nor 'current_best'."
        )
    elif optimizer.track_best_outputs and not optimizer.track_stats:
        wrong = "track_best_outputs=True needs track_stats=True: that is where the outputs go."
    elif optimizer.code_proposer is not None:
        wrong = "code_proposer: telic has no module whose code is learnt; leave it out."
    elif optimizer.reflection_minibatch_size < 1:
        wrong = f"reflection_minibatch_size={optimizer.reflection_minibatch_size} must be at least 1."
    elif optimizer.instruction_proposer is not None and not callable(optimizer.instruction_proposer):
        wrong = "instruction_proposer must be callable; see InstructionProposer."
    if wrong is not None:
        raise CompileError(wrong)
