"""Retrieving, embedding and loading data, in DSPy's terms."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from tests.compat.target import REAL, dspy

np = pytest.importorskip("numpy")


class Passage:
    """What retrievers give."""

    def __init__(self, long_text: str) -> None:
        self.long_text = long_text


def retriever(query: str, k: int = 3, **options: Any) -> list[Passage]:
    return [Passage(f"{query} {n}") for n in range(k)]


def test_retrieve_asks_the_retriever_of_the_settings() -> None:
    dspy.configure(rm=retriever)
    assert dspy.Retrieve(k=2)("cats").passages == ["cats 0", "cats 1"]


def test_retrieve_k_of_a_call() -> None:
    dspy.configure(rm=retriever)
    assert len(dspy.Retrieve(k=2)("cats", k=4).passages) == 4


def test_retrieve_without_a_retriever() -> None:
    with pytest.raises((AssertionError, ValueError)):
        dspy.Retrieve()("cats")


def test_retrieve_state() -> None:
    retrieve = dspy.Retrieve(k=7)
    assert retrieve.dump_state() == {"k": 7}
    retrieve.load_state({"k": 3})
    assert retrieve.k == 3


def test_retrieve_of_ones_own() -> None:
    class Own(dspy.Retrieve):
        def forward(self, query: str, k: int | None = None, **options: Any) -> Any:
            return dspy.Prediction(passages=[query.upper()] * (k or self.k))

    assert Own(k=2)("a").passages == ["A", "A"]


def test_retrieve_in_a_program() -> None:
    class Rag(dspy.Module):
        def __init__(self) -> None:
            super().__init__()
            self.retrieve = dspy.Retrieve(k=1)
            self.answer = dspy.Predict("context, question -> answer")

        def forward(self, question: str) -> Any:
            return self.answer(context=self.retrieve(question).passages, question=question)

    program = Rag()
    assert [name for name, _ in program.named_predictors()] == ["answer"]
    assert "retrieve" in dict(program.named_parameters())
    with dspy.context(rm=retriever, lm=dspy.utils.DummyLM([{"answer": "a"}])):
        assert program(question="cats").answer == "a"


@pytest.mark.skipif(REAL, reason="DSPy cannot save it")
def test_a_program_that_retrieves_is_saved(tmp_path: Path) -> None:
    class Rag(dspy.Module):
        def __init__(self, k: int) -> None:
            super().__init__()
            self.retrieve = dspy.Retrieve(k=k)
            self.answer = dspy.Predict("context, question -> answer")

    Rag(9).save(tmp_path / "rag.json")
    loaded = Rag(1)
    loaded.load(tmp_path / "rag.json")
    assert loaded.retrieve.k == 9


def lengths(texts: list[str], **options: Any) -> list[list[float]]:
    return [[float(len(text)), 1.0] for text in texts]


def test_embedder_of_a_function() -> None:
    vectors = dspy.Embedder(lengths)(["a", "bbb"])
    assert vectors.shape == (2, 2)
    assert vectors.dtype == np.float32
    assert vectors[1][0] == 3.0


def test_embedder_of_one_text() -> None:
    assert dspy.Embedder(lengths)("abc").tolist() == [3.0, 1.0]


def test_embedder_in_batches() -> None:
    sizes: list[int] = []

    def embed(texts: list[str]) -> Any:
        sizes.append(len(texts))
        return lengths(texts)

    dspy.Embedder(embed, batch_size=2, caching=False)([str(n) for n in range(5)])
    assert sizes == [2, 2, 1]


def test_embedder_arguments_reach_the_function() -> None:
    seen: list[dict[str, Any]] = []

    def embed(texts: list[str], **options: Any) -> Any:
        seen.append(options)
        return lengths(texts)

    dspy.Embedder(embed, caching=False, scale=2)(["a"], more=3)
    assert seen == [{"scale": 2, "more": 3}]


async def test_embedder_awaited() -> None:
    assert (await dspy.Embedder(lengths).acall(["ab"])).tolist() == [[2.0, 1.0]]


def trainset() -> list[Any]:
    words = ["cat food", "dog walk", "cat nap", "car wash"]
    return [dspy.Example(text=word, label=word[:3]).with_inputs("text") for word in words]


def test_knn_finds_the_nearest() -> None:
    knn = dspy.KNN(k=2, trainset=trainset(), vectorizer=dspy.Embedder(dspy.utils.DummyVectorizer()))
    assert knn(text="dog walks")[0].text == "dog walk"
    assert len(knn(text="cat nap")) == 2


def test_knn_is_ordered() -> None:
    knn = dspy.KNN(k=4, trainset=trainset(), vectorizer=dspy.utils.DummyVectorizer())
    found = [example.text for example in knn(text="cat nap")]
    assert "cat nap" in (found[0], found[-1])
    assert sorted(found) == sorted(e.text for e in trainset())


# Searching a list of texts by vectors, and a server.

CORPUS = ["aaa", "bbb", "ab ab", "a long text of words", "bb"]


def letters(texts: list[str]) -> Any:
    return np.array([[t.count("a"), t.count("b"), len(t), 1.0] for t in texts], dtype=float)


def test_embeddings() -> None:
    found = dspy.Embeddings(CORPUS, letters, k=2)("aab")
    assert isinstance(found, dspy.Prediction)
    assert found.passages == ["ab ab", "aaa"]
    assert found.indices == [2, 0]
    assert "scores" not in found.toDict()


def test_embeddings_forward_is_the_call() -> None:
    embeddings = dspy.retrievers.Embeddings(corpus=CORPUS, embedder=letters)
    assert embeddings.k == 5
    assert embeddings.forward("aab").indices == embeddings(query="aab").indices


def test_embeddings_with_scores() -> None:
    found = dspy.EmbeddingsWithScores(CORPUS, letters, k=2)("aab")
    assert found.scores == pytest.approx([0.974176, 0.947758], abs=1e-5)
    assert all(isinstance(score, float) for score in found.scores)


def test_embeddings_of_products() -> None:
    found = dspy.EmbeddingsWithScores(CORPUS, letters, k=3, normalize=False)("aab")
    assert (found.indices, found.scores) == ([3, 2, 0], [63.0, 22.0, 16.0])


def test_embeddings_k_above_the_corpus() -> None:
    assert dspy.Embeddings(CORPUS, letters, k=10)("aab").indices == [2, 0, 3, 4, 1]


def test_embeddings_take_an_embedder() -> None:
    asked: list[list[str]] = []

    def counting(texts: list[str]) -> Any:
        asked.append(list(texts))
        return letters(texts)

    embeddings = dspy.Embeddings(CORPUS, dspy.Embedder(counting), k=2)
    embeddings("q")
    assert asked == [CORPUS, ["q"]]


def test_embeddings_are_saved(tmp_path: Path) -> None:
    path = str(tmp_path / "saved")
    dspy.Embeddings(CORPUS, letters, k=2).save(path)
    loaded = dspy.Embeddings.from_saved(path, letters)
    assert (loaded.k, loaded.normalize, loaded.corpus) == (2, True, CORPUS)
    assert loaded("aab").indices == [2, 0]
    other = dspy.Embeddings(["z"], letters)
    assert other.load(path, letters) is other
    assert other("aab").passages == ["ab ab", "aaa"]
    with pytest.raises(FileNotFoundError):
        dspy.Embeddings.from_saved(str(tmp_path / "nowhere"), letters)


@pytest.fixture
def colbert() -> Any:
    """A server as ColBERT's, with the requests that it got."""
    import threading
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    rows = [
        {"text": f"T{n} | text {n}", "pid": n, "rank": n + 1, "score": 9.0 - n, "prob": 0.5}
        for n in range(12)
    ]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.server.asked.append(self.path)  # type: ignore[attr-defined]
            body = json.dumps({"query": "x", "topk": rows}).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            """Nothing is printed."""

    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_colbert(colbert: Any) -> None:
    rm = dspy.ColBERTv2(url="http://127.0.0.1", port=colbert.server_address[1])
    found = rm("who is it?", k=3)
    path, _, asked = colbert.asked[0].partition("?")
    assert (path, parse_qs(asked)) == ("/", {"query": ["who is it?"], "k": ["3"]})
    assert isinstance(found, list)
    assert len(found) == 3
    assert found[0].long_text == found[0]["text"] == "T0 | text 0"
    assert (found[0].pid, found[0].rank, found[0].score, found[0].prob) == (0, 1, 9.0, 0.5)


