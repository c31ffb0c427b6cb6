"""Merging two candidates that changed different texts of a common ancestor.

Of Agrawal et al. (2025), appendix on system-aware merge: where one lineage rewrote one module and the other
lineage another, a candidate with both rewrites joins what both have learnt, without a call to a model.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

from telic.optimize.gepa.pool import Member, Pool
from telic.program.state import ProgramState


@dataclass(frozen=True)
class Merge:
    """Two candidates, and what their merge would be."""

    one: Member
    other: Member
    state: ProgramState


def find_merge(pool: Pool, tried: set[tuple[int, int, int]], random_: random.Random) -> Merge | None:
    """A pair on the front worth merging that was not tried before; `tried` is told of it.

    Neither descends from the other, both are at least as good as the common ancestor, and each kept a text of
    the ancestor that the other one rewrote.
    """
    pairs = list(combinations(sorted(pool.front()), 2))
    random_.shuffle(pairs)
    for i, j in pairs:
        above_i, above_j = pool.ancestors(i), pool.ancestors(j)
        if i in above_j or j in above_i:
            continue
        # The youngest ancestor first: the less has changed since, the fewer texts both have rewritten.
        for ancestor in sorted(above_i & above_j, reverse=True):
            if (i, j, ancestor) in tried:
                continue
            found = _merged(pool, i, j, ancestor, random_)
            if found is not None:
                tried.add((i, j, ancestor))
                return found
    return None


def telling_examples(merge: Merge, count: int, random_: random.Random) -> tuple[int, ...]:
    """A few validation examples to try a merge on: as many that either parent is better on, then others."""
    one, other = merge.one.scores, merge.other.scores
    groups = [
        [e for e in one if one[e] > other[e]],
        [e for e in one if one[e] < other[e]],
        [e for e in one if one[e] == other[e]],
    ]
    for group in groups:
        random_.shuffle(group)
    chosen: list[int] = []
    while len(chosen) < min(count, len(one)):
        for group in groups[:2] if groups[0] or groups[1] else groups[2:]:
            if group and len(chosen) < count:
                chosen.append(group.pop())
    return tuple(chosen)


def _merged(pool: Pool, i: int, j: int, ancestor: int, random_: random.Random) -> Merge | None:
    one, other, above = pool.members[i], pool.members[j], pool.members[ancestor]
    if above.mean > min(one.mean, other.mean):
        return None
    a, b, old = one.state.components(), other.state.components(), above.state.components()
    changed_by_one = [name for name in old if a[name] != old[name] and b[name] == old[name]]
    changed_by_other = [name for name in old if b[name] != old[name] and a[name] == old[name]]
    if not changed_by_one or not changed_by_other:
        return None
    better = (
        one if one.mean > other.mean else other if other.mean > one.mean else random_.choice([one, other])
    )
    texts = _texts(a, b, old, better.state.components())
    state = better.state.with_components(texts)
    return None if state in pool else Merge(one, other, state)


def _texts(
    one: Mapping[str, str], other: Mapping[str, str], old: Mapping[str, str], better: Mapping[str, str]
) -> dict[str, str]:
    texts = dict(better)
    for name in old:
        if one[name] == old[name]:
            texts[name] = other[name]
        elif other[name] == old[name]:
            texts[name] = one[name]
    return texts
