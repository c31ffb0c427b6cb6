"""Latent hop ordering: in which order the passages of a question are found, where nobody wrote it down.

Khattab, Potts and Zaharia 2021 (arXiv:2101.00436), section 3.2: at each hop the retriever as it is says which
of the remaining gold passages it finds best; that one is the hop's positive, its facts go into the query of
the next hop, and the retriever is trained on what comes out, again and again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from telic.errors import DataError
from telic.retrieval.passage import Passage
from telic.systems.baleen.facts import Fact, facts_of, hop_query
from telic.systems.baleen.fused import HopSearch


@dataclass(frozen=True, slots=True)
class HopExample:
    """One hop of a question, to train a retriever on.

    Attributes:
        question: what is asked.
        facts: the facts that the hop searches with.
        strong: the positive passage: the gold passage that the retriever finds best at this hop.
        weak: gold passages that come later: the retriever need not find them yet, and must not be taught
            that they are wrong.
        negatives: other passages that it found, best first.
        rank: at which place, from 1, the retriever found the strong positive; `None` where it did not.
    """

    question: str
    facts: tuple[Fact, ...]
    strong: Passage
    weak: tuple[Passage, ...]
    negatives: tuple[Passage, ...]
    rank: int | None

    @property
    def query(self) -> str:
        """What is searched with, as one text."""
        return hop_query(self.question, self.facts)

    def training(self, weak: bool = False) -> dict[str, Any]:
        """As a mapping that the training of encoders reads: `query`, `positives`, `negatives` (texts).

        Args:
            weak: count the weak positives as positives too, as the paper does in its first round.
        """
        positives = [self.strong, *(self.weak if weak else ())]
        return {
            "query": self.query,
            "positives": [passage.text for passage in positives],
            "negatives": [passage.text for passage in self.negatives],
        }


@dataclass(frozen=True, slots=True)
class GoldQuestion:
    """A question with the passages it needs, in any order.

    Attributes:
        question: what is asked.
        passages: the gold passages.
        sentences: for each of them the numbers of the sentences that matter; for others, and where it is
            empty, the first sentence counts.
    """

    question: str
    passages: tuple[Passage, ...]
    sentences: Mapping[str, Sequence[int]]


def order_hops(
    gold: GoldQuestion,
    search: HopSearch,
    *,
    k: int = 20,
    facts: Callable[[Passage], Sequence[Fact]] | None = None,
) -> list[HopExample]:
    """The hops of a question in the order in which the retriever finds its passages.

    Args:
        gold: the question and its passages.
        search: the retriever as it is.
        k: how many passages it gives at each hop: where gold passages are looked for, and negatives are from.
        facts: what goes from a passage into the next query; by default its gold sentences ("oracle" facts).
            Pass a trained condenser's choice to train on what the retriever will see.

    Raises:
        DataError: the question has no gold passage.
    """
    if not gold.passages:
        raise DataError(f"The question {gold.question!r:.80} has no gold passage: there is no hop to learn.")
    chosen = facts or (lambda passage: gold_facts(gold, passage))
    left = {passage.id: passage for passage in gold.passages}
    known: list[Fact] = []
    done: set[str] = set()
    hops: list[HopExample] = []
    while left:
        found = search.find(gold.question, known, k, done)
        ranks = {passage.id: rank for rank, passage in enumerate(found, 1)}
        # What is not found comes last, in the order given.
        best = min(left, key=lambda identity: ranks.get(identity, k + 1))
        strong = left.pop(best)
        negatives = tuple(passage for passage in found if passage.id != best and passage.id not in left)
        hops.append(
            HopExample(gold.question, tuple(known), strong, tuple(left.values()), negatives, ranks.get(best))
        )
        known += chosen(strong)
        done.add(best)
    return hops


def hop_examples(questions: Iterable[GoldQuestion], search: HopSearch, **options: Any) -> list[HopExample]:
    """`order_hops` of many questions, one list."""
    return [hop for question in questions for hop in order_hops(question, search, **options)]


def gold_facts(gold: GoldQuestion, passage: Passage) -> list[Fact]:
    """The sentences of a gold passage that matter; its first where none is known."""
    sentences = facts_of(passage)
    wanted = set(gold.sentences.get(passage.id, ()))
    return [fact for fact in sentences if fact.sentence in wanted] or sentences[:1]