def test_colbert_simplified(colbert: Any) -> None:
    rm = dspy.ColBERTv2(url=f"http://127.0.0.1:{colbert.server_address[1]}/wiki")
    assert rm("q", k=2, simplify=True) == ["T0 | text 0", "T1 | text 1"]
    assert colbert.asked == ["/wiki?query=q&k=2"]


def test_colbert_gives_ten_by_default(colbert: Any) -> None:
    assert len(dspy.ColBERTv2(url="http://127.0.0.1", port=str(colbert.server_address[1]))("default")) == 10


def test_colbert_is_asked_once(colbert: Any) -> None:
    rm = dspy.ColBERTv2(url="http://127.0.0.1", port=colbert.server_address[1])
    assert rm("again", k=3) == rm("again", k=3)
    assert len(colbert.asked) == 1


def test_colbert_as_rm(colbert: Any) -> None:
    dspy.configure(rm=dspy.ColBERTv2(url="http://127.0.0.1", port=colbert.server_address[1]))
    assert dspy.Retrieve(k=2)("who").passages == ["T0 | text 0", "T1 | text 1"]


# Data.


def test_data_from_json(tmp_path: Path) -> None:
    pytest.importorskip("pandas")
    path = tmp_path / "rows.json"
    path.write_text("\n".join(json.dumps({"q": str(n), "a": n}) for n in range(3)))
    rows = dspy.datasets.DataLoader().from_json(str(path), input_keys=("q",))
    assert [(row.q, row.a) for row in rows] == [("0", 0), ("1", 1), ("2", 2)]
    assert rows[0].inputs().toDict() == {"q": "0"}


