"""Building, changing and reopening an index, and what is odd."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from telic.errors import DataError, IndexFileError, InputError
from telic.retrieval.late_interaction import index as changing
from telic.retrieval.late_interaction.retriever import LateInteraction
from telic.retrieval.passage import Passage
from telic.testing.encoder import HashEncoder
from telic.testing.retrievers import check_retriever
from tests.retrieval_index.clusters import ClusterEncoder, texts

ENCODER = HashEncoder(16)
ANIMALS = ["a cat on the mat", "a dog in the yard", "two birds over the sea", "fish in the sea"]


@pytest.fixture(params=["folder", "memory"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    return tmp_path / "index" if request.param == "folder" else None


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Centroids are used from 100 tokens on."""
    monkeypatch.setattr("telic.retrieval.late_interaction.writing.PLAIN_TOKENS", 100)


def ids(index: LateInteraction, query: str, k: int = 100) -> list[str]:
    return [passage.id for passage in index.search(query, k=k)]


def test_the_words_of_a_query_find_their_passages(place: Path | None) -> None:
    index = LateInteraction.build(ANIMALS, encoder=ENCODER, path=place)
    assert ids(index, "dog yard", 1) == ["1"]
    best = index.search("birds", k=1)[0]
    assert best.text == "two birds over the sea"
    assert best.score == pytest.approx(2, abs=1e-3)
    assert len(index) == 4


def test_what_was_built_is_what_is_opened(tmp_path: Path, small: None) -> None:
    corpus = [Passage(f"n{n}", f"word{n} word{n % 7}", metadata={"n": n}) for n in range(80)]
    index = LateInteraction.build(corpus, encoder=ENCODER, path=tmp_path, bits=2, rescore_bits=8)
    opened = LateInteraction.open(tmp_path, ENCODER, verify=True)
    assert opened.stats() == index.stats()
    assert opened.stats()["centroids"] > 1
    assert opened.search("word3 word5", k=80) == index.search("word3 word5", k=80)
    assert opened.passage("n12").metadata == {"n": 12}
    assert {p.id for p in opened.search("word3", k=9, filter={"n": [3, 10]})} == {"n3", "n10"}


def test_the_same_seed_gives_the_same_files(tmp_path: Path, small: None) -> None:
    corpus = [f"word{n} word{n % 7} word{n % 11}" for n in range(80)]
    for name in ("one", "two"):
        LateInteraction.build(corpus, encoder=ENCODER, path=tmp_path / name)
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes(), file.name


def test_added_passages_are_found_and_deleted_ones_are_not(place: Path | None, small: None) -> None:
    index = LateInteraction.build([f"word{n} here" for n in range(60)], encoder=ENCODER, path=place)
    index.add([{"id": "new", "text": "something new"}, "numbered on"])
    assert ids(index, "something new", 1) == ["new"]
    assert index.passage("61").text == "numbered on"
    assert index.delete(["new", "3"]) == 2
    assert "new" not in ids(index, "something new")
    assert "3" not in ids(index, "word3")
    assert len(index) == 60
    with pytest.raises(InputError, match="'new'"):
        index.passage("new")
    index.add([{"id": "new", "text": "another text"}])
    assert index.passage("new").text == "another text"
    before = index.search("word5 here another", k=100)
    index.compact(retrain=False)
    assert index.search("word5 here another", k=100) == before
    assert index.stats()["segments"] == 1
    assert index.stats()["deleted"] == 0


def test_a_small_collection_that_grows_gets_centroids(place: Path | None, small: None) -> None:
    index = LateInteraction.build(["one two three"], encoder=ENCODER, path=place, bits=4)
    assert index.stats()["bits"] == 16
    assert index.stats()["centroids"] == 1
    index.add([f"word{n} here" for n in range(50)])
    assert index.stats()["bits"] == 4
    assert index.stats()["centroids"] > 1
    assert ids(index, "one two three", 1) == ["0"]
    assert len(index) == 51


def test_segments_stay_few_as_passages_come_one_by_one(small: None) -> None:
    index = LateInteraction.build([f"word{n} here" for n in range(50)], encoder=ENCODER)
    for n in range(40):
        index.add([f"single{n}"])
    assert index.stats()["segments"] <= 7
    assert [ids(index, f"single{n}", 1) for n in range(40)] == [[str(50 + n)] for n in range(40)]


