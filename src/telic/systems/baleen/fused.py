"""A hop that asks several ways at once: focused late interaction, words, and titles that are named."""

from __future__ import annotations

from collections.abc import Sequence, Set as AbstractSet
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from telic.retrieval.lexical.bm25 import BM25
from telic.retrieval.passage import Passage
from telic.retrieval.retriever import Retriever
from telic.systems.baleen.facts import Fact, hop_query
from telic.systems.baleen.flipr import FLIPR
from telic.systems.baleen.titles import Titles


class HopSearch(Protocol):
    """What finds the passages of a hop."""

    def find(
        self, question: str, facts: Sequence[Fact], k: int, without: AbstractSet[str] = frozenset()
    ) -> list[Passage]:
        """The best `k` passages for a question and the facts so far, best first."""
        ...

    def matches(self, question: str, ids: Sequence[str]) -> np.ndarray:
        """How well passages match each part of the question, `(len(ids), parts)`, in the scale of scores."""
        ...


@dataclass(frozen=True, slots=True)
class Weights:
    """What each part adds to a passage's score.

    Late interaction and words count in standard deviations over the passages compared; titles where they
    hold, once. The defaults were chosen on training and development questions of HotPotQA.

    Attributes:
        focused: of focused late interaction.
        words: of each further retriever.
        in_question: the question names the passage.
        in_fact: a fact names the passage.
        named: the passage a fact is from names the passage.
        naming: the passage names one that a fact is from.
        tokens: of how well passages together match the question's tokens, in sums of cosines.
        together: of how well passages together match the question's words, in BM25's scale.
    """

    focused: float = 0.3
    words: float = 0.4
    in_question: float = 1.0
    in_fact: float = 1.0
    named: float = 1.5
    naming: float = 1.0
    tokens: float = 0.6
    together: float = 0.2


class FusedHops:
    """Finds the passages of a hop by several ways, their scores added.

    Args:
        flipr: focused late interaction.
        *others: further retrievers over the same passages, such as `BM25`; asked with the question and the
            facts as one text.
        titles: of the same passages: what is named is looked at, and preferred.
        weights: of the parts.
        pool: how many passages each way proposes.
    """

    def __init__(
        self,
        flipr: FLIPR,
        *others: Retriever,
        titles: Titles | None = None,
        weights: Weights | None = None,
        pool: int = 50,
    ) -> None:
        self.flipr, self.others, self.titles = flipr, others, titles
        self.weights = weights or Weights()
        self.pool = pool

    def __deepcopy__(self, memo: object) -> FusedHops:
        return self  # indexes are shared by the copies of a program

    def find(
        self, question: str, facts: Sequence[Fact], k: int, without: AbstractSet[str] = frozenset()
    ) -> list[Passage]:
        """The best `k` passages for a question and the facts so far, best first.

        Args:
            question: what is asked.
            facts: what earlier hops kept.
            k: how many.
            without: ids of passages that are not wanted (again).
        """
        wanted = max(self.pool, k)
        text = hop_query(question, facts)
        searched = [other.search(text, wanted + len(without)) for other in self.others]
        links = self._links(question, facts)
        proposed = [passage.id for passage in self.flipr.find(question, facts, wanted, without)]
        for ids in (*([passage.id for passage in found] for found in searched), *links.values()):
            proposed += ids
        ids = [identity for identity in dict.fromkeys(proposed) if identity not in without]
        if not ids:
            return []
        total = self.weights.focused * _standard(self.flipr.scores(question, facts, ids))
        for found in searched:
            total = total + self.weights.words * _standard(_spread(found, ids))
        for name, named in links.items():
            total = total + getattr(self.weights, name) * np.isin(ids, named)
        best = sorted(zip(total.tolist(), ids, strict=True), key=lambda pair: (-pair[0], pair[1]))[:k]
        return [self.flipr.passage(identity).scored(score) for score, identity in best]

    def matches(self, question: str, ids: Sequence[str]) -> np.ndarray:
        """How well passages match each token and each word of the question, by weight."""
        parts = [self.weights.tokens * self.flipr.matches(question, ids)]
        for other in self.others:
            if isinstance(other, BM25):
                parts.append(self.weights.together * other.word_scores(question, ids))
        matches: np.ndarray = np.concatenate(parts, axis=1)
        return matches

    def _links(self, question: str, facts: Sequence[Fact]) -> dict[str, list[str]]:
        """Passages that are named, by the weight that counts for them."""
        titles = self.titles
        if titles is None:
            return {}
        own = list(dict.fromkeys(fact.passage for fact in facts))
        return {
            "in_question": titles.in_text(question),
            "in_fact": [found for fact in facts for found in titles.in_text(fact.text) if found not in own],
            "named": [found for identity in own for found in titles.named_by(identity)],
            "naming": [found for identity in own for found in titles.naming(identity)[: self.pool]],
        }


def _spread(found: Sequence[Passage], ids: Sequence[str]) -> np.ndarray:
    """Scores of the passages `ids`; those that were not found have the least score that was."""
    known = {passage.id: passage.score for passage in found}
    least = min(known.values(), default=0.0)
    scores: np.ndarray = np.array([known.get(identity, least) for identity in ids], np.float32)
    return scores


def _standard(scores: np.ndarray) -> np.ndarray:
    """In standard deviations from the mean; all 0 where nothing varies."""
    spread = float(scores.std())
    standard: np.ndarray = (scores - scores.mean()) / spread if spread > 1e-9 else np.zeros_like(scores)
    return standard
