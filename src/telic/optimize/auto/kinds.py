"""Kinds of candidates: an adapter, where demos come from, how many, which; and the states made of them."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from telic.optimize.auto.facts import Facts
from telic.optimize.demos.packing import pack
from telic.optimize.demos.sampling import labelled_demo, sample_examples
from telic.optimize.problem import Problem
from telic.program.state import ProgramState

MOST_DEMOS = 64
Source = Literal["labelled", "bootstrapped"]
Wording = tuple[tuple[str, str], ...]
"""Instructions by path."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a candidate is like, apart from chance.

    Attributes:
        adapter: its name; `None` leaves what is set.
        count: demos; 0 leaves those that are there.
        source: where demos come from.
        short: draw from the shorter half of the examples.
    """

    adapter: str | None
    count: int
    source: Source = "labelled"
    short: bool = False

    def __str__(self) -> str:
        demos = "demos as given"
        if self.count:
            demos = f"{self.count} {'short ' if self.short else ''}{self.source} demos"
        return f"{self.adapter or 'set'} adapter, {demos}"


@dataclass(frozen=True)
class Pool:
    """Demos to draw from. An item is a training example, or a run on one: one demo for each predictor.

    Attributes:
        source: which pool it is.
        demos: predictor path to the demo of each item.
        classes: the class of each item; empty where there are none.
    """

    source: Source
    demos: Mapping[str, Sequence[Mapping[str, Any]]]
    classes: Sequence[Any] = ()

    @property
    def size(self) -> int:
        """How many items there are."""
        return max((len(demos) for demos in self.demos.values()), default=0)

    def length(self, item: int) -> int:
        """Characters of an item's demos."""
        return sum(len(str(demos[item])) for demos in self.demos.values() if item < len(demos))

    def class_of(self, item: int) -> Any:
        """The class of an item; `None` where there are none."""
        return self.classes[item] if self.classes else None


@dataclass(frozen=True, slots=True)
class Draw:
    """One candidate: a kind, and what chance chose.

    Attributes:
        kind: what it is like.
        items: of the kind's pool, in the order shown.
        wording: instructions by path, where others than the program's.
    """

    kind: Kind
    items: tuple[int, ...] = ()
    wording: Wording = ()


def labelled_pool(problem: Problem, facts: Facts) -> Pool:
    """The training examples, for those predictors that they give an output of."""
    demos = [labelled_demo(example) for example in problem.trainset]
    classes = [facts.label(example) for example in problem.trainset] if facts.label else []
    return Pool("labelled", dict.fromkeys(facts.labelled, demos), classes)


def sizes(problem: Problem, facts: Facts, pool: Pool) -> list[int]:
    """Numbers of demos worth trying: doubling, in multiples of the classes, as far as pool and window go."""
    classes = len(set(pool.classes)) or 1
    step = classes if classes >= 4 else classes * -(-4 // classes)
    most = min(pool.size, MOST_DEMOS)
    largest = Draw(Kind(facts.adapters[0], most, pool.source), tuple(range(most)))
    state, notes = state_of(problem, pool, largest)
    if notes:
        most = max((len(state.demos(path)) for path in pool.demos), default=0)
    found = []
    size = step
    while size <= most:
        found.append(size)
        size *= 2
    return found or ([most] if most else [])


def draw(pool: Pool, kind: Kind, chance: random.Random) -> Draw:
    """Draw items for a kind: every class equally often, and in turn."""
    items = list(range(pool.size))
    if kind.short:
        items = _shorter_half(pool)
    label = pool.class_of if pool.classes else None
    chosen = [items[at] for at in sample_examples(items, kind.count, chance, label)]
    return Draw(kind, in_turn(pool, chosen, chance))


def in_turn(pool: Pool, items: Iterable[int], chance: random.Random) -> tuple[int, ...]:
    """Items in random order, with classes taking turns.

    Small models lean towards what they were shown last; where classes take turns, none is it for long.
    """
    order = list(items)
    chance.shuffle(order)
    rounds: dict[Any, int] = {}
    placed = []
    for item in order:
        name = pool.class_of(item) if pool.classes else item
        rounds[name] = rounds.get(name, 0) + 1
        placed.append((rounds[name], item))
    return tuple(item for _, item in sorted(placed, key=lambda pair: pair[0]))


def state_of(problem: Problem, pool: Pool | None, chosen: Draw) -> tuple[ProgramState, tuple[str, ...]]:
    """The state of a candidate, cut to the model's window, with a note for each predictor that lost demos."""
    state = problem.start.with_instructions(dict(chosen.wording))
    if chosen.kind.adapter is not None:
        state = state.with_adapter({path: {"name": chosen.kind.adapter} for path in state.paths})
    if not chosen.items or pool is None:
        return state, ()
    demos = {
        path: [all_[item] for item in chosen.items if item < len(all_)] for path, all_ in pool.demos.items()
    }
    return pack(problem, state.with_demos(demos))


def _shorter_half(pool: Pool) -> list[int]:
    by_class: dict[Any, list[int]] = {}
    for item in range(pool.size):
        by_class.setdefault(pool.class_of(item), []).append(item)
    kept: list[int] = []
    for items in by_class.values():
        items.sort(key=lambda item: (pool.length(item), item))
        kept += items[: -(-len(items) // 2)]
    return sorted(kept)