def test_data_from_csv(tmp_path: Path) -> None:
    pytest.importorskip("pandas")
    path = tmp_path / "rows.csv"
    path.write_text("q,a,b\nx,1,2\ny,3,4\n")
    rows = dspy.datasets.DataLoader().from_csv(str(path), fields=["q", "a"], input_keys=("q",))
    assert [row.toDict() for row in rows] == [{"q": "x", "a": 1}, {"q": "y", "a": 3}]


def test_data_from_a_frame() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"q": ["x"], "a": [1]})
    rows = dspy.datasets.DataLoader().from_pandas(frame, fields=["q", "a"], input_keys=("q",))
    assert rows[0].labels().toDict() == {"a": 1}


def test_data_is_split() -> None:
    rows = [dspy.Example(n=n) for n in range(10)]
    loader = dspy.datasets.DataLoader()
    parts = loader.train_test_split(rows, train_size=0.7, random_state=1)
    assert (len(parts["train"]), len(parts["test"])) == (7, 3)
    assert sorted(row.n for part in parts.values() for row in part) == list(range(10))
    again = loader.train_test_split(rows, train_size=0.7, random_state=1)
    assert [row.n for row in parts["train"]] == [row.n for row in again["train"]]


@pytest.mark.parametrize(
    "sizes", [{"train_size": 1.5}, {"train_size": 8, "test_size": 5}, {"train_size": "x"}]
)
def test_bad_splits(sizes: Any) -> None:
    with pytest.raises(ValueError):
        dspy.datasets.DataLoader().train_test_split([dspy.Example(n=n) for n in range(10)], **sizes)


def test_data_is_sampled() -> None:
    rows = [dspy.Example(n=n) for n in range(10)]
    assert len(dspy.datasets.DataLoader().sample(rows, 3)) == 3


class Numbers(dspy.datasets.Dataset):
    """A data set of one's own."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._train = [{"n": n} for n in range(20)]
        self._dev = [{"n": n} for n in range(100, 120)]
        self._test = [{"n": n} for n in range(200, 210)]


def test_a_data_set_of_ones_own() -> None:
    data = Numbers(train_seed=1, train_size=5, eval_seed=2, dev_size=4, test_size=3, input_keys=["n"])
    assert (len(data.train), len(data.dev), len(data.test)) == (5, 4, 3)
    assert data.train[0].inputs().keys() == ["n"]
    assert all(row.n >= 200 for row in data.test)


def test_data_is_drawn_by_seed() -> None:
    first, second = Numbers(train_seed=1, train_size=5), Numbers(train_seed=1, train_size=5)
    assert [row.n for row in first.train] == [row.n for row in second.train]
    first.reset_seeds(train_seed=2)
    assert [row.n for row in first.train] != [row.n for row in second.train]


def test_data_by_seed() -> None:
    data = Numbers.prepare_by_seed(train_seeds=[1, 2], train_size=2, dev_size=4)
    assert [len(part) for part in data.train_sets] == [2, 2]
    assert [len(part) for part in data.eval_sets] == [2, 2]


def test_colors() -> None:
    data = dspy.datasets.Colors()
    total = len(data.train) + len(data.dev)
    assert len(data.train) == int(0.6 * total) > 75
    assert data.train[0].keys() == ["color"]


@pytest.mark.parametrize(
    ("text", "number"),
    [("The answer is 42", 42), ("1,234", 1234), ("about 5 or 6", 6), ("$7.50 each", 7), ("none", 0)],
)
def test_integers_in_answers(text: str, number: int) -> None:
    assert dspy.datasets.gsm8k.parse_integer_answer(text) == number


@pytest.mark.parametrize(("given", "right"), [("42", True), ("so 42", True), ("41", False)])
def test_gsm8k_metric(given: str, right: bool) -> None:
    gold, pred = dspy.Example(answer="42"), dspy.Prediction(answer=given)
    assert bool(dspy.datasets.gsm8k.gsm8k_metric(gold, pred)) is right
