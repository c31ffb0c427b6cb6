"""`Dense`: passages by the nearness of one vector each."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from telic._lazy import require
from telic.errors import DataError, InputError
from telic.retrieval.dense.embedding import Embedding, Vectorizer
from telic.retrieval.dense.nearest import Graph, exactly, products, wants_graph
from telic.retrieval.filters import Filter, admits
from telic.retrieval.passage import Corpus, Passage, passages
from telic.retrieval.saved import SavedRetriever


class Dense(SavedRetriever):
    """Finds the passages whose vectors are nearest to the query's.

    By default every vector is compared, so that what is found is exact, in time that grows with the
    collection. Safe to search from several threads.

    Args:
        corpus: texts, mappings with `text` (and `id`, `metadata`), or passages.
        embedder: an `Embedder`, an `Encoder`, or any function from a list of texts to a vector each; the
            small encoder that telic brings by default.
        k: how many passages a search gives where it is not told.
        normalize: compare directions (cosine) and not plain products.
        index: `"exact"` compares all. `"graph"` walks a graph of near neighbours, which is fast for millions
            of passages and may miss a few; it needs the extra `faiss`. `"auto"` takes a graph where faiss is
            installed. A search with a filter always compares all.
        exact_below: up to so many passages all are compared, whatever `index` says.

    Raises:
        DataError: two passages have one id, or the embedder's vectors do not fit; says which.
    """

    kind: ClassVar[str] = "dense"

    def __init__(
        self,
        corpus: Corpus = (),
        embedder: Vectorizer | None = None,
        *,
        k: int = 3,
        normalize: bool = True,
        index: Literal["exact", "graph", "auto"] = "exact",
        exact_below: int = 20_000,
    ) -> None:
        super().__init__(k)
        wants_graph(index, 0, 0)
        self.index = index
        self.exact_below = exact_below
        self._embedding = Embedding(embedder, normalize)
        self._vectors: Any = self._embedding([])
        self._graph: Graph | None = None
        self.add(corpus)

    def add(self, corpus: Corpus) -> list[str]:
        """Add passages, all or none; returns their ids. Those without an id are numbered on.

        Raises:
            DataError: an id is there already, or the vectors do not fit those that are there.
        """
        with self._lock:
            new = list(passages(corpus, self._collection.next_number))
            self._collection.check(new)
            self._extend(new, self._embedding([passage.text for passage in new]))
        return [passage.id for passage in new]

    @classmethod
    def of_vectors(
        cls, corpus: Corpus, vectors: Any, embedder: Vectorizer | None = None, **settings: Any
    ) -> Self:
        """An index of passages whose vectors are known.

        Args:
            corpus: as the class takes it.
            vectors: an array of shape `(n, d)`.
            embedder: makes the vectors of queries.
            **settings: as the class takes them.

        Raises:
            DataError: there is not one vector for each passage.
        """
        made = cls(embedder=embedder, **settings)
        made._extend(list(passages(corpus)), made._embedding.checked(vectors, len(vectors)))
        return made

    def _extend(self, new: Sequence[Passage], vectors: Any) -> None:
        np = require("numpy", extra="retrieval", purpose="vectors of texts")
        if len(new) != len(vectors):
            raise DataError(f"{len(new)} passages and {len(vectors)} vectors: one for each is needed.")
        if not new:
            return
        if len(self._vectors) and vectors.shape[1] != self.dim:
            raise DataError(f"The new vectors have {vectors.shape[1]} numbers, those there {self.dim}.")
        self._collection.extend(new)
        self._vectors = np.concatenate([self._vectors, vectors]) if len(self._vectors) else vectors
        self._graph = None

    def delete(self, ids: Iterable[str]) -> int:
        """Take passages out, all or none; returns how many.

        Raises:
            InputError: there is no passage of an id; says which.
        """
        np = require("numpy", extra="retrieval", purpose="vectors of texts")
        with self._lock:
            gone = self._without(ids)
            if gone:
                self._vectors = np.delete(self._vectors, gone, axis=0)
                self._graph = None
        return len(gone)

    @property
    def normalize(self) -> bool:
        """Whether directions are compared."""
        return self._embedding.normalize

    @property
    def embedder(self) -> Any:
        """What makes the vectors."""
        return self._embedding.vectorizer

    @property
    def vectors(self) -> Any:
        """A float32 array of shape `(n, d)`, in the order of `ids()`; not to be changed."""
        return self._vectors

    @property
    def dim(self) -> int:
        """Numbers of a vector; 0 where there is none."""
        return int(self._vectors.shape[1])

    def stats(self) -> dict[str, Any]:
        """What it holds, and its settings."""
        return {
            "kind": self.kind,
            "passages": len(self),
            "dimensions": self.dim,
            "normalize": self.normalize,
            "index": "graph" if self._walked() else "exact",
        }

    @classmethod
    def open(cls, path: str | Path, embedder: Vectorizer | None = None) -> Self:
        """The index that was saved in the folder `path`.

        Args:
            path: the folder.
            embedder: the one it was made with; not needed for telic's small encoder.

        Raises:
            DataError: there is no index, or it is damaged; says which file.
            InputError: the embedder is another than it was made with, as far as that can be told.
        """
        found = cls._kept(path)
        settings = dict(found.settings)
        name = settings.pop("embedder")
        made = cls(embedder=embedder, **settings)
        if embedder is None and name is None:
            raise InputError(f"Dense.open({str(path)!r}): give the embedder it was made with.")
        if name is not None and made._embedding.name not in (name, None):
            raise InputError(
                f"Dense.open({str(path)!r}): it was made with the embedder {name!r}, not with "
                f"{made._embedding.name!r}; their vectors do not compare. Give embedder=…, or build it anew."
            )
        made._take(found, path)
        made._vectors = found.arrays["vectors"]
        if "graph" in found.arrays and made._walked():
            made._graph = Graph(made._vectors, found.arrays["graph"].copy())
        return made

    def _state(self) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        settings = {
            "k": self.k,
            "normalize": self.normalize,
            "index": self.index,
            "exact_below": self.exact_below,
            "embedder": self._embedding.name,
        }
        arrays = {"vectors": self._vectors}
        graph = self._built()
        return settings, arrays if graph is None else {**arrays, "graph": graph.dump()}

    def _search(self, queries: Sequence[str], k: int, wanted: Filter | None) -> list[list[Passage]]:
        if not len(self):
            return [[] for _ in queries]
        return self._nearest(self._embedding(queries), k, wanted)

    async def _asearch(self, queries: Sequence[str], k: int, wanted: Filter | None) -> list[list[Passage]]:
        if not len(self):
            return [[] for _ in queries]
        vectors = await self._embedding.acall(queries)
        return await asyncio.to_thread(self._nearest, vectors, k, wanted)

    def _nearest(self, queries: Any, k: int, wanted: Filter | None) -> list[list[Passage]]:
        admitted = None if wanted is None else admits(wanted)
        with self._lock:
            vectors, collection = self._vectors, self._collection
            graph = self._built() if admitted is None else None
        if queries.shape[1] != vectors.shape[1]:
            raise DataError(
                f"A query's vector has {queries.shape[1]} numbers, those of the passages {vectors.shape[1]}."
            )
        if graph is None:
            return [
                collection.best(near, k, admitted, exact=exactly(query, vectors))
                for query, near in zip(queries, products(queries, vectors), strict=True)
            ]
        found = []
        for query, places in zip(queries, graph.near(queries, min(4 * k, len(vectors))), strict=True):
            scores = exactly(query, vectors)(places)
            near = [collection[place].scored(score) for place, score in zip(places, scores, strict=True)]
            found.append(sorted(near, key=lambda passage: (-passage.score, passage.id))[:k])
        return found

    def _walked(self) -> bool:
        return wants_graph(self.index, len(self._vectors), self.exact_below)

    def _built(self) -> Graph | None:
        if self._graph is None and self._walked():
            self._graph = Graph(self._vectors)
        return self._graph
