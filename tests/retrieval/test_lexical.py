"""Passages by their words."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from telic.errors import DataError, InputError
from telic.retrieval.lexical.bm25 import BM25
from telic.retrieval.lexical.words import Words
from telic.testing import check_retriever

pytest.importorskip("bm25s")

CORPUS = [
    {"id": "ulm", "text": "Ulm lies on the Danube", "land": "BW"},
    {"id": "bonn", "text": "Bonn lies on the Rhine. Beethoven was born in Bonn", "land": "NW"},
    {"id": "mainz", "text": "Mainz lies on the Rhine", "land": "RP"},
]


def test_contract() -> None:
    check_retriever(BM25)


def test_contract_of_one_that_was_saved(tmp_path: Path) -> None:
    places = iter(range(1000))

    def saved(corpus: object) -> BM25:
        folder = tmp_path / str(next(places))
        BM25(corpus).save(folder)  # type: ignore[arg-type]
        return BM25.open(folder)

    check_retriever(saved)


def test_scores_are_those_of_the_formula() -> None:
    index = BM25(CORPUS, k1=1.2, b=0.75, language=None)
    lengths = [5, 10, 5]
    found = {p.id: p.score for p in index.search("Rhine", 3)}

    def score(tf: int, length: int, df: int) -> float:
        idf = math.log(1 + (3 - df + 0.5) / (df + 0.5))
        return idf * tf / (tf + 1.2 * (1 - 0.75 + 0.75 * length / (sum(lengths) / 3)))

    assert found == pytest.approx({"mainz": score(1, 5, 2), "bonn": score(1, 10, 2)}, rel=1e-5)
    assert index.search("Bonn")[0].score == pytest.approx(score(2, 10, 1), rel=1e-5)


def test_what_shares_no_word_is_not_found() -> None:
    assert [p.id for p in BM25(CORPUS).search("the Danube", 3)] == ["ulm"]
    assert BM25(CORPUS).search("elephants") == []


def test_adding_and_deleting_is_as_building_anew() -> None:
    index = BM25(CORPUS[:1])
    assert index.search("Beethoven") == []
    assert index.add(CORPUS[1:]) == ["bonn", "mainz"]
    assert index.search("the Rhine, Bonn") == BM25(CORPUS).search("the Rhine, Bonn")
    assert index.delete(["bonn"]) == 1
    rebuilt = BM25([CORPUS[0], CORPUS[2]])
    for query in ("Rhine", "Danube", "Beethoven"):
        assert index.search(query) == rebuilt.search(query)
    assert index.stats()["passages"] == 2
    assert index.passage("ulm").metadata == {"land": "BW"}


def test_a_failed_change_changes_nothing() -> None:
    index = BM25(CORPUS)
    with pytest.raises(DataError, match="'bonn'"):
        index.add([{"id": "new", "text": "new"}, {"id": "bonn", "text": "again"}])
    with pytest.raises(InputError, match="'nowhere'"):
        index.delete(["ulm", "nowhere"])
    with pytest.raises(InputError, match="list of ids"):
        index.delete("ulm")
    assert len(index) == 3
    assert index.search("new") == []
    assert index.search("Danube")[0].id == "ulm"


def test_texts_are_numbered_on() -> None:
    index = BM25(["one", "two", "three"])
    index.delete(["0"])
    assert index.add(["four"]) == ["3"]


def test_a_corpus_is_no_text() -> None:
    with pytest.raises(DataError, match="list of passages"):
        BM25("one text")
    with pytest.raises(DataError, match="Item 1"):
        BM25(["a", {"title": "no text"}])


def test_parameters_are_checked() -> None:
    with pytest.raises(InputError, match="b="):
        BM25(b=2)
    with pytest.raises(InputError, match="klingon"):
        BM25(language="klingon")


def test_a_tokenizer_of_ones_own(tmp_path: Path) -> None:
    def letters(text: str) -> list[str]:
        return [letter for letter in text if letter.isalpha()]

    index = BM25(["xyz", "abc"], tokenizer=letters)
    assert index.search("zzz")[0].id == "0"
    index.save(tmp_path / "index")
    with pytest.raises(InputError, match="tokenizer"):
        BM25.open(tmp_path / "index")
    assert BM25.open(tmp_path / "index", tokenizer=letters).search("c")[0].id == "1"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Einstein's theories were running", ["einstein", "theori", "were", "run"]),
        ("Beyoncé, CAFÉ and ﬁnance", ["beyonc", "cafe", "financ"]),
        ("snake_case 3.14", ["snake", "case", "3", "14"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("東京都 Tokyo2020", ["東京", "京都", "tokyo2020"]),
        ("مرحبا بالعالم", ["مرحبا", "بالعالم"]),
        ("😀 !", []),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert Words()(text) == words


def test_words_of_other_languages() -> None:
    assert Words("german")("Die Häuser und die Häusern") == ["haus", "haus"]
    assert Words(None)("running the races") == ["running", "the", "races"]
