"""The words of a collection, and their weights by BM25."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from telic._lazy import require

_PURPOSE = "finding passages by their words"


class Weights:
    """Words of passages as numbers, and the weight of each word in each passage (kept by bm25s).

    Args:
        k1, b: of BM25.
    """

    def __init__(self, k1: float, b: float) -> None:
        self._np: Any = require("numpy", extra="retrieval", purpose=_PURPOSE)
        self._k1, self._b = k1, b
        self._numbers: dict[str, int] = {}
        self._words: list[Any] = []
        self._lengths: list[int] = []
        self._index: Any = None

    def extend(self, cut: Sequence[Sequence[str]]) -> None:
        """Add passages as words."""
        numbers = self._numbers
        flat = [numbers.setdefault(word, len(numbers)) for words in cut for word in words]
        self._words.append(self._np.array(flat, dtype=self._np.int32))
        self._lengths.extend(len(words) for words in cut)
        self._index = None

    def remove(self, places: Sequence[int]) -> None:
        """Take out the passages at these places."""
        stays = self._np.ones(len(self._lengths), dtype=bool)
        stays[list(places)] = False
        self._words = [self._flat()[self._np.repeat(stays, self._lengths)]]
        self._lengths = [length for length, kept in zip(self._lengths, stays, strict=True) if kept]
        self._index = None

    def known(self, words: Sequence[str]) -> list[int]:
        """The numbers of those words that are in some passage."""
        return [self._numbers[word] for word in words if word in self._numbers]

    def built(self) -> Any:
        """The bm25s index; its `get_scores_from_ids` takes `known` words. Made anew after a change."""
        if self._index is None:
            self._index = self._empty()
            flat = self._flat()
            if len(flat):
                ends = self._np.cumsum(self._lengths)
                rows = [
                    flat[end - size : end].tolist() for end, size in zip(ends, self._lengths, strict=True)
                ]
                numbers = dict(self._numbers)
                self._index.index((rows, numbers), create_empty_token=False, show_progress=False)
            else:
                self._index.scores = self._scores([], [], self._np.zeros(len(self._numbers) + 1))
        return self._index

    def arrays(self) -> dict[str, Any]:
        """Everything but the vocabulary, to be saved."""
        scores = self.built().scores
        return {
            "words": self._flat(),
            "lengths": self._np.array(self._lengths, dtype=self._np.int64),
            "weights": scores["data"],
            "places": scores["indices"],
            "starts": scores["indptr"],
        }

    def take(self, vocabulary: Sequence[str], arrays: Mapping[str, Any]) -> None:
        """Be what was saved."""
        self._numbers = {word: number for number, word in enumerate(vocabulary)}
        self._words = [arrays["words"]]
        self._lengths = arrays["lengths"].tolist()
        self._index = self._empty()
        self._index.scores = self._scores(arrays["weights"], arrays["places"], arrays["starts"])

    @property
    def vocabulary(self) -> list[str]:
        """All words, in the order of their numbers."""
        return list(self._numbers)

    @property
    def count(self) -> int:
        """How many words there are, repeated ones too."""
        return sum(self._lengths)

    def _flat(self) -> Any:
        if len(self._words) != 1:
            self._words = [self._np.concatenate([*self._words, self._np.zeros(0, self._np.int32)])]
        return self._words[0]

    def _scores(self, weights: Any, places: Any, starts: Any) -> dict[str, Any]:
        return {
            "data": self._np.asarray(weights, self._np.float32),
            "indices": self._np.asarray(places, self._np.int32),
            "indptr": self._np.asarray(starts, self._np.int64),
            "num_docs": len(self._lengths),
        }

    def _empty(self) -> Any:
        bm25s = require("bm25s", extra="retrieval", purpose=_PURPOSE)
        if bm25s.logger.level == logging.DEBUG:  # as it is left by importing it: every program would see it
            bm25s.logger.setLevel(logging.WARNING)
        index = bm25s.BM25(k1=self._k1, b=self._b, method="lucene")
        index.nonoccurrence_array = None  # set by building only, and asked for by every search
        return index
