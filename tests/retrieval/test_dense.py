"""Passages by one vector each."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from telic.errors import DataError, IndexFileError, InputError, MissingExtraError
from telic.lm.embedder import Embedder
from telic.retrieval.dense.dense import Dense
from telic.retrieval.dense.embeddings import Embeddings, EmbeddingsWithScores
from telic.runtime.events import BaseCallback
from telic.testing import check_retriever
from tests.retrieval.vectors import by_words, by_words_awaited

TEXTS = ["the cat sat", "the dog ran", "birds fly high"]


@pytest.mark.parametrize(
    "embedder", [by_words, by_words_awaited, Embedder(by_words)], ids=["function", "awaited", "Embedder"]
)
def test_contract(embedder: Any) -> None:
    check_retriever(lambda corpus: Dense(corpus, embedder))


def test_contract_of_one_that_was_saved(tmp_path: Path) -> None:
    places = iter(range(1000))

    def saved(corpus: Any) -> Dense:
        return Dense.open(Dense(corpus, by_words).save(tmp_path / str(next(places))), by_words)

    check_retriever(saved)


def test_scores_are_cosines_or_products() -> None:
    def vectors(texts: list[str]) -> list[list[float]]:
        return [[float(len(text)), 1.0] for text in texts]

    found = Dense(["a", "abc"], vectors).search("ab", 2)
    q = np.array([2.0, 1.0])
    expected = {"0": q @ [1, 1] / np.sqrt(5 * 2), "1": q @ [3, 1] / np.sqrt(5 * 10)}
    assert {p.id: p.score for p in found} == pytest.approx(expected, abs=2e-6)
    plain = Dense(["a", "abc"], vectors, normalize=False).search("ab", 2)
    assert [(p.id, p.score) for p in plain] == [("1", 7.0), ("0", 3.0)]


def test_adding_and_deleting() -> None:
    index = Dense(TEXTS, by_words)
    assert index.add([{"id": "fish", "text": "fish swim deep"}]) == ["fish"]
    assert index.search("swim", 1)[0].id == "fish"
    index.delete(["0", "fish"])
    assert index.ids() == ["1", "2"]
    assert index.vectors.shape == (2, 4096)
    assert index.search("swim birds", 1)[0].id == "2"
    with pytest.raises(DataError, match="'1'"):
        index.add([{"id": "1", "text": "again"}])


def test_nothing_is_embedded_for_a_corpus_that_is_refused() -> None:
    asked: list[int] = []

    def counting(texts: list[str]) -> Any:
        asked.append(len(texts))
        return by_words(texts)

    with pytest.raises(DataError):
        Dense([{"id": 1, "text": "x"}, {"id": 1, "text": "y"}], counting)
    assert asked == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([[1.0]], r"shape \(1, 1\) for 3"),
        ([1.0, 2.0, 3.0], "shape"),
        ([[1.0], [float("nan")], [2.0]], "text 1"),
    ],
)
def test_bad_vectors_are_refused(given: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Dense(TEXTS, lambda texts: given)


def test_vectors_of_another_length_are_refused() -> None:
    index = Dense(TEXTS, lambda texts: np.ones((len(texts), len(texts))))
    with pytest.raises(DataError, match="1 numbers, those of the passages 3"):
        index.search("x")


def test_another_embedder_is_refused(tmp_path: Path) -> None:
    class Named:
        def __init__(self, name: str) -> None:
            self.fingerprint = name

        def __call__(self, texts: list[str]) -> Any:
            return by_words(texts)

    folder = Dense(TEXTS, Named("one")).save(tmp_path / "index")
    assert Dense.open(folder, Named("one")).search("cat", 1)[0].text == "the cat sat"
    with pytest.raises(InputError, match="'one', not with 'two'"):
        Dense.open(folder, Named("two"))
    nameless = Dense(TEXTS, by_words).save(tmp_path / "nameless")
    with pytest.raises(InputError, match="give the embedder"):
        Dense.open(nameless)


def many(n: int, dim: int = 24) -> Any:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(50, dim))
    return (centres[rng.integers(50, size=n)] + 0.5 * rng.normal(size=(n, dim))).astype(np.float32)


def test_a_graph_finds_most_of_the_nearest(tmp_path: Path) -> None:
    pytest.importorskip("faiss")
    vectors = many(3_000)
    texts = [str(n) for n in range(len(vectors))]
    table = dict(zip(texts, vectors, strict=True))

    def look(asked: list[str]) -> Any:
        return [table[text] for text in asked]

    exact = Dense.of_vectors(texts, vectors, look)
    graph = Dense.of_vectors(texts, vectors, look, index="graph", exact_below=100)
    assert (exact.stats()["index"], graph.stats()["index"]) == ("exact", "graph")
    queries = texts[:200]
    reopened = Dense.open(graph.save(tmp_path / "graph"), look)
    wanted = [{p.id for p in found} for found in exact.search(queries, 10)]
    for index in (graph, reopened):
        found = [{p.id for p in row} for row in index.search(queries, 10)]
        assert sum(len(a & b) for a, b in zip(wanted, found, strict=True)) / 2000 > 0.95
    assert len(graph.search("1", 5, filter=lambda metadata: True)) == 5


def test_a_graph_without_faiss_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faiss", None)
    index = Dense(TEXTS, by_words, index="graph", exact_below=1)
    with pytest.raises(MissingExtraError, match=r"telic\[faiss\]"):
        index.search("x")
    with pytest.raises(InputError, match="magic"):
        Dense(TEXTS, by_words, index="magic")  # type: ignore[arg-type]


def test_queries_at_once_and_singly_agree() -> None:
    vectors = many(2_000)
    table = {str(n): row for n, row in enumerate(vectors)}
    index = Dense.of_vectors(list(table), vectors, lambda texts: [table[text] for text in texts])
    queries = list(table)[:64]
    assert index.search(queries, 7) == [index.search(query, 7) for query in queries]


# DSPy's names.


def test_embeddings_give_a_prediction() -> None:
    found = Embeddings(TEXTS, by_words, k=2)("cat sat")
    assert found.passages[0] == "the cat sat"
    assert found.indices[0] == 0
    assert len(found.passages) == 2
    assert "scores" not in found
    assert EmbeddingsWithScores(TEXTS, by_words)("the cat sat").scores[0] == pytest.approx(1.0)


def test_embeddings_are_a_retriever() -> None:
    check = Embeddings(TEXTS, by_words)
    assert check.search("dog", 1)[0].id == "1"
    assert check("dog", k=1).indices == [1]
    assert [found.indices for found in check(["dog", "cat"], k=1)] == [[1], [0]]


async def test_embeddings_awaited() -> None:
    assert (await Embeddings(TEXTS, by_words_awaited).acall("dog", k=1)).passages == ["the dog ran"]


def test_an_empty_corpus_of_embeddings() -> None:
    with pytest.raises(DataError, match="empty"):
        Embeddings([], by_words)


def test_vectors_of_queries_are_kept() -> None:
    asked: list[list[str]] = []

    def counting(texts: list[str]) -> Any:
        asked.append(texts)
        return by_words(texts)

    kept = Embeddings(TEXTS, counting, cache=True)
    kept("q")
    kept("q")
    assert asked == [TEXTS, ["q"]]


def test_embeddings_are_saved(tmp_path: Path) -> None:
    Embeddings(TEXTS, by_words, k=2, normalize=False).save(tmp_path / "e")
    loaded = EmbeddingsWithScores.from_saved(tmp_path / "e", by_words)
    assert (loaded.k, loaded.normalize, loaded.corpus) == (2, False, TEXTS)
    assert loaded("cat").passages[0] == "the cat sat"
    other = Embeddings(["z"], by_words)
    assert other.load(tmp_path / "e", by_words) is other
    assert other.corpus_embeddings.shape == (3, 4096)
    with pytest.raises(FileNotFoundError, match="no index"):
        Embeddings.from_saved(tmp_path / "nowhere", by_words)


def test_what_dspy_saved_is_read(tmp_path: Path) -> None:
    import json

    np.save(tmp_path / "corpus_embeddings.npy", by_words(TEXTS))
    config = {"k": 2, "normalize": True, "corpus": TEXTS, "has_faiss_index": False}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert Embeddings.from_saved(tmp_path, by_words)("birds").passages[0] == "birds fly high"
    np.save(tmp_path / "corpus_embeddings.npy", by_words(TEXTS[:2]))
    with pytest.raises(DataError, match="3 texts and 2 vectors"):
        Embeddings.from_saved(tmp_path, by_words)


def test_a_damaged_file_of_vectors_is_named(tmp_path: Path) -> None:
    folder = Dense(TEXTS, by_words).save(tmp_path / "index")
    (file,) = folder.glob("*.npy")
    file.write_bytes(file.read_bytes()[:-4] + b"abcd")
    with pytest.raises(IndexFileError, match=file.name):
        Dense.open(folder, by_words)


def test_callbacks_of_embeddings() -> None:
    class Told(BaseCallback):
        def __init__(self) -> None:
            self.seen: list[Any] = []

        def on_module_start(self, call_id: str, instance: Any, inputs: dict[str, Any]) -> None:
            self.seen.append(inputs["kwargs"])

        def on_module_end(self, call_id: str, outputs: Any, exception: BaseException | None = None) -> None:
            self.seen.append(outputs.indices)

    told = Told()
    Embeddings(TEXTS, by_words, k=1, callbacks=[told])("dog")
    assert told.seen == [{"query": "dog"}, [1]]
