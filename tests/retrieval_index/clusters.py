"""Synthetic token vectors that lie in clusters, as those of an encoder do; a text is the number of a
passage.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from telic.retrieval.late_interaction.maxsim import maxsim


class ClusterEncoder:
    """Passages of a topic share concepts; a token is its concept and some noise. A query repeats a passage's
    tokens.

    Texts are numbers: of a passage, or of the passage that a query is made from.
    """

    def __init__(self, dim: int = 64, concepts: int = 400, topics: int = 40, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.dim, self.seed = dim, seed
        self.fingerprint = f"clusters-{dim}-{concepts}-{topics}-{seed}"
        self._concepts = _unit(rng.standard_normal((concepts, dim)))
        self._topics = rng.integers(0, concepts, (topics, 30))

    def encode_passages(self, texts: Sequence[str]) -> list[np.ndarray]:
        return [self._passage(int(text)) for text in texts]

    def encode_queries(self, texts: Sequence[str]) -> list[np.ndarray]:
        return [self._query(int(text)) for text in texts]

    def passage_tokens(self, text: str) -> list[str]:
        return [f"p{place}" for place in range(len(self._passage(int(text))))]

    def query_tokens(self, text: str) -> list[str]:
        return [f"q{place}" for place in range(len(self._query(int(text))))]

    def _passage(self, number: int) -> np.ndarray:
        rng = np.random.default_rng([self.seed, number])
        tokens = int(rng.integers(20, 60))
        ours = rng.choice(self._topics[number % len(self._topics)], tokens)
        chosen = np.where(rng.random(tokens) < 0.3, rng.integers(0, len(self._concepts), tokens), ours)
        return _unit(self._concepts[chosen] + self._noise(rng, tokens, 0.6))

    def _query(self, number: int) -> np.ndarray:
        rows = self._passage(number)
        rng = np.random.default_rng([self.seed, number, 1])
        return _unit(rows[rng.permutation(len(rows))[:13]] + self._noise(rng, 13, 0.5))

    def _noise(self, rng: np.random.Generator, rows: int, length: float) -> np.ndarray:
        return rng.standard_normal((rows, self.dim)) * (length / self.dim**0.5)


def _unit(rows: np.ndarray) -> np.ndarray:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def texts(count: int) -> list[str]:
    return [str(number) for number in range(count)]


def exact_scores(encoder: ClusterEncoder, query: str, passages: Sequence[str]) -> list[float]:
    """MaxSim with every passage, by the plain definition."""
    vectors = encoder.encode_queries([query])[0]
    return [maxsim(vectors, rows) for rows in encoder.encode_passages(passages)]


def recall(found: Sequence[Sequence[str]], exact: Sequence[Sequence[float]], k: int) -> float:
    """Share of the truly best `k` that were found."""
    best = [{str(place) for place in np.argsort(-np.array(scores))[:k]} for scores in exact]
    return float(np.mean([len(ids & set(ours)) / k for ids, ours in zip(best, found, strict=True)]))
