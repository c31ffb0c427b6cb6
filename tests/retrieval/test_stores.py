"""Vector databases as retrievers, against the real packages inside this process."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from telic.retrieval.passage import Passage
from telic.retrieval.stores.chroma import Chroma
from telic.retrieval.stores.lance import Lance, _condition
from telic.retrieval.stores.qdrant import Qdrant
from telic.retrieval.stores.store import StoreRetriever
from telic.testing import check_retriever
from telic.testing.retrievers import CORPUS, QUERIES
from tests.retrieval.vectors import DIM, by_words

pytestmark = pytest.mark.filterwarnings("default")


def check_searching(retriever: StoreRetriever) -> None:
    """What can be asked of a database that is filled elsewhere."""
    given = {passage.id: passage for passage in CORPUS}
    for query in QUERIES:
        found = retriever.search(query, 3)
        assert [p.id for p in found] == [p.id for p in sorted(found, key=lambda p: (-p.score, p.id))]
        assert all(given[p.id].text == p.text and dict(given[p.id].metadata) == p.metadata for p in found)
    assert retriever.search("sailing on the Baltic Sea", 1)[0].id == "kiel"
    rhine = retriever.search("a town", 9, filter={"river": "Rhine"})
    assert {p.id for p in rhine} == {"bonn", "köln"}
    both = retriever.search("a town", 9, filter={"river": ["Rhine", "Nile"], "n": [2, 5]})
    assert {p.id for p in both} == {"bonn", "عربي"}
    assert {p.id for p in retriever.search("a town", 1, filter=lambda m: m["n"] == 6)} == {"東京"}
    assert retriever.search("a town", filter={"none": 1}) == []
    assert len(retriever.search("a town", 100)) == len(CORPUS)


async def check_awaiting(retriever: StoreRetriever) -> None:
    assert await retriever.asearch(list(QUERIES), 2) == retriever.search(list(QUERIES), 2)


async def test_chroma() -> None:
    chromadb = pytest.importorskip("chromadb")
    client = chromadb.EphemeralClient(chromadb.Settings(anonymized_telemetry=False))
    collection = client.create_collection(uuid.uuid4().hex, metadata={"hnsw:space": "cosine"})
    assert Chroma(collection, by_words).search("x") == []
    collection.add(
        ids=[p.id for p in CORPUS],
        documents=[p.text for p in CORPUS],
        metadatas=[dict(p.metadata) for p in CORPUS],
        embeddings=by_words([p.text for p in CORPUS]).tolist(),
    )
    check_searching(Chroma(collection, by_words))
    await check_awaiting(Chroma(collection, by_words))


async def test_qdrant() -> None:
    qdrant = pytest.importorskip("qdrant_client")
    client = qdrant.QdrantClient(":memory:")
    client.create_collection(
        "towns",
        vectors_config=qdrant.models.VectorParams(size=DIM, distance=qdrant.models.Distance.COSINE),
    )
    assert Qdrant(client, "towns", by_words).search("x") == []
    points = [
        qdrant.models.PointStruct(id=n, vector=vector, payload={"name": p.id, "text": p.text, **p.metadata})
        for n, (p, vector) in enumerate(zip(CORPUS, by_words([p.text for p in CORPUS]).tolist(), strict=True))
    ]
    client.upsert("towns", points)
    retriever = Qdrant(client, "towns", by_words, identity="name")
    check_searching(retriever)
    await check_awaiting(retriever)


async def test_lance(tmp_path: Path) -> None:
    lancedb = pytest.importorskip("lancedb")
    vectors = by_words([p.text for p in CORPUS]).tolist()
    rows = [
        {"id": p.id, "text": p.text, "n": p.metadata["n"], "river": p.metadata.get("river"), "vector": vector}
        for p, vector in zip(CORPUS, vectors, strict=True)
    ]
    table = lancedb.connect(tmp_path).create_table("towns", rows)
    check_searching(Lance(table, by_words))
    await check_awaiting(Lance(table, by_words))


def test_values_cannot_break_out_of_a_condition() -> None:
    assert _condition(("land", ["x' OR 1=1 --", 2, True])) == "`land` IN ('x'' OR 1=1 --', 2, true)"


class Listed(StoreRetriever):
    """A database that is a list."""

    def __init__(self, corpus: Sequence[Passage]) -> None:
        super().__init__(by_words)
        self.corpus = list(corpus)
        if len({p.id for p in corpus}) < len(corpus):
            from telic.errors import DataError

            raise DataError("same-id")

    def _near(self, vector: list[float], n: int, wanted: Mapping[str, list[Any]]) -> list[Passage]:
        rows = by_words([p.text for p in self.corpus])
        scores = rows @ np.array(vector) / np.maximum(np.linalg.norm(rows, axis=1), 1e-9)
        found = [
            p.scored(round(float(score), 5))
            for p, score in zip(self.corpus, scores, strict=True)
            if all(p.metadata.get(name) in values for name, values in wanted.items())
        ]
        return sorted(found, key=lambda p: (-p.score, p.id))[:n]


def test_contract_of_the_part_they_share() -> None:
    check_retriever(Listed)