def test_drift_calls_for_new_centroids() -> None:
    encoder = ClusterEncoder(dim=32, topics=4)
    index = LateInteraction.build(texts(600), encoder=encoder)
    built = index.stats()
    assert built["drift"] == pytest.approx(1, abs=0.2)
    encoder._concepts = ClusterEncoder(dim=32, seed=9)._concepts
    index.add(texts(1800)[600:])
    assert index.stats()["drift"] > changing.DRIFT
    index.compact()
    assert index.stats()["drift"] == pytest.approx(1, abs=0.2)
    assert len(index) == 1800
    assert ids(index, "1700", 1) == ["1700"]


def test_a_corpus_is_encoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = ClusterEncoder(dim=16)
    seen: list[str] = []
    real = encoder.encode_passages
    monkeypatch.setattr("telic.retrieval.late_interaction.writing.SAMPLE_BYTES", 30_000)
    monkeypatch.setattr("telic.retrieval.late_interaction.segments.SEGMENT_TOKENS", 9_000)
    encoder.encode_passages = lambda given: seen.extend(given) or real(given)  # type: ignore[method-assign,func-returns-value]
    index = LateInteraction.build(iter(texts(900)), encoder=encoder)
    assert sorted(seen, key=int) == texts(900)
    assert index.stats()["segments"] > 2
    assert [ids(index, query, 1) for query in ("5", "450", "899")] == [["5"], ["450"], ["899"]]


def test_a_reader_keeps_its_state_until_it_looks_again(tmp_path: Path, small: None) -> None:
    writer = LateInteraction.build([f"word{n} here" for n in range(60)], encoder=ENCODER, path=tmp_path)
    reader = LateInteraction.open(tmp_path, ENCODER)
    before = reader.search("word7 here", k=60)
    writer.delete([str(n) for n in range(30)])
    writer.compact(retrain=True)
    assert reader.search("word7 here", k=60) == before
    assert reader.refresh()
    assert not reader.refresh()
    assert set(ids(reader, "word7 here")) == {str(n) for n in range(30, 60)}


def test_writers_take_turns(tmp_path: Path) -> None:
    one = LateInteraction.build(["first"], encoder=ENCODER, path=tmp_path)
    two = LateInteraction.open(tmp_path, ENCODER)
    one.add(["second"])
    two.add(["third"])
    one.refresh()
    assert set(ids(one, "second third")) == set(ids(two, "second third")) == {"0", "1", "2"}
    two._files.patience = 0.05  # type: ignore[attr-defined]
    with one._files.writing(), pytest.raises(IndexFileError, match="another process"):
        two.add(["fourth"])


def test_ids_are_each_there_once(place: Path | None, small: None) -> None:
    twins = [{"id": "a", "text": "one"}, {"id": "b", "text": "two"}, {"id": "a", "text": "three"}]
    with pytest.raises(DataError, match="'a' twice"):
        LateInteraction.build(twins, encoder=ENCODER, path=place)
    index = LateInteraction.build([f"word{n} here" for n in range(60)], encoder=ENCODER, path=place)
    with pytest.raises(DataError, match="'3' already"):
        index.add([{"id": "new", "text": "new"}, {"id": "3", "text": "again"}])
    assert len(index) == 60
    index.add([{"id": "3", "text": "again"}], replace=True)
    assert len(index) == 60
    assert index.passage("3").text == "again"
    with pytest.raises(InputError, match="'unknown'"):
        index.delete(["4", "unknown"])
    with pytest.raises(InputError, match="list of ids"):
        index.delete("4")
    assert index.passage("4").text == "word4 here"


def test_equal_scores_are_in_the_order_of_their_ids() -> None:
    index = LateInteraction.build([Passage(name, "the same") for name in "dbeca"], encoder=ENCODER)
    assert ids(index, "same", 3) == ["a", "b", "c"]


