"""Vectors of sentences out of an index of passages, so that nothing is encoded to condense them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

import numpy as np

from telic.systems.baleen.facts import TITLE_MARK, Fact, sentences_of
from telic.systems.baleen.flipr import TokenIndex


def sentence_vectors(index: TokenIndex, facts: Sequence[Fact]) -> list[np.ndarray]:
    """The rows of each sentence, as they stand in the passage it is from, with those of the title.

    A sentence that is not found in its passage's text, or is beyond what the encoder read, is encoded.

    Args:
        index: holds the passages.
        facts: the sentences.

    Returns:
        For each a float32 array `(tokens, dim)`.
    """
    of_passage = {identity: _rows(index, identity) for identity in {fact.passage for fact in facts}}
    lacking = [fact for fact in facts if fact.sentence not in of_passage[fact.passage]]
    encoded = index.encoder.encode_passages([str(fact) for fact in lacking]) if lacking else []
    own = {fact.place: rows for fact, rows in zip(lacking, encoded, strict=True)}
    return [
        own[fact.place] if fact.place in own else of_passage[fact.passage][fact.sentence] for fact in facts
    ]


def _rows(index: TokenIndex, identity: str) -> dict[int, np.ndarray]:
    """The rows of a passage's sentences, by number."""
    passage, vectors = index.passage(identity), index.vectors(identity)
    text = passage.text
    tokens = index.encoder.passage_tokens(text)

    def upto(place: int) -> int:
        """How many tokens the text has before a place."""
        before = index.encoder.passage_tokens(text[:place])
        alike = takewhile(lambda pair: pair[0] == pair[1], zip(before, tokens, strict=False))
        return sum(1 for _ in alike)

    body = text.find(TITLE_MARK) + 1
    title = vectors[: upto(body)] if body else vectors[:0]
    rows: dict[int, np.ndarray] = {}
    place = body
    for number, sentence in enumerate(sentences_of(passage)):
        start = text.find(sentence.strip(), place) if sentence.strip() else -1
        if start >= 0:
            place = start + len(sentence.strip())
            first, last = upto(start), upto(place)
            if first < last:
                rows[number] = np.concatenate([title, vectors[first:last]])
    return rows
