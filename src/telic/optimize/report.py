"""What came out of a compile, how sure that is, and where it comes from: the provenance of the compiled
program.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import time
from typing import Any

from telic._json import plain
from telic.evaluate.metric import metric_name
from telic.evaluate.pairing import Comparison, paired
from telic.evaluate.statistics import mean_interval
from telic.optimize.engine import Spent
from telic.optimize.pareto import Limits, Objective, Option, Price, choose, options_of, pareto_set
from telic.optimize.problem import Problem
from telic.optimize.scores import present
from telic.optimize.strategy import Choice, Ranked
from telic.runtime.settings import settings


@dataclass(frozen=True)
class CompileReport:
    """What a compile found.

    Attributes:
        run_id: the run in the record.
        optimizer: class of the optimizer.
        ranking: candidates, best first.
        comparison: the chosen candidate against the program as it was given, paired on the validation
            examples; `None` where nothing was scored. The chosen one was chosen on these examples, so expect
            a little less on new ones.
        spent: what this process paid.
        resumed: scores taken from an earlier, interrupted run.
        seconds: wall clock of this process.
        notes: what a user should know.
        stopped: why the run was ended early, if it was.
        prices: candidate hash to what one of its answers takes.
    """

    run_id: str
    optimizer: str
    ranking: tuple[Ranked, ...]
    comparison: Comparison | None
    spent: Spent
    resumed: int
    seconds: float
    notes: tuple[str, ...]
    stopped: str | None = None
    prices: Mapping[str, Price] = field(default_factory=dict)

    def options(self) -> list[Option]:
        """Every candidate with its score and what its answers take, best score first."""
        return options_of(self.ranking, self.prices)

    def pareto(self, against: Objective = "tokens") -> list[Option]:
        """The candidates worth a choice: no other is both better and cheaper. Best score first.

        Args:
            against: what is to be spared: `"tokens"`, `"cost"` or `"seconds"` of an answer.
        """
        return pareto_set(self.options(), against)

    def choose(
        self,
        *,
        max_tokens: float | None = None,
        max_cost: float | None = None,
        max_seconds: float | None = None,
        min_score: float | None = None,
    ) -> Option:
        """The candidate of the best score within limits; with `min_score` alone, the cheapest that has it.

        Args:
            max_tokens: of an answer, on average: read and written.
            max_cost: US dollars of an answer, on average; candidates of unknown cost are left out.
            max_seconds: of an answer, on average, as its LM calls took when they were made.
            min_score: percent.

        Returns:
            `option.apply(program)` makes a copy of the program with it.

        Raises:
            CompileError: there is none; says what comes nearest.
        """
        limits = Limits(max_tokens, max_cost, max_seconds, min_score)
        return choose(self.options(), limits)

    def to_json(self) -> dict[str, Any]:
        """All of it, candidates by label and score."""
        return {
            "run": self.run_id,
            "optimizer": self.optimizer,
            "candidates": [
                candidate_row(ranked, self.prices.get(ranked.candidate.hash)) for ranked in self.ranking
            ],
            "comparison": self.comparison.to_json() if self.comparison else None,
            "spent": vars(self.spent),
            "resumed": self.resumed,
            "seconds": round(self.seconds, 1),
            "notes": list(self.notes),
            "stopped": self.stopped,
        }


def candidate_row(ranked: Ranked, price: Price | None = None) -> dict[str, Any]:
    """A candidate for people: label, score in percent, interval, examples seen, what an answer takes."""
    scores = present(ranked.scores.values())
    row: dict[str, Any] = {"label": ranked.label, "hash": ranked.candidate.hash[:12], "examples": len(scores)}
    if scores:
        row["score"] = round(100 * ranked.mean, 2)
        row["interval"] = list(mean_interval(scores).percent())
    if ranked.stopped:
        row["stopped"] = True
    return row if price is None else row | price.to_json()


def compare_with_start(problem: Problem, choice: Choice) -> Comparison | None:
    """The chosen candidate against the program as given, on the examples both have seen."""
    by_hash = {ranked.candidate.hash: ranked for ranked in choice.ranking}
    start, best = by_hash.get(problem.start.hash), by_hash.get(choice.candidate.hash)
    if start is None or best is None:
        return None
    both = [e for e in best.scores if best.scores[e] is not None and start.scores.get(e) is not None]
    if not both:
        return None
    return paired([start.scores[e] for e in both], [best.scores[e] for e in both])


def provenance(problem: Problem, report: CompileReport, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Where a compiled program comes from, as saved with it."""
    return {
        **report.to_json(),
        "parameters": {k: _shown(v) for k, v in parameters.items()},
        "metric": metric_name(problem.metric.metric) if problem.metric else None,
        "seed": problem.seed,
        "data": {"train": _data(problem.trainset), "validation": _data(problem.valset)},
        "lm": settings.lm.model if settings.lm is not None else None,
        "fingerprints": problem.fingerprints(),
        "time": round(time()),
    }


def _data(examples: Sequence[Any]) -> dict[str, Any]:
    return {"examples": len(examples)}


def _shown(value: Any) -> Any:
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if callable(value):
        return metric_name(value)
    if isinstance(value, Mapping):
        return {str(k): _shown(v) for k, v in value.items()}
    if hasattr(value, "dump_state"):
        return value.dump_state()
    return plain(value)
