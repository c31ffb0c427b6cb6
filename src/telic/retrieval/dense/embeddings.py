"""`Embeddings` and `EmbeddingsWithScores`: a list of texts searched by their vectors, as DSPy names it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from telic._json import decoded
from telic._lazy import require
from telic.data.prediction import Prediction
from telic.errors import DataError
from telic.retrieval.dense.dense import Dense
from telic.retrieval.dense.embedding import Vectorizer
from telic.retrieval.filters import Filter
from telic.retrieval.passage import Passage
from telic.retrieval.retriever import Retriever
from telic.runtime.events import active_callbacks, notify_around


class Embeddings(Retriever):
    """Searches a list of texts by the nearness of their vectors.

    Called, it gives a prediction with `passages`, the texts, and `indices`, their places in the corpus. It is
    a `Retriever` too: `search` gives passages whose ids are their places.

    Args:
        corpus: the texts.
        embedder: an `Embedder`, or any function from a list of texts to a vector each; the small encoder that
            telic brings by default.
        k: how many passages a call gives.
        callbacks: told of each call.
        cache: keep the vectors of queries, so that a query that comes again is not embedded again. (An
            `Embedder` does so by itself.)
        brute_force_threshold: up to so many texts are all compared. Above it a graph of near neighbours is
            walked where faiss is installed (extra `faiss`), which may miss a few; else all are compared.
        normalize: compare directions (cosine) and not plain products.

    Raises:
        DataError: the corpus is empty, or the embedder's vectors do not fit it.
    """

    def __init__(
        self,
        corpus: Sequence[str],
        embedder: Vectorizer | None = None,
        k: int = 5,
        callbacks: list[Any] | None = None,
        cache: bool = False,
        brute_force_threshold: int = 20_000,
        normalize: bool = True,
    ) -> None:
        if not len(corpus):
            raise DataError(f"{type(self).__name__}: the corpus is empty.")
        self.callbacks = callbacks or []
        self._become(
            Dense(
                (Passage(str(place), text) for place, text in enumerate(corpus)),
                _remembering(embedder) if cache else embedder,
                k=k,
                normalize=normalize,
                index="auto",
                exact_below=brute_force_threshold,
            )
        )

    def __call__(self, query: str | list[str] | tuple[str, ...], k: int | None = None, **kwargs: Any) -> Any:
        """Search; see the class. A list of queries gives a list of predictions."""
        with self._told(query, k, kwargs) as done:
            found = (
                self.forward(query)
                if isinstance(query, str) and k is None and not kwargs
                else self._found(query, k, kwargs)
            )
            done(found)
        return found

    async def acall(self, query: Any, k: int | None = None, **kwargs: Any) -> Any:
        """`__call__`, on the running loop."""
        with self._told(query, k, kwargs) as done:
            rows = await self.asearch(query, k, **kwargs)
            found = self._shown(rows) if isinstance(query, str) else [self._shown(row) for row in rows]
            done(found)
        return found

    def forward(self, query: str) -> Any:
        """Search, without telling the callbacks."""
        return self._found(query, None, {})

    @property
    def corpus(self) -> list[str]:
        """The texts."""
        return [self._dense.passage(identity).text for identity in self._dense.ids()]

    @property
    def corpus_embeddings(self) -> Any:
        """Their vectors, a float32 array of shape `(n, d)`."""
        return self._dense.vectors

    @property
    def embedder(self) -> Any:
        """What makes the vectors."""
        return self._dense.embedder

    def stats(self) -> dict[str, Any]:
        """What it holds, and its settings."""
        return self._dense.stats()

    def save(self, path: str | Path) -> None:
        """Write texts and vectors to a folder, in one step.

        Raises:
            DataError: the folder holds something else.
        """
        self._dense.save(path)

    def load(self, path: str | Path, embedder: Vectorizer | None = None) -> Self:
        """Be what was saved in a folder, by telic or by DSPy; returns itself.

        Args:
            path: the folder.
            embedder: the one it was made with.

        Raises:
            DataError: there is nothing (a `FileNotFoundError` then), or it is damaged; says which file.
        """
        dspys = Path(path) / "config.json"
        self._become(_of_dspy(dspys, embedder) if dspys.exists() else Dense.open(path, embedder))
        return self

    @classmethod
    def from_saved(cls, path: str | Path, embedder: Vectorizer | None = None) -> Self:
        """What was saved in a folder; see `load`."""
        made = cls.__new__(cls)
        made.callbacks = []
        return made.load(path, embedder)

    def _told(self, query: Any, k: int | None, kwargs: Mapping[str, Any]) -> Any:
        inputs = {"args": (), "kwargs": {"query": query, **({} if k is None else {"k": k}), **kwargs}}
        return notify_around(active_callbacks(self.callbacks), "module", self, inputs)

    def _become(self, dense: Dense) -> None:
        self._dense = dense
        self.k = dense.k
        self.normalize = dense.normalize

    def _search(self, queries: Sequence[str], k: int, wanted: Filter | None) -> list[list[Passage]]:
        return self._dense._search(queries, k, wanted)

    async def _asearch(self, queries: Sequence[str], k: int, wanted: Filter | None) -> list[list[Passage]]:
        return await self._dense._asearch(queries, k, wanted)

    def _found(self, query: Any, k: int | None, kwargs: Mapping[str, Any]) -> Any:
        found: Any = self.search(query, k, **kwargs)
        return self._shown(found) if isinstance(query, str) else [self._shown(row) for row in found]

    def _shown(self, found: Sequence[Passage]) -> Prediction:
        return Prediction(passages=[p.text for p in found], indices=[int(p.id) for p in found])


class EmbeddingsWithScores(Embeddings):
    """`Embeddings` whose predictions have `scores` too."""

    def _shown(self, found: Sequence[Passage]) -> Prediction:
        return Prediction(super()._shown(found), scores=[p.score for p in found])


def _remembering(embedder: Vectorizer | None) -> Any:
    from telic.lm.embedder import Embedder

    if embedder is None or isinstance(embedder, Embedder):
        return embedder
    return Embedder(embedder)


def _of_dspy(config: Path, embedder: Vectorizer | None) -> Dense:
    """What DSPy saved: the texts and settings as JSON, the vectors as an array."""
    np: Any = require("numpy", extra="retrieval", purpose="reading vectors")
    try:
        settings = decoded(config.read_bytes())
        vectors = np.load(config.with_name("corpus_embeddings.npy"), allow_pickle=False)
        texts, k, normalize = settings["corpus"], settings["k"], settings["normalize"]
    except (ValueError, KeyError, FileNotFoundError) as error:
        raise DataError(f"{config.parent} is no saved Embeddings of DSPy: {error!r}.") from error
    if len(texts) != len(vectors):
        raise DataError(f"{config.parent} has {len(texts)} texts and {len(vectors)} vectors.")
    return Dense.of_vectors(texts, vectors, embedder, k=k, normalize=normalize, index="auto")
