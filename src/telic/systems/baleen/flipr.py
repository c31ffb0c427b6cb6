"""Focused late interaction (FLIPR; Khattab, Potts and Zaharia 2021, arXiv:2101.00436, section 3.1).

A query of a later hop holds the question and the facts so far, and no one passage matches all of it: so only
the best-matched tokens of each part count.
"""

from __future__ import annotations

from collections.abc import Sequence, Set as AbstractSet
from typing import Protocol

import numpy as np

from telic.errors import InputError
from telic.retrieval.late_interaction.encoding import TokenEncoder
from telic.retrieval.passage import Passage
from telic.systems.baleen.facts import Fact, hop_query


class TokenIndex(Protocol):
    """What FLIPR asks of an index; `telic.LateInteraction` is one."""

    @property
    def encoder(self) -> TokenEncoder:
        """Makes the vectors."""
        ...

    def candidates(self, query_vectors: np.ndarray, n: int) -> list[str]:
        """Ids of the best `n` passages for a query's vectors `(tokens, dim)`."""
        ...

    def token_maxima(self, query_vectors: np.ndarray, ids: Sequence[str]) -> np.ndarray:
        """Each query token's best match in each passage: float32 `(len(ids), tokens)`."""
        ...

    def passage(self, identity: str) -> Passage:
        """The passage with an id."""
        ...

    def vectors(self, identity: str) -> np.ndarray:
        """A passage's vectors: float32 `(tokens, dim)`."""
        ...


def focused_scores(
    maxima: np.ndarray, question: int, top_question: int | None = None, top_facts: int | None = None
) -> np.ndarray:
    """Scores of passages: the sum of the best matches of the question's tokens and of the facts' tokens.

    Args:
        maxima: each query token's best match in each passage, `(passages, tokens)`; the question's first.
        question: how many tokens are the question's.
        top_question: how many of the question's tokens count for a passage: those it matches best; `None`
            for all. With `None` for both, the score is MaxSim.
        top_facts: as `top_question`, of the facts' tokens.

    Returns:
        `(passages,)`.
    """
    of_question = _sum_of_best(maxima[:, :question], top_question)
    scores: np.ndarray = of_question + _sum_of_best(maxima[:, question:], top_facts)
    return scores


def _sum_of_best(maxima: np.ndarray, count: int | None) -> np.ndarray:
    tokens = maxima.shape[1]
    if count is not None and count < tokens:
        if count == 0:
            return np.zeros(len(maxima), np.float32)
        maxima = np.partition(maxima, tokens - count, axis=1)[:, tokens - count :]
    total: np.ndarray = maxima.sum(axis=1, dtype=np.float32)
    return total


class FLIPR:
    """Finds the passages of a hop by focused late interaction.

    Args:
        index: a `LateInteraction` over the passages.
        top_question: how many of the question's tokens count for a passage; `None` for all.
        top_facts: how many of the facts' tokens count; `None` for all.
        joint: encode question and facts as one text, as encoders trained for hops expect (the encoder's
            `query_length` must hold both); else each by itself.
        pool: how many passages the index proposes, of which the scores are then computed.

    Raises:
        InputError: a number is negative, or `pool` is not positive.
    """

    def __init__(
        self,
        index: TokenIndex,
        *,
        top_question: int | None = None,
        top_facts: int | None = 8,
        joint: bool = False,
        pool: int = 100,
    ) -> None:
        if (top_question or 0) < 0 or (top_facts or 0) < 0 or pool < 1:
            raise InputError(
                f"FLIPR: top_question={top_question!r} and top_facts={top_facts!r} must not be negative, and "
                f"pool={pool!r} must be at least 1."
            )
        self.index = index
        self.top_question, self.top_facts = top_question, top_facts
        self.joint, self.pool = joint, pool

    def __deepcopy__(self, memo: object) -> FLIPR:
        return self  # an index is shared by the copies of a program

    def passage(self, identity: str) -> Passage:
        """The passage with an id."""
        return self.index.passage(identity)

    def vectors(self, question: str, facts: Sequence[Fact]) -> tuple[np.ndarray, int]:
        """The query's vectors `(tokens, dim)`, and how many of them are the question's."""
        encoder = self.index.encoder
        if not facts:
            rows: np.ndarray = encoder.encode_queries([question])[0]
            return rows, len(rows)
        if self.joint:
            text = hop_query(question, facts)
            return encoder.encode_queries([text])[0], _shared_start(encoder, question, text)
        parts = encoder.encode_queries([question, *map(str, facts)])
        return np.concatenate(parts), len(parts[0])

    def scores(self, question: str, facts: Sequence[Fact], ids: Sequence[str]) -> np.ndarray:
        """Focused scores of given passages, `(len(ids),)`."""
        return self._scores(*self.vectors(question, facts), ids)

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
        vectors, count = self.vectors(question, facts)
        wanted = max(self.pool, k)
        proposed = self.index.candidates(vectors, wanted + len(without))
        if facts:
            # What the question alone finds may be drowned by the facts.
            proposed = [*proposed, *self.index.candidates(vectors[:count], wanted + len(without))]
        ids = [identity for identity in dict.fromkeys(proposed) if identity not in without]
        if not ids:
            return []
        scores = self._scores(vectors, count, ids).tolist()
        best = sorted(zip(scores, ids, strict=True), key=lambda pair: (-pair[0], pair[1]))[:k]
        return [self.index.passage(identity).scored(score) for score, identity in best]

    def matches(self, question: str, ids: Sequence[str]) -> np.ndarray:
        """How well passages match each token of the question: `(len(ids), tokens)`."""
        return self.index.token_maxima(self.vectors(question, [])[0], ids)

    def _scores(self, vectors: np.ndarray, question: int, ids: Sequence[str]) -> np.ndarray:
        maxima = self.index.token_maxima(vectors, ids)
        return focused_scores(maxima, question, self.top_question, self.top_facts)


def _shared_start(encoder: TokenEncoder, question: str, text: str) -> int:
    """How many tokens two texts begin with alike: those of the question, without its end mark."""
    one, other = encoder.query_tokens(question), encoder.query_tokens(text)
    same = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), None)
    return min(len(one), len(other)) if same is None else same
