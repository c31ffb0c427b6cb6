"""Which texts of a candidate to rewrite next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from telic.errors import CompileError
from telic.optimize.gepa.pool import Member, Pool

Selector: TypeAlias = Callable[..., Sequence[str]]
"""Called with `state`, `trajectories`, `subsample_scores`, `candidate_idx` and `candidate`, by name; gives
component names.
"""


@dataclass(frozen=True)
class SearchState:
    """What a component selector of one's own is told of the search.

    Attributes:
        i: number of the iteration, from 1.
        program_candidates: component name to text, for each candidate of the pool.
        program_full_scores_val_set: mean score of each.
        prog_candidate_val_subscores: score by validation example of each.
        parent_program_for_candidate: places of the parents of each; `[None]` for the start.
        total_num_evals: runs scored so far.
    """

    i: int
    program_candidates: list[dict[str, str]]
    program_full_scores_val_set: list[float]
    prog_candidate_val_subscores: list[dict[int, float]]
    parent_program_for_candidate: list[list[int | None]]
    total_num_evals: int

    @classmethod
    def of(cls, pool: Pool, iteration: int, spent: int) -> SearchState:
        """As a search stands."""
        return cls(
            iteration,
            [member.state.components() for member in pool.members],
            [member.mean for member in pool.members],
            [dict(member.scores) for member in pool.members],
            [list(member.parents) or [None] for member in pool.members],
            spent,
        )


def check_selector(selector: Any) -> None:
    """Raise `CompileError` unless it is `"round_robin"`, `"all"` or can be called."""
    if selector not in ("round_robin", "all") and not callable(selector):
        raise CompileError(
            f"component_selector={selector!r} is neither 'round_robin' nor 'all' nor callable."
        )


def round_robin(member: Member, names: Sequence[str]) -> str:
    """The next component of a candidate, which is then behind all others."""
    chosen = names[member.turn % len(names)]
    member.turn += 1
    return chosen
