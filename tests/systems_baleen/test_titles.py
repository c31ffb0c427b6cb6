from __future__ import annotations

import numpy as np

from telic.retrieval.lexical.bm25 import BM25
from telic.retrieval.passage import Passage
from telic.systems.baleen import FLIPR, FusedHops, Titles, Weights
from telic.systems.baleen.facts import facts_of
from tests.systems_baleen.world import CORPUS, MemoryIndex


def test_titles_are_found_by_whole_words_the_longest_first() -> None:
    titles = Titles(
        [
            Passage("york", "York | A city."),
            Passage("new", "New York | A bigger city."),
            Passage("film", "Musa (film) | A film."),
            Passage("low", "iron | A metal."),
            Passage("none", "It has no title."),
        ]
    )
    assert titles.in_text("From New York to Yorkshire by way of Musa") == ["new", "film"]
    assert titles.in_text("new york, musa, iron") == []
    assert titles.in_text("York and New York, and York") == ["york", "new"]


def test_passages_know_whom_they_name_and_who_names_them() -> None:
    titles = Titles(CORPUS)
    assert titles.named_by("lodge") == ["taff", "wall"]
    assert titles.naming("wall") == ["lodge"]
    assert titles.linked("wall") == ["burges", "lodge"]
    assert titles.named_by("moor") == titles.naming("moor") == titles.named_by("unknown") == []


def test_what_a_fact_names_is_found_though_it_shares_nothing_else() -> None:
    index = MemoryIndex(
        [*CORPUS, Passage("filler", "Filler | the carver of the wall, the wall, and what begins")]
    )
    fact = facts_of(CORPUS[1])[0]
    question = "Which birds did the carver like?"
    plain = FusedHops(FLIPR(index))
    linked = FusedHops(FLIPR(index), BM25(CORPUS), titles=Titles(CORPUS), weights=Weights(in_fact=6.0))
    assert linked.find(question, [fact], 1, {"wall"})[0].id == "burges"
    assert plain.find(question, [fact], 1, {"wall"})[0].id != "burges"


def test_each_part_adds_its_weight() -> None:
    index, titles = MemoryIndex(CORPUS), Titles(CORPUS)
    only = {"focused": 0.0, "words": 0.0}
    found = FusedHops(
        FLIPR(index), titles=titles, weights=Weights(**only, in_question=1, in_fact=2, named=4, naming=8)
    ).find("What is Moor?", [facts_of(CORPUS[1])[0]], 5, {"wall"})
    assert {passage.id: passage.score for passage in found} == {
        "moor": 1.0, "burges": 6.0, "lodge": 8.0, "taff": 0.0,
    }  # fmt: skip


def test_parts_of_a_question_are_its_tokens_and_its_words() -> None:
    words = BM25(CORPUS)
    search = FusedHops(FLIPR(MemoryIndex(CORPUS)), words, weights=Weights(tokens=2.0, together=0.5))
    question = "The river of Wales, the river"
    matches = search.matches(question, ["taff", "moor"])
    tokens = len(search.flipr.index.encoder.query_tokens(question))
    np.testing.assert_allclose(matches[:, :tokens], 2.0 * search.flipr.matches(question, ["taff", "moor"]))
    added = 2.0 * matches[:, tokens:].sum(axis=1)
    scores = {passage.id: passage.score for passage in words.search("The river of Wales", 5)}
    np.testing.assert_allclose(added, [scores["taff"], scores.get("moor", 0.0)], rtol=1e-5)


def test_an_empty_world_gives_nothing() -> None:
    everything = {passage.id for passage in CORPUS}
    assert FusedHops(FLIPR(MemoryIndex(CORPUS))).find("What?", [], 3, everything) == []
