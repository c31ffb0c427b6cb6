"""Ways to find what a question needs: single searches, and Baleen in several forms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.baleen.collection import Collection
from telic.retrieval import Hybrid, Retriever
from telic.systems.baleen import (
    FLIPR,
    CondensedRetrieval,
    Fact,
    FusedHops,
    HopSearch,
    LateInteractionCondenser,
)

PASSAGES = 10
FACTS = 6


@dataclass(frozen=True)
class Found:
    """Ids of the passages, best first, and the facts."""

    passages: list[str]
    facts: list[Fact]


Way = Callable[[str], Found]


def ways(of: Collection, hops: int = 2) -> dict[str, Way]:
    """Title to way."""
    flipr = FLIPR(of.tokens)
    fused = FusedHops(flipr, of.words)
    linked = FusedHops(flipr, of.words, titles=of.titles)
    return {
        "BM25": single(of, of.words),
        "late interaction": single(of, of.tokens),
        "hybrid": single(of, Hybrid(of.words, of.tokens, method="scores")),
        "Baleen, fused, titles": baleen(of, linked, hops),
        "one hop, fused, titles": baleen(of, linked, 1),
        "Baleen, FLIPR, one search a hop": baleen(of, flipr, hops, branching=False),
        "Baleen, FLIPR": baleen(of, flipr, hops),
        "Baleen, fused": baleen(of, fused, hops),
    }


def condenser(of: Collection, **options: Any) -> LateInteractionCondenser:
    """The one that all ways have."""
    return LateInteractionCondenser(of.tokens, keep=FACTS, **options)


def single(of: Collection, retriever: Retriever) -> Way:
    """One search; facts are of what it finds, by the same condenser."""
    condense = condenser(of)

    def run(question: str) -> Found:
        found = retriever.search(question, PASSAGES)
        return Found([passage.id for passage in found], condense.condense(question, [], found))

    return run


def baleen(of: Collection, search: HopSearch, hops: int, **options: Any) -> Way:
    """Condensed retrieval."""
    program = CondensedRetrieval(search, condenser(of), max_hops=hops, k=PASSAGES, **options)

    def run(question: str) -> Found:
        found = program(question=question)
        return Found([passage.id for passage in found.passages], found.facts)

    return run
