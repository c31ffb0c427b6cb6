"""Condensed retrieval: hop by hop, with a few facts in place of the passages they are from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from telic.data.prediction import Prediction
from telic.errors import InputError
from telic.program.stepped import Call, SteppedModule
from telic.retrieval.passage import Passage
from telic.runtime.steps import Steps
from telic.systems.baleen.condensing import Condenser, in_thread
from telic.systems.baleen.facts import Fact
from telic.systems.baleen.fused import HopSearch


@dataclass(frozen=True, slots=True)
class _Chain:
    """Passages that led to each other, each scored by the hop that found it."""

    passages: tuple[Passage, ...]
    together: float = 0.0

    @property
    def score(self) -> float:
        return sum(passage.score for passage in self.passages) / len(self.passages) + self.together


class CondensedRetrieval(SteppedModule):
    """Finds what a question needs over several hops (Khattab, Potts and Zaharia 2021, arXiv:2101.00436).

    Each hop searches with the question and the facts so far, and a condenser keeps the sentences that matter.
    It ends after `max_hops`, or when a hop brought no new fact.

    With `branching`, the facts of each passage are followed by themselves: a hop has a search for each
    passage that facts are from. What is found makes a chain with what led to it, and chains are ranked by
    the mean of their passages' scores and by how well their passages, taken together, match each part of the
    question: passages that match the same part do not help each other. Without branching a hop is one
    search with all facts, as in the paper; that suits a search and a condenser that were trained.

    The prediction has `facts` (best first), `context` (their texts), `passages` (best first, at most `k`) and
    `hops` (for each hop the facts it ended with).

    Args:
        search: finds the passages of a hop: `FLIPR`, or `FusedHops`.
        condenser: keeps facts.
        max_hops: how many hops at most.
        k: how many passages the condenser sees, and how many are given in the end.
        depth: how many passages each search gives, to make chains of; at least `k`.
        branching: whether the facts of each passage are followed by themselves.

    Raises:
        InputError: a number is not positive.
    """

    def __init__(
        self,
        search: HopSearch,
        condenser: Condenser,
        *,
        max_hops: int = 2,
        k: int = 10,
        depth: int = 50,
        branching: bool = True,
    ) -> None:
        if min(max_hops, k, depth) < 1:
            raise InputError(
                f"CondensedRetrieval: max_hops={max_hops!r}, k={k!r} and depth={depth!r} must be at least 1."
            )
        self.search, self.condenser = search, condenser
        self.max_hops, self.k, self.depth, self.branching = max_hops, k, max(depth, k), branching

    def steps(self, question: str) -> Steps[Any]:
        """Search and condense, hop after hop."""
        facts: list[Fact] = []
        chains: list[_Chain] = []
        hops: list[list[Fact]] = []
        for _ in range(self.max_hops):
            found: list[_Chain] = yield self._found(question, facts, chains)
            chains = sorted(found, key=lambda chain: -chain.score) + chains
            kept = yield Call(
                self.condenser, question=question, facts=facts, passages=_ranked(chains)[: self.k]
            )
            known = {fact.place for fact in facts}
            facts = kept
            hops.append(kept)
            if all(fact.place in known for fact in kept):
                break
        return Prediction(
            facts=facts, context=[str(fact) for fact in facts], passages=_ranked(chains)[: self.k], hops=hops
        )

    def _found(self, question: str, facts: Sequence[Fact], chains: Sequence[_Chain]) -> Any:
        return in_thread(lambda: self._followed(question, facts, chains))

    def _followed(self, question: str, facts: Sequence[Fact], chains: Sequence[_Chain]) -> list[_Chain]:
        """The chains of a hop: what is found, each with what led to it."""
        if not facts:
            first = self.search.find(question, [], self.depth)
            return [_Chain((passage,)) for passage in first]
        longer: list[_Chain] = []
        for group in self._groups(facts):
            before = _leading(group, chains)
            known = {passage.id for passage in before.passages}
            found = self.search.find(question, group, self.depth, known)
            longer += [_Chain((*before.passages, passage)) for passage in found]
        return _taken_together(longer, self.search, question)

    def _groups(self, facts: Sequence[Fact]) -> list[list[Fact]]:
        if not self.branching:
            return [list(facts)]
        groups: dict[str, list[Fact]] = {}
        for fact in facts:
            groups.setdefault(fact.passage, []).append(fact)
        return list(groups.values())


def _leading(facts: Sequence[Fact], chains: Sequence[_Chain]) -> _Chain:
    """What led to some facts: the best chain that ends with their passage; of several passages, all."""
    identities = list(dict.fromkeys(fact.passage for fact in facts))
    ending = [_ending(identity, chains) for identity in identities]
    if len(ending) == 1:
        return ending[0]
    passages = {passage.id: passage for chain in ending for passage in chain.passages[-1:]}
    return _Chain(tuple(passages.values()))


def _ending(identity: str, chains: Sequence[_Chain]) -> _Chain:
    for chain in chains:
        if chain.passages[-1].id == identity:
            return chain
    # A passage within a chain only: it was found, so some chain has it.
    return next(
        _Chain(chain.passages[: place + 1])
        for chain in chains
        for place, passage in enumerate(chain.passages)
        if passage.id == identity
    )


def _taken_together(chains: Sequence[_Chain], search: HopSearch, question: str) -> list[_Chain]:
    """The chains with what their passages match of the question, each part where it is matched best."""
    ids = list(dict.fromkeys(passage.id for chain in chains for passage in chain.passages))
    if not ids:
        return []
    places = {identity: place for place, identity in enumerate(ids)}
    matches = search.matches(question, ids)
    return [
        replace(chain, together=float(matches[[places[p.id] for p in chain.passages]].max(axis=0).sum()))
        for chain in chains
    ]


def _ranked(chains: Sequence[_Chain]) -> list[Passage]:
    """The passages of chains, each once and scored by its place, from 1 down."""
    passages = {passage.id: passage for chain in reversed(chains) for passage in chain.passages}
    order = list(dict.fromkeys(passage.id for chain in chains for passage in chain.passages))
    return [passages[identity].scored(1.0 - place / len(order)) for place, identity in enumerate(order)]
