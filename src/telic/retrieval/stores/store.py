"""What adapters of vector databases have in common."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from telic.retrieval.dense.embedding import Embedding, Vectorizer
from telic.retrieval.filters import Filter, admits
from telic.retrieval.passage import Passage
from telic.retrieval.retriever import Retriever


class StoreRetriever(Retriever):
    """Finds passages in a database that is filled and kept elsewhere. Derive from it and write `_near`.

    Args:
        embedder: the one the database's vectors were made with; telic's small encoder by default.
        k: how many passages a search gives where it is not told.
        normalize: bring vectors of queries to length 1.
    """

    def __init__(self, embedder: Vectorizer | None = None, *, k: int = 3, normalize: bool = True) -> None:
        self.k = k
        self._embedding = Embedding(embedder, normalize)

    @abstractmethod
    def _near(self, vector: list[float], n: int, wanted: Mapping[str, list[Any]]) -> list[Passage]:
        """The `n` nearest passages whose metadata have, for each name, one of the values."""

    def _search(self, queries: Sequence[str], k: int, wanted: Filter | None) -> list[list[Passage]]:
        return [self._found(vector, k, wanted) for vector in self._embedding(queries)]

    async def _asearch(self, queries: Sequence[str], k: int, wanted: Filter | None) -> list[list[Passage]]:
        vectors = await self._embedding.acall(queries)
        searches = (asyncio.to_thread(self._found, vector, k, wanted) for vector in vectors)
        return list(await asyncio.gather(*searches))

    def _found(self, vector: Any, k: int, wanted: Filter | None) -> list[Passage]:
        numbers = vector.tolist()
        if wanted is None or isinstance(wanted, Mapping):
            return _best(self._near(numbers, k, _values(wanted or {})), k)
        # No database can be handed a function: ask for more and more, and pick.
        admitted, reach = admits(wanted), 4 * k
        while True:
            near = self._near(numbers, reach, {})
            found = [passage for passage in near if admitted(passage.metadata)]
            if len(found) >= k or len(near) < reach:
                return _best(found, k)
            reach *= 4


def _best(found: Sequence[Passage], k: int) -> list[Passage]:
    return sorted(found, key=lambda passage: (-passage.score, passage.id))[:k]


def _values(wanted: Mapping[str, Any]) -> dict[str, list[Any]]:
    return {
        name: list(value) if isinstance(value, (list, tuple, set, frozenset)) else [value]
        for name, value in wanted.items()
    }
