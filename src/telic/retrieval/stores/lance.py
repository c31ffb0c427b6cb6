"""Passages in a LanceDB table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from telic.retrieval.dense.embedding import Vectorizer
from telic.retrieval.passage import Passage
from telic.retrieval.stores.store import StoreRetriever


class Lance(StoreRetriever):
    """Finds the rows of a LanceDB table; scores are distances with the sign turned.

    Args:
        table: of a `lancedb` connection.
        embedder: the one its vectors were made with; telic's small encoder by default.
        text: the column of the passage.
        identity: the column of the id.
        vector: the column of the vector; all other columns are metadata.
        distance: how vectors are compared: `cosine`, `l2` or `dot`.
        k: how many passages a search gives where it is not told.
        normalize: bring vectors of queries to length 1.
    """

    def __init__(
        self,
        table: Any,
        embedder: Vectorizer | None = None,
        *,
        text: str = "text",
        identity: str = "id",
        vector: str = "vector",
        distance: str = "cosine",
        k: int = 3,
        normalize: bool = True,
    ) -> None:
        super().__init__(embedder, k=k, normalize=normalize)
        self._table, self._distance = table, distance
        self._text, self._identity, self._vector = text, identity, vector

    def _near(self, vector: list[float], n: int, wanted: Mapping[str, list[Any]]) -> list[Passage]:
        asked = self._table.search(vector, vector_column_name=self._vector)
        asked = asked.distance_type(self._distance).limit(n)
        if any(name not in self._table.schema.names for name in wanted):
            return []
        if wanted:
            asked = asked.where(" AND ".join(map(_condition, wanted.items())), prefilter=True)
        return [self._passage(row) for row in asked.to_list()]

    def _passage(self, row: dict[str, Any]) -> Passage:
        own = {self._text, self._identity, self._vector, "_distance"}
        metadata = {name: value for name, value in row.items() if name not in own and value is not None}
        return Passage(str(row[self._identity]), str(row[self._text]), -float(row["_distance"]), metadata)


def _condition(wanted: tuple[str, list[Any]]) -> str:
    name, values = wanted
    return f"`{name}` IN ({', '.join(map(_literal, values))})"


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return repr(value)
    return "'" + str(value).replace("'", "''") + "'"
