"""The first stage: cheap looks at every kind of candidate, to find the two kinds worth drawing from.

Kinds are cells of a table, adapter by number of demos. A few examples tell little of one cell, but a row and
a column have many: a cell is judged half by itself, half by what its row and column say (an additive fit).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from telic.optimize.auto.board import START, Board
from telic.optimize.auto.facts import BLOCK
from telic.optimize.auto.kinds import Kind, Pool, draw, sizes
from telic.optimize.scores import mean
from telic.optimize.strategy import Evaluating

SECOND_LOOK = 2 * BLOCK
_ZERO_SHOT = 0


def kinds_of(board: Board, pool: Pool) -> list[Kind]:
    """Every kind that a pool allows for, the best bets first."""
    facts, problem = board.facts, board.problem
    counts = sizes(problem, facts, pool)
    found = [Kind(adapter, count, pool.source) for adapter in facts.adapters for count in counts]
    if len(counts) > 1 and pool.source == "labelled":
        # The largest number is near to all there is: nothing is left to choose shorter ones from.
        found += [Kind(facts.adapters[0], counts[-2], pool.source, short=True)]
    if pool.source == "labelled" and not facts.small:
        found += [Kind(adapter, _ZERO_SHOT) for adapter in facts.adapters]
    return found


def screen(board: Board, kinds: Sequence[Kind], runs: int) -> Evaluating[list[Kind]]:
    """Look at kinds, then once more at the better half with other demos.

    Args:
        board: where candidates are kept.
        kinds: in order of promise.
        runs: how many runs of the program this may take.

    Returns:
        The kinds that were looked at, best first.
    """
    first = min(BLOCK, len(board.facts.order))
    looked = _spread(kinds, max(2, runs * 2 // 3 // first))
    labels: dict[str, Kind] = {}
    for kind in looked:
        labels[_drawn(board, kind, 0)] = kind
    yield from board.see(list(labels), first)
    order = ordered(board, labels)
    again = order[: max(1, min(len(order) // 2, (runs - first * len(labels)) // SECOND_LOOK))]
    if runs - first * len(labels) >= SECOND_LOOK:
        seconds = {_drawn(board, kind, 1): kind for kind in again}
        yield from board.see(list(seconds), SECOND_LOOK)
        labels |= seconds
        order = [*ordered(board, {k: v for k, v in labels.items() if v in again}), *order[len(again) :]]
    return order


def ordered(board: Board, labels: Mapping[str, Kind]) -> list[Kind]:
    """Kinds, best first, by the scores of their candidates and of those like them."""
    cells: dict[Kind, list[float | None]] = {}
    for label, kind in labels.items():
        cells.setdefault(kind, []).extend(board.scores[label].values())
    everything = mean(score for scores in cells.values() for score in scores)

    def effect(alike: Iterable[Kind]) -> float:
        return mean(score for kind in alike for score in cells[kind]) - everything

    def judged(kind: Kind) -> float:
        row = effect(other for other in cells if other.adapter == kind.adapter)
        column = effect(other for other in cells if other.count == kind.count)
        return 0.5 * mean(cells[kind]) + 0.5 * (everything + row + column)

    return sorted(cells, key=lambda kind: -judged(kind))


def _drawn(board: Board, kind: Kind, number: int) -> str:
    pool = board.pools[kind.source]
    chance = board.problem.rng("draw", str(kind), number)
    return board.add(f"{kind}, draw {number}", draw(pool, kind, chance))


def _spread(kinds: Sequence[Kind], most: int) -> list[Kind]:
    """At most so many: every adapter keeps some, and of its numbers of demos the larger ones."""
    if len(kinds) <= most:
        return list(kinds)
    by_adapter: dict[str | None, list[Kind]] = {}
    for kind in kinds:
        by_adapter.setdefault(kind.adapter, []).append(kind)
    for row in by_adapter.values():
        row.sort(key=lambda kind: -kind.count)
    chosen: list[Kind] = []
    while len(chosen) < most:
        for row in by_adapter.values():
            if row and len(chosen) < most:
                chosen.append(row.pop(0))
    return chosen


def start_looks(board: Board) -> Evaluating[None]:
    """Run the program as it was given on the first examples: what a run takes is seen here."""
    yield from board.see([START], min(BLOCK, len(board.facts.order)))
