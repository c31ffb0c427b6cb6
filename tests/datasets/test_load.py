"""Data sets by name: from a folder, from their homes, and what is said where they are not."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from telic import datasets
from telic.data import Example
from telic.datasets import catalogue, folder, homes, shapes
from telic.datasets.spec import Spec, Web
from telic.errors import DataError


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with one set of twenty rows and one with passages."""
    rows = {
        "gsm8k": [{"id": f"g{i}", "question": f"How many? {i}", "answer": i} for i in range(20)],
        "musique": [
            {"id": "m", "question": "Who?", "answer": "x", "context_paragraph_ids": ["p2", "p1", "gone"]}
        ],
        "squad_v2_sample": [{"id": "s", "question": "What?", "answers": ["x"], "passage_id": "p1"}],
    }
    passages = [
        {"id": "p1", "title": "One", "text": "1."},
        {"id": "p2", "title": "Two", "sentences": ["2.", "3."]},
    ]
    for name, some in rows.items():
        (tmp_path / name).mkdir()
        text = "\n".join(map(json.dumps, some))
        (tmp_path / name / "train.jsonl").write_text(text)
        (tmp_path / name / "dev.jsonl.gz").write_bytes(gzip.compress(text.encode()))
        for file in ("corpus.jsonl.gz", "passages.jsonl.gz"):
            packed = gzip.compress("\n".join(map(json.dumps, passages)).encode())
            (tmp_path / name / file).write_bytes(packed)
    monkeypatch.setenv("TELIC_DATA", str(tmp_path))
    return tmp_path


def test_splits_limit_and_seed(data: Path) -> None:
    everything = datasets.load("gsm8k")
    assert [example.id for example in everything] == [f"g{i}" for i in range(20)]
    assert everything[0].inputs() == Example(question="How many? 0")
    assert everything[0].answer == 0
    assert datasets.load("gsm8k", "dev", limit=3) == everything[:3]
    some, again, others = (datasets.load("gsm8k", limit=5, seed=seed) for seed in (1, 1, 2))
    assert some == again
    assert some not in (everything[:5], others)


def test_context_comes_from_the_corpus(data: Path) -> None:
    plain, with_context = (datasets.load("musique", context=choice)[0] for choice in (None, True))
    assert plain.inputs().keys() == ["question"]
    assert with_context.context == ["Two | 2. 3.", "One | 1."]
    assert set(with_context.inputs().keys()) == {"question", "context"}
    squad = datasets.load("squad_v2_sample")[0]
    assert (squad.context, set(squad.inputs().keys())) == ("1.", {"question", "context"})
    assert datasets.load("squad_v2_sample", context=False)[0].inputs().keys() == ["question"]


def test_corpus_and_further_files(data: Path) -> None:
    assert [row["text"] for row in datasets.load_corpus("musique")] == ["1.", "2. 3."]
    assert len(datasets.load_corpus("musique", limit=1)) == 1
    assert datasets.path("musique", "train.jsonl") == data / "musique" / "train.jsonl"


