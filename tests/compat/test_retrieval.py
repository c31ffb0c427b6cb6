"""Retrieving, embedding and loading data, in DSPy's terms."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

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