def test_an_empty_corpus_finds_nothing_and_can_grow(place: Path | None) -> None:
    index = LateInteraction.build([], encoder=ENCODER, path=place)
    assert index.search("anything", k=3) == []
    assert index.stats()["bytes_per_token"] == 0
    index.compact()
    index.add([])
    index.add(["anything at all"])
    assert ids(index, "anything", 3) == ["0"]
    index.delete(["0"])
    assert index.search("anything", k=3) == []
    index.compact()
    assert len(index) == 0


def test_an_empty_query_scores_what_its_one_token_does() -> None:
    index = LateInteraction.build(ANIMALS, encoder=ENCODER)
    assert len(index.search("", k=10)) == 4
    assert index.candidates(np.zeros((0, 16), np.float32), 5) == []


def test_k_may_exceed_the_collection() -> None:
    index = LateInteraction.build(ANIMALS, encoder=ENCODER)
    assert len(index.search("sea", k=1000)) == 4


def test_long_emoji_and_right_to_left_texts_come_back_whole(place: Path | None) -> None:
    odd = [
        "wörter " * 14_000,
        "🦉 owl 👩‍👩‍👧‍👦 family",
        "שלום עולם hello",
        "half a pair \ud83d here",
        "line\nbreak\u2028s\r\n",
    ]
    index = LateInteraction.build(odd, encoder=HashEncoder(16, passage_length=100_000), path=place)
    assert [index.passage(str(n)).text for n in range(5)] == odd
    assert ids(index, "owl family", 1) == ["1"]
    assert ids(index, "עולם", 1) == ["2"]
    assert ids(index, "wörter", 1) == ["0"]


def test_passages_without_tokens_are_kept_and_not_found(small: None) -> None:
    class Mute(HashEncoder):
        def encode_passages(self, texts: Sequence[str]) -> list[np.ndarray]:
            given = zip(super().encode_passages(texts), texts, strict=True)
            return [rows[: 0 if "mute" in text else None] for rows, text in given]

    for extra in (0, 60):
        index = LateInteraction.build(["mute", "loud", *(f"word{n}" for n in range(extra))], encoder=Mute(16))
        assert "0" not in ids(index, "mute loud")
        assert "1" in ids(index, "mute loud")
        assert index.passage("0").text == "mute"
        assert index.explain("loud", "0") == []


def test_an_encoder_that_fails_or_errs_is_named(tmp_path: Path) -> None:
    index = LateInteraction.build(ANIMALS, encoder=ENCODER, path=tmp_path)

    class Broken(HashEncoder):
        def encode_passages(self, texts: Sequence[str]) -> list[np.ndarray]:
            return [np.full((2, 16), np.nan, np.float32) for _ in texts]

    broken = LateInteraction.open(tmp_path, Broken(16))
    with pytest.raises(DataError, match="passage '4'"):
        broken.add(["more"])
    assert LateInteraction.open(tmp_path, ENCODER).search("cat", k=9) == index.search("cat", k=9)
    left = {file.name for file in tmp_path.iterdir()} - {"manifest.json", "write.lock"}
    assert left == set(index._opened.manifest.names())


@pytest.mark.parametrize("cut", [10, 100_000])
def test_it_keeps_the_contract_of_retrievers(cut: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telic.retrieval.late_interaction.writing.PLAIN_TOKENS", cut)
    encoder = HashEncoder(32)
    check_retriever(lambda corpus: LateInteraction.build(corpus, encoder=encoder), sensible=False)


def test_widths_that_do_not_exist_are_refused() -> None:
    for bits, rescore_bits in ((3, None), (4, 4), (8, 2), (4, 5)):
        with pytest.raises(InputError, match="bits"):
            LateInteraction.build(ANIMALS, encoder=ENCODER, bits=bits, rescore_bits=rescore_bits)


def test_bytes_for_a_token_hold_what_was_promised() -> None:
    encoder = ClusterEncoder(dim=384, concepts=200)
    index = LateInteraction.build(texts(1000), encoder=encoder, bits=2)
    stats = index.stats()
    overhead = stats["bytes_per_token"] - 384 * 2 / 8
    assert 2 < overhead < 12, "centroids weigh more in a small collection"
    copied = LateInteraction.build(texts(1000), encoder=encoder, bits=2, rescore_bits=8).stats()
    assert copied["bytes_per_token"] - stats["bytes_per_token"] == pytest.approx(384, abs=1)
