"""`COPRO`: instructions improved by coordinate ascent.

From the DSPy work (Khattab et al., 2023, arXiv:2310.03714; there "signature optimizer"), after OPRO (Yang et
al., 2023, arXiv:2309.03409): a model that is told earlier instructions with their scores writes better ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from telic.errors import CompileError
from telic.evaluate.metric import bind_metric
from telic.lm.base import BaseLM
from telic.optimize.copro.search import Ascent
from telic.optimize.optimizer import Optimizer
from telic.optimize.problem import make_problem
from telic.optimize.strategy import Strategy
from telic.runtime.settings import settings

if TYPE_CHECKING:
    from telic.budget import Budget


class COPRO(Optimizer):
    """Propose `breadth` instructions for each predictor, keep the best, propose again in view of all scores.

    A predictor whose adapter writes prefixes (plain text, `CompletionAdapter`) also gets a prefix for its
    last output proposed.

    Args:
        prompt_model: the model that proposes; `settings.lm` by default.
        metric: scores a run.
        breadth: instructions looked at in a round, the given one among them in the first; at least 2.
        depth: rounds.
        init_temperature: sampling temperature of proposals.
        track_stats: give the compiled program `results_best` and `results_latest`: maximum, average, minimum
            and standard deviation of scores in percent, by predictor and round.
        num_threads: how many examples at once; `settings.num_threads` by default.
        max_errors: errors (not unreadable answers) after which to stop; `settings.max_errors` by default.
        racing: stop candidates early that fall behind on the same examples; off, every candidate sees
            every example, as in the paper.
        seed: of every random choice.
        **_kwargs: accepted, and not used: former parameters.
    """

    def __init__(
        self,
        prompt_model: BaseLM | None = None,
        metric: Any = None,
        breadth: int = 10,
        depth: int = 3,
        init_temperature: float = 1.4,
        track_stats: bool = False,
        *,
        num_threads: int | None = None,
        max_errors: int | None = None,
        racing: bool = True,
        seed: int = 0,
        **_kwargs: Any,
    ) -> None:
        if breadth < 2:
            raise CompileError(f"breadth={breadth} must be at least 2: the given instruction counts as one.")
        if depth < 1:
            raise CompileError(f"depth={depth} must be at least 1.")
        self.metric = metric
        self.prompt_model = prompt_model
        self.breadth = breadth
        self.depth = depth
        self.init_temperature = init_temperature
        self.track_stats = track_stats
        self.num_threads = num_threads
        self.max_errors = max_errors
        self.racing = racing
        self.seed = seed

    def compile(
        self,
        student: Any,
        *,
        trainset: Sequence[Any],
        eval_kwargs: Mapping[str, Any] | None = None,
        valset: Sequence[Any] | None = None,
        run_id: str | None = None,
        budget: Budget | None = None,
    ) -> Any:
        """Return the best candidate as a copy of `student`.

        Args:
            student: the program.
            trainset: examples that instructions are compared on.
            eval_kwargs: `num_threads` and `max_errors` of the evaluations; what is shown is not its matter.
            valset: examples to compare on in place of the trainset.
            run_id: name of the run in the record; by default made from everything it depends on.
            budget: caps of this compile, such as `telic.budget(calls=500)`.

        Raises:
            CompileError: something cannot be as it is given, or there are too many errors.
            MetricError: there is no metric, or it cannot be called.
        """
        problem = make_problem(
            student, trainset=trainset, valset=valset, metric=bind_metric(self.metric), seed=self.seed
        )
        ascent = Ascent(
            problem, self.breadth, self.depth, self.prompt_model, self.init_temperature, self.racing
        )
        chosen = {k: v for k, v in (eval_kwargs or {}).items() if k in ("num_threads", "max_errors")}
        with settings.context(**{k: v for k, v in chosen.items() if v is not None}):
            compiled = self.run(problem, self.strategy(ascent), run_id=run_id, budget=budget)
        compiled.total_calls = len(compiled.candidate_programs)
        if self.track_stats:
            compiled.results_best, compiled.results_latest = ascent.best, ascent.latest
        return compiled

    def strategy(self, ascent: Ascent) -> Strategy:
        """The ascent."""
        return ascent.strategy()
