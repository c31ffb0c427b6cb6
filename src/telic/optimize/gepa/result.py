"""What a GEPA compile tells of its search: `compiled.detailed_results`."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from telic.data.prediction import Prediction
from telic.optimize.gepa.search import Search


@dataclass(frozen=True)
class DspyGEPAResult:
    """The candidates of a search, with what is known of each; lists are in the order they were found.

    Attributes:
        candidates: the programs.
        parents: places of what each was made from; `[None]` for the start.
        val_aggregate_scores: mean score on the validation set.
        val_subscores: score by validation example.
        per_val_instance_best_candidates: validation example to the places of those that do best on it.
        discovery_eval_counts: runs that had been scored before each met the validation set.
        best_outputs_valset: validation example to `(place, what it returned)` of those that do best on it,
            where `track_best_outputs` was set.
        total_metric_calls: runs scored in all, counted as in the paper.
        num_full_val_evals: candidates that met the whole validation set.
        log_dir: as given.
        seed: as given.
        val_aggregate_subscores: `None`: metrics have one score here.
        per_objective_best_candidates: `None`, for the same reason.
        objective_pareto_front: `None`, for the same reason.
    """

    candidates: list[Any]
    parents: list[list[int | None]]
    val_aggregate_scores: list[float]
    val_subscores: list[dict[int, float]]
    per_val_instance_best_candidates: dict[int, set[int]]
    discovery_eval_counts: list[int]
    best_outputs_valset: dict[int, list[tuple[int, Prediction]]] | None = None
    total_metric_calls: int | None = None
    num_full_val_evals: int | None = None
    log_dir: str | None = None
    seed: int | None = None
    val_aggregate_subscores: list[dict[str, float]] | None = None
    per_objective_best_candidates: dict[str, set[int]] | None = None
    objective_pareto_front: dict[str, float] | None = None

    @property
    def best_idx(self) -> int:
        """Place of the one with the best mean; among equals the first."""
        return max(range(len(self.candidates)), key=lambda place: self.val_aggregate_scores[place])

    @property
    def best_candidate(self) -> Any:
        """That program."""
        return self.candidates[self.best_idx]

    @property
    def highest_score_achieved_per_val_task(self) -> dict[int, float]:
        """Validation example to the best score that any candidate has on it."""
        return {
            example: max(scores[example] for scores in self.val_subscores)
            for example in self.per_val_instance_best_candidates
        }

    def to_dict(self) -> dict[str, Any]:
        """All of it as a dict; programs by their texts."""
        from telic.program.state import ProgramState

        row = {each.name: getattr(self, each.name) for each in fields(self)}
        row["candidates"] = [ProgramState.of(program).components() for program in self.candidates]
        return row | {"best_idx": self.best_idx}

    @classmethod
    def of(cls, search: Search, *, log_dir: str | None, seed: int | None) -> DspyGEPAResult:
        """What a finished search tells."""
        pool, student = search.pool, search.problem.student
        best_on = pool.best_on()
        return cls(
            [member.state.apply(student) for member in pool.members],
            [list(member.parents) or [None] for member in pool.members],
            [member.mean for member in pool.members],
            [dict(member.scores) for member in pool.members],
            best_on,
            [member.found_at for member in pool.members],
            _best_outputs(search, best_on) if search.options.keep_outputs else None,
            search.spent,
            search.full_evals,
            log_dir,
            seed,
        )


def _best_outputs(search: Search, best_on: dict[int, set[int]]) -> dict[int, list[tuple[int, Prediction]]]:
    def output(place: int, example: int) -> Prediction:
        made = search.outputs.get((search.pool.members[place].state.hash, example))
        return Prediction(**made) if isinstance(made, dict) else Prediction(output=made)

    return {e: [(place, output(place, e)) for place in sorted(places)] for e, places in best_on.items()}
