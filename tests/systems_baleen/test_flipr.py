from __future__ import annotations

import copy

import numpy as np
import pytest

from telic.errors import InputError
from telic.retrieval.late_interaction import maxsim
from telic.retrieval.passage import Passage
from telic.systems.baleen import FLIPR, Fact, focused_scores
from telic.systems.baleen.facts import facts_of, hop_query, sentences_of, title_of
from tests.systems_baleen.world import CORPUS, MemoryIndex

QUESTION = "Where does the river of West Lodge flow?"
FACT = Fact("lodge", 0, "West Lodge", "West Lodge stands by the river Taff.")


def test_with_nothing_pruned_the_score_is_maxsim() -> None:
    index = MemoryIndex(CORPUS)
    flipr = FLIPR(index, top_question=None, top_facts=None, joint=True)
    query = index.encoder.encode_queries([hop_query(QUESTION, [FACT])])[0]
    expected = [maxsim.maxsim(query, index.rows[passage.id]) for passage in CORPUS]
    got = flipr.scores(QUESTION, [FACT], [passage.id for passage in CORPUS])
    np.testing.assert_allclose(got, expected, atol=1e-5)
    apart = FLIPR(index, top_facts=None).scores(QUESTION, [FACT], ["taff"])
    parts = index.encoder.encode_queries([QUESTION, str(FACT)])
    np.testing.assert_allclose(apart, sum(maxsim.maxsim(p, index.rows["taff"]) for p in parts), atol=1e-5)


def test_random_maxima_give_the_sum_of_the_best_of_each_part() -> None:
    maxima = np.random.default_rng(0).standard_normal((20, 17)).astype(np.float32)
    for top_question, top_facts in [(3, 5), (11, 6), (0, 2), (None, 1), (50, 0), (1, None)]:
        expected = [
            sum(sorted(row[:11], reverse=True)[:top_question])
            + sum(sorted(row[11:], reverse=True)[:top_facts])
            for row in maxima.tolist()
        ]
        np.testing.assert_allclose(focused_scores(maxima, 11, top_question, top_facts), expected, atol=1e-5)


def test_pruning_keeps_long_facts_from_drowning_the_passage_that_is_missing() -> None:
    long = " ".join(f"word{n}" for n in range(30))
    corpus = [
        Passage("next", "Beta | Beta was born in Rome."),
        Passage("same", f"Gamma | {long} said Gamma."),
    ]
    fact = Fact("first", 0, "Alpha", f"Alpha was carved by Beta {long}")
    everything = FLIPR(MemoryIndex(corpus), top_facts=None)
    focused = FLIPR(MemoryIndex(corpus), top_facts=2)
    question = "Where was the carver born?"
    assert everything.find(question, [fact], 1)[0].id == "same"
    assert focused.find(question, [fact], 1)[0].id == "next"


def test_a_hop_leaves_out_what_it_is_told_and_orders_by_score() -> None:
    flipr = FLIPR(MemoryIndex(CORPUS))
    found = flipr.find(QUESTION, [FACT], 3, {"lodge"})
    assert found[0].id == "taff"
    assert "lodge" not in {passage.id for passage in found}
    assert [passage.score for passage in found] == sorted((p.score for p in found), reverse=True)
    assert flipr.find(QUESTION, [], 2, {passage.id for passage in CORPUS}) == []


def test_the_questions_tokens_are_told_from_the_facts() -> None:
    index = MemoryIndex(CORPUS)
    count = len(index.encoder.query_tokens(QUESTION))
    for joint in (True, False):
        vectors, question = FLIPR(index, joint=joint).vectors(QUESTION, [FACT])
        assert question == count
        np.testing.assert_allclose(vectors[:count], index.encoder.encode_queries([QUESTION])[0])


def test_copies_of_a_program_share_the_index() -> None:
    flipr = FLIPR(MemoryIndex(CORPUS))
    assert copy.deepcopy(flipr).index is flipr.index


@pytest.mark.parametrize("options", [{"top_facts": -1}, {"top_question": -2}, {"pool": 0}])
def test_numbers_that_make_no_sense_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(InputError, match="FLIPR"):
        FLIPR(MemoryIndex(CORPUS), **options)


def test_facts_have_their_title_and_place() -> None:
    facts = facts_of(CORPUS[1])
    assert [(fact.place, fact.title) for fact in facts] == [
        (("wall", 0), "Animal Wall"),
        (("wall", 1), "Animal Wall"),
    ]
    assert str(facts[1]) == "Animal Wall | It shows fifteen animals."
    given = Passage("x", "T | ignored", metadata={"title": "Title", "sentences": ["One.", " ", "Two."]})
    assert title_of(given) == "Title"
    assert [fact.sentence for fact in facts_of(given)] == [0, 2]
    assert title_of(Passage("y", "No title here.")) == ""


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("It cost 3.5 crowns. He paid.", ["It cost 3.5 crowns.", "He paid."]),
        ("T | He said no. Then he left", ["He said no.", "Then he left"]),
        ("", []),
    ],
)
def test_sentences(text: str, sentences: list[str]) -> None:
    assert sentences_of(Passage("x", text)) == sentences
