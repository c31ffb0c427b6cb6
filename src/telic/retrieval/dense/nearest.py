"""The vectors of a collection: all of them compared, or a graph of near ones walked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from typing import Any

from telic._lazy import require
from telic.errors import InputError

_PRODUCTS = 4_000_000
"""Products that are held at once: bounds the memory of a search, 16 MB."""
_NEIGHBOURS, _BREADTH, _WALK = 32, 128, 256
"""Of the graph: edges of a node; how many nodes are looked at when one is added, and when it is searched."""


def products(queries: Any, vectors: Any) -> Iterator[Any]:
    """The products of each query with all vectors, shape `(n,)`, computed for several queries at once.

    Their last bits depend on how many are computed at once; see `exactly`.
    """
    at_once = max(1, _PRODUCTS // max(1, len(vectors)))
    for start in range(0, len(queries), at_once):
        yield from queries[start : start + at_once] @ vectors.T


def exactly(query: Any, vectors: Any) -> Callable[[Any], Any]:
    """A function from places to the products of the query with the vectors there, the same in any company:
    summed up in 64 bits, and rounded to six places.
    """
    np = require("numpy", extra="retrieval", purpose="comparing vectors")
    wide = query.astype(np.float64)
    return lambda places: np.round(vectors[places].astype(np.float64) @ wide, 6)


class Graph:
    """A graph of near neighbours (HNSW, Malkov and Yashunin 2016), kept by faiss. It finds most of the
    nearest, not always all.

    Args:
        vectors: float32, shape `(n, d)`.
        saved: what `dump` gave, instead of building it.
    """

    def __init__(self, vectors: Any, saved: Any = None) -> None:
        faiss = require("faiss", extra="faiss", purpose="an approximate index of vectors")
        if saved is not None:
            self._graph = faiss.deserialize_index(saved)
            return
        self._graph = faiss.IndexHNSWFlat(vectors.shape[1], _NEIGHBOURS, faiss.METRIC_INNER_PRODUCT)
        self._graph.hnsw.efConstruction = _BREADTH
        self._graph.add(vectors)

    def near(self, queries: Any, k: int) -> Sequence[Any]:
        """Places of about the `k` nearest vectors of each query."""
        self._graph.hnsw.efSearch = max(_WALK, 2 * k)
        _, places = self._graph.search(queries, k)
        return [row[row >= 0] for row in places]

    def dump(self) -> Any:
        """An array of bytes."""
        return require("faiss", extra="faiss", purpose="an index of vectors").serialize_index(self._graph)


def wants_graph(index: str, count: int, threshold: int) -> bool:
    """Whether a collection is to have a graph.

    Args:
        index: `exact`, `graph`, or `auto`: a graph where faiss is installed.
        count: how many vectors there are.
        threshold: up to so many are all compared, whatever `index` says.

    Raises:
        InputError: `index` is another word.
    """
    if index not in ("exact", "graph", "auto"):
        raise InputError(f"index={index!r} must be 'exact', 'graph' or 'auto'.")
    if index == "exact" or count <= threshold:
        return False
    return index == "graph" or find_spec("faiss") is not None