def test_what_is_not_there(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for call, message in [
        (lambda: datasets.load("gsm9k"), "no data set 'gsm9k'. Did you mean 'gsm8k'"),
        (lambda: datasets.load("gsm8k", "validation"), "no split 'validation'"),  # type: ignore[arg-type]
        (lambda: datasets.load("gsm8k", "test"), "has 'gsm8k', but no 'test.jsonl'"),
        (lambda: datasets.load("gsm8k", context=True), "has no passages"),
        (lambda: datasets.load("scone_nli"), "does not have it, and it cannot be fetched"),
        (lambda: datasets.load_corpus("gsm8k"), "has no corpus"),
        (lambda: datasets.path("tau_retail", "policy.md"), "'policy.md' of 'tau_retail'"),
    ]:
        with pytest.raises(DataError, match=message):
            call()
    (data / "gsm8k" / "train.jsonl").write_text('{"question": "a", "answer": 1}\n{"question": \n')
    with pytest.raises(DataError, match=r"line 2 of train\.jsonl is not JSON"):
        datasets.load("gsm8k")
    monkeypatch.setenv("TELIC_DATA", str(data / "nowhere"))
    with pytest.raises(DataError, match="not a folder"):
        datasets.load("gsm8k")


def test_a_row_without_its_input_is_named(data: Path) -> None:
    (data / "gsm8k" / "train.jsonl").write_text('{"question": "a"}\n{"text": "b"}\n')
    with pytest.raises(DataError, match=r"Row 1 of 'gsm8k' lacks \['question'\]; it has \['text'\]"):
        datasets.load("gsm8k")


def test_every_set_in_the_data_folder_loads() -> None:
    if folder.data_folder() is None:
        pytest.skip("no data folder here")
    for name in datasets.available():
        spec = datasets.info(name)
        if folder.split_file(spec, "dev") is None:
            continue
        examples = datasets.load(name, "dev")
        assert examples
        assert all(set(spec.inputs) == set(example.inputs().keys()) for example in examples)
        assert all(spec.answer in example for example in examples)
        if spec.corpus is not None:
            assert all(passage["text"] for passage in datasets.load_corpus(name, limit=50))
        if spec.passage is not None:
            assert all(example.context for example in datasets.load(name, "dev", limit=5, context=True))


def test_every_set_says_where_it_is_from() -> None:
    for name in datasets.available():
        spec = datasets.info(name)
        assert spec.licence
        assert spec.about.endswith((".", "?"))
        assert spec.home is not None or spec.source.startswith("https://")


def web_set(tmp_path: Path, splits: dict[str, list[Any]]) -> Spec:
    addresses = {}
    for split, rows in splits.items():
        file = tmp_path / f"{split}.json"
        file.write_text(json.dumps(rows))
        addresses[split] = (file.as_uri(),)
    return Spec(
        "own", "Own.", ("q",), "a", "MIT", "here", Web(addresses, shapes.read_json, shapes.renamed("q", "a"))
    )


def test_a_set_of_the_web_is_fetched_once_and_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELIC_HOME", str(tmp_path / "home"))
    spec = web_set(tmp_path, {"train": [{"q": f"q{i}", "a": i} for i in range(500)]})
    parts = {split: homes.fetch(spec, split) for split in ("train", "dev", "test")}
    assert sum(map(len, parts.values())) == 500
    assert all(20 < len(parts[split]) < 90 for split in ("dev", "test"))
    assert sorted(row["a"] for part in parts.values() for row in part) == list(range(500))
    assert parts["dev"][0]["id"] == "own-dev-0"
    (tmp_path / "train.json").unlink()
    assert homes.fetch(spec, "dev") == parts["dev"]


def test_given_splits_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELIC_HOME", str(tmp_path / "home"))
    rows = [{"q": f"q{i}", "a": i} for i in range(200)]
    spec = web_set(tmp_path, {"train": rows, "test": [{"q": "t", "a": -1}]})
    train, dev, test = (homes.fetch(spec, split) for split in ("train", "dev", "test"))
    assert [row["a"] for row in test] == [-1]
    assert len(train) + len(dev) == 200


def test_an_unreachable_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELIC_HOME", str(tmp_path / "home"))
    spec = web_set(tmp_path, {"train": []})
    (tmp_path / "train.json").unlink()
    with pytest.raises(DataError, match=r"'own' cannot be fetched from file:.*set TELIC_DATA"):
        homes.fetch(spec, "train")
    assert not (tmp_path / "home" / "datasets" / "own" / "train.json").exists()


def test_shapes_of_the_originals() -> None:
    gsm = shapes.gsm8k({"question": "q", "answer": "2 + 2 = <<2+2=4>>4\nso\n#### 1,004"})
    assert gsm == {"question": "q", "answer": 1004, "solution": "2 + 2 = <<2+2=4>>4\nso", "steps": 2}
    svamp = {
        "ID": "c1",
        "Body": "Ann has 3",
        "Question": "How many?",
        "Equation": "( 3 )",
        "Answer": "3.0",
        "Type": "X",
    }
    assert shapes.svamp(svamp)["question"] == "Ann has 3. How many?"
    arith = {
        "iIndex": 5,
        "sQuestion": " Two  and two? ",
        "lEquations": ["X = (2.0+2.0)"],
        "lSolutions": [4.0],
    }
    assert shapes.arith(arith) == {
        "id": "agg-5", "question": "Two and two?", "answer": 4, "equation": "(2.0+2.0)", "n_ops": 1
    }  # fmt: skip
    game = {"Rank": "1", "Puzzles": "1 1 4 6", "Solved rate": "99.20%"}
    assert shapes.game24(game)["numbers"] == [1, 1, 4, 6]
    hotpot = shapes.multihop(
        {
            "id": "h", "question": "q", "answer": "a", "type": "bridge",
            "supporting_facts": {"title": ["A", "A", "B"], "sent_id": [0, 2, 1]},
            "context": {"title": ["A", "B"], "sentences": [["One.", " Two."], ["Three."]]},
        }
    )  # fmt: skip
    assert hotpot["supporting_facts"] == [["A", 0], ["A", 2], ["B", 1]]
    assert hotpot["gold_titles"] == ["A", "B"]
    assert hotpot["passages"] == ["A | One. Two.", "B | Three."]
    utterance = {"data": [{"text": "Play "}, {"text": "Jazz", "entity": "genre"}, {"text": " now"}]}
    (row,) = shapes.read_snips(json.dumps({"PlayMusic": [utterance]}))
    assert shapes.snips(row) == {
        "text": "Play Jazz now", "intent": "PlayMusic",
        "slots": {"genre": ["Jazz"]}, "spans": [["genre", 5, 9]],
    }  # fmt: skip
    squad = {
        "id": "1",
        "question": "q",
        "title": "t",
        "context": "c",
        "answers": {"text": ["a", "a"], "answer_start": [0, 4]},
    }
    assert shapes.squad(squad)["answers"] == ["a"]
    assert shapes.squad({**squad, "answers": {"text": [], "answer_start": []}})["answerable"] is False


def test_passages_in_the_row_become_the_context(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    rows = [{"id": "1", "question": "q", "answers": ["a"], "passages": ["c"]}]
    monkeypatch.setenv("TELIC_DATA", str(tmp_path))
    monkeypatch.setattr(homes, "fetch", lambda spec, split: rows)
    (example,) = datasets.load("squad_v2_sample")
    assert example.context == "c"
    assert "passages" not in example


def test_the_catalogue_is_keyed_by_name() -> None:
    assert all(name == spec.name for name, spec in catalogue.SPECS.items())
