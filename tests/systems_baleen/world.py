"""A small encyclopedia, an index over it in memory, and questions of which everything is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from telic.retrieval.passage import Passage
from telic.systems.baleen import GoldQuestion
from telic.testing import HashEncoder

CORPUS = [
    Passage(
        "lodge",
        "West Lodge | West Lodge stands by the river Taff. A wall of stone creatures, the Animal Wall, "
        "begins there.",
    ),
    Passage("wall", "Animal Wall | The Animal Wall was carved by Burges. It shows fifteen animals."),
    Passage("burges", "Burges (architect) | Burges was born in London. He liked parrots."),
    Passage("taff", "Taff | The Taff is a river of Wales. It flows to Cardiff."),
    Passage("moor", "Moor | Nothing grows on the moor. Sheep avoid it."),
]
CHAIN = GoldQuestion(
    "Where was the carver of what begins at West Lodge born?",
    (CORPUS[2], CORPUS[1], CORPUS[0]),  # not in the order of the hops
    {"lodge": [1], "wall": [0], "burges": [0]},
)


class MemoryIndex:
    """Compares a query with every passage: what an index approximates."""

    def __init__(self, corpus: Sequence[Passage], encoder: HashEncoder | None = None) -> None:
        self.encoder = encoder or HashEncoder(dim=96)
        self.corpus = {passage.id: passage for passage in corpus}
        rows = self.encoder.encode_passages([passage.text for passage in corpus])
        self.rows = dict(zip(self.corpus, rows, strict=True))

    def candidates(self, query_vectors: np.ndarray, n: int) -> list[str]:
        scores = self.token_maxima(query_vectors, list(self.corpus)).sum(axis=1)
        return [list(self.corpus)[place] for place in np.argsort(-scores, kind="stable")[:n]]

    def token_maxima(self, query_vectors: np.ndarray, ids: Sequence[str]) -> np.ndarray:
        return np.stack([(query_vectors @ self.rows[identity].T).max(axis=1) for identity in ids])

    def vectors(self, identity: str) -> np.ndarray:
        return self.rows[identity]

    def passage(self, identity: str) -> Passage:
        return self.corpus[identity]
