"""The candidates of a GEPA search, and which of them to go on from.

Of Agrawal et al. (2025), algorithm 2: a candidate is worth going on from where it is the best on some
validation example, however bad it is elsewhere, and is drawn the more often the more examples it is best on.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field

from telic.optimize.strategy import Ranked
from telic.program.state import ProgramState


@dataclass
class Member:
    """One candidate.

    Attributes:
        number: its place in the pool.
        state: what it is.
        label: how it came about, in a few words.
        parents: places of what it was made from; none for the start, two after a merge.
        scores: score by validation example.
        found_at: runs that had been scored before it met the validation set.
        turn: which component a round-robin takes next.
    """

    number: int
    state: ProgramState
    label: str
    parents: tuple[int, ...]
    scores: Mapping[int, float]
    found_at: int
    turn: int = 0

    @property
    def mean(self) -> float:
        """Mean score."""
        return sum(self.scores.values()) / len(self.scores)


@dataclass
class Pool:
    """Candidates in the order they were found; each has a score on every validation example."""

    members: list[Member] = field(default_factory=list)

    def add(
        self,
        state: ProgramState,
        label: str,
        parents: tuple[int, ...],
        scores: Mapping[int, float],
        found_at: int,
    ) -> Member:
        """Take a candidate in; its round-robin goes on where those of its parents are."""
        turn = max((self.members[p].turn for p in parents), default=0)
        member = Member(len(self.members), state, label, parents, scores, found_at, turn)
        self.members.append(member)
        return member

    def __contains__(self, state: ProgramState) -> bool:
        return any(member.state == state for member in self.members)

    @property
    def best(self) -> Member:
        """The one with the best mean; among equals the first."""
        return max(self.members, key=lambda member: member.mean)

    def best_on(self) -> dict[int, set[int]]:
        """Validation example to the places of those that do best on it."""
        found: dict[int, set[int]] = {}
        for example in self.members[0].scores:
            top = max(member.scores[example] for member in self.members)
            found[example] = {m.number for m in self.members if m.scores[example] == top}
        return found

    def front(self) -> dict[int, int]:
        """Places of the candidates worth going on from, with the number of examples each is best on.

        One that another one equals or beats on every example, and beats on some, is left out.
        """
        best_on = self.best_on()
        places = sorted(set().union(*best_on.values()))
        kept = [a for a in places if not any(self._dominates(b, a) for b in places)]
        return {place: sum(place in winners for winners in best_on.values()) for place in kept}

    def draw(self, random_: random.Random) -> Member:
        """A candidate of the front, by how many examples it is best on."""
        front = self.front()
        (place,) = random_.choices(list(front), weights=list(front.values()))
        return self.members[place]

    def ancestors(self, place: int) -> set[int]:
        """Places of everything that a candidate descends from."""
        found: set[int] = set()
        waiting = list(self.members[place].parents)
        while waiting:
            parent = waiting.pop()
            if parent not in found:
                found.add(parent)
                waiting += self.members[parent].parents
        return found

    def ranking(self) -> list[Ranked]:
        """All of them, best first."""
        ordered = sorted(self.members, key=lambda member: -member.mean)
        return [Ranked(member.state, member.label, dict(member.scores)) for member in ordered]

    def _dominates(self, a: int, b: int) -> bool:
        one, other = self.members[a].scores, self.members[b].scores
        return all(one[e] >= other[e] for e in other) and any(one[e] > other[e] for e in other)
