"""The second stage: draws of the best kinds, then draws made out of the best ones.

Each wave is sifted by successive halving (Jamieson and Talwalkar, 2016, arXiv:1502.07943): all candidates on
the same few examples, the best third on twice as many, and so on. The first wave is drawn by chance; later
ones change and cross what did best so far, as evolutionary searches do.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace

from telic.optimize.auto.board import Board
from telic.optimize.auto.kinds import Kind, Pool, Wording, draw, in_turn
from telic.optimize.auto.screening import SECOND_LOOK
from telic.optimize.strategy import Evaluating

FINALISTS = 6
_WAVES = 5
_LARGEST_WAVE = 24
_SMALLEST_WAVE = 3
_EACH = 1.5
"""A wave costs so many first looks a candidate, later looks of the best third included."""
_EXCHANGED = 0.3
"""Share of the demos that a changed draw has other ones of."""


def search_draws(board: Board, kinds: Sequence[Kind], keep: int, wording: Wording = ()) -> Evaluating[int]:
    """Draw candidates in waves for as long as there is enough to spend.

    Args:
        board: where candidates are kept; those that are there take part.
        kinds: one or two, the best first.
        keep: runs of the program that must be left.
        wording: instructions by path for all draws.

    Returns:
        How many candidates were drawn.
    """
    first = min(SECOND_LOOK, len(board.facts.order))
    drawn = 0
    for wave in range(_WAVES):
        left = board.purse.runs() - keep
        # More than half on the first wave: what comes later can only be as good as what it is made of.
        size = min(_LARGEST_WAVE, int(left * (0.55 if wave == 0 else 0.8) / (_EACH * first)))
        if size < _SMALLEST_WAVE:
            break
        leaders = _leaders(board, kinds, first)
        if wave == 0 or not leaders:
            labels = [_chance(board, kinds, number, wording) for number in range(size)]
        else:
            labels = [_child(board, leaders, wave, number) for number in range(size)]
        fresh = [label for label in dict.fromkeys(labels) if label not in leaders]
        drawn += len(fresh)
        yield from sift(board, [*leaders, *fresh], keep)
    return drawn


def sift(board: Board, labels: Sequence[str], keep: int) -> Evaluating[None]:
    """See candidates on ever more examples, of which only the best third goes on each time."""
    total = len(board.facts.order)
    size = min(SECOND_LOOK, total)
    alive = list(labels)
    while alive and board.price(alive, size) <= board.purse.runs() - keep:
        yield from board.see(alive, size)
        if size >= total:
            break
        alive = board.best(alive, max(2, -(-len(alive) // 3)), size)
        size = min(2 * size, total) if 3 * size <= 2 * total else total
        if size == total:
            break  # the finalists of all waves are seen on the rest together


def _leaders(board: Board, kinds: Sequence[Kind], first: int) -> list[str]:
    """The best candidates so far that have seen enough; those that have seen more come first."""
    able = [
        label
        for label, chosen in board.draws.items()
        if chosen.kind in kinds and len(board.scores[label]) >= first
    ]
    if not able:
        return []
    most = max(len(board.scores[label]) for label in able)
    return board.best((label for label in able if len(board.scores[label]) == most), 2)


def _chance(board: Board, kinds: Sequence[Kind], number: int, wording: Wording) -> str:
    # Two draws of the best kind for each of the next.
    kind = kinds[1] if len(kinds) > 1 and number % 3 == 2 else kinds[0]
    chance = board.problem.rng("draw", str(kind), number + 2)
    chosen = replace(draw(board.pools[kind.source], kind, chance), wording=wording)
    return board.add(f"{kind}, draw {number + 2}", chosen)


def _child(board: Board, leaders: Sequence[str], wave: int, number: int) -> str:
    chance = board.problem.rng("child", wave, number)
    parent = board.draws[leaders[number % len(leaders)]]
    other = board.draws[leaders[(number + 1) % len(leaders)]]
    pool = board.pools[parent.kind.source]
    ways = ("exchanged", "weak classes", "crossed", "reordered")
    way = ways[(number // len(leaders)) % len(ways)]
    if way == "crossed" and (other is parent or other.kind.source != parent.kind.source):
        way = "exchanged"
    weak = board.by_class(leaders[number % len(leaders)])
    if way == "weak classes" and not (weak and pool.classes):
        way = "exchanged"
    if way == "crossed":
        items = _crossed(pool, parent.items, other.items, chance)
    elif way == "weak classes":
        items = _more_of_weak(pool, parent.items, weak, chance)
    elif way == "exchanged":
        items = _exchanged(pool, parent.items, chance)
    else:
        items = list(parent.items)
    kind = replace(parent.kind, count=len(items), short=False)
    label = f"wave {wave + 1}.{number + 1}: {kind}, {way}"
    return board.add(label, replace(parent, items=in_turn(pool, items, chance)))


def _exchanged(pool: Pool, items: Sequence[int], chance: random.Random) -> list[int]:
    """Some items replaced by others of their class."""
    kept = list(items)
    for at in chance.sample(range(len(kept)), max(1, round(_EXCHANGED * len(kept)))):
        spare = [
            item
            for item in range(pool.size)
            if item not in kept and pool.class_of(item) == pool.class_of(kept[at])
        ]
        if spare:
            kept[at] = chance.choice(spare)
    return kept


def _crossed(pool: Pool, mine: Sequence[int], theirs: Sequence[int], chance: random.Random) -> list[int]:
    """As many items as the first has, class by class out of both."""
    both: dict[object, list[int]] = {}
    for item in dict.fromkeys([*mine, *theirs]):
        both.setdefault(pool.class_of(item), []).append(item)
    wanted: dict[object, int] = {}
    for item in mine:
        wanted[pool.class_of(item)] = wanted.get(pool.class_of(item), 0) + 1
    return [item for name, count in wanted.items() for item in chance.sample(both[name], count)]


def _more_of_weak(
    pool: Pool, items: Sequence[int], scores: Mapping[object, float], chance: random.Random
) -> list[int]:
    """Demos added to the classes that are recognised least, and taken from the one that is recognised best.

    A small model's answers lean towards some classes; what is shown more often pulls against that.
    """
    order = sorted(scores, key=lambda name: scores[name])
    kept = list(items)
    for name in order[: max(1, len(order) // 3)]:
        spare = [item for item in range(pool.size) if item not in kept and pool.class_of(item) == name]
        if spare:
            kept.append(chance.choice(spare))
    best = [item for item in kept if pool.class_of(item) == order[-1]]
    if len(best) > 1:
        kept.remove(chance.choice(best))
    return kept
