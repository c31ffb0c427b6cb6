from __future__ import annotations

import json

import numpy as np
import pytest

import telic
from telic.errors import InputError
from telic.retrieval.passage import Passage
from telic.systems.baleen import (
    FLIPR,
    CondensedRetrieval,
    Condenser,
    Fact,
    LateInteractionCondenser,
    ProgramCondenser,
)
from telic.systems.baleen.facts import facts_of
from telic.systems.baleen.sentence_vectors import sentence_vectors
from telic.testing import HashEncoder
from tests.scripted import ScriptedLM, chat
from tests.systems_baleen.world import CHAIN, CORPUS, MemoryIndex

ENCODER = HashEncoder(dim=96)


def places(facts: list[Fact]) -> list[tuple[str, int]]:
    return [fact.place for fact in facts]


def test_the_sentences_that_share_the_questions_words_are_kept() -> None:
    condenser = LateInteractionCondenser(ENCODER, keep=2, passages=0.0)
    question = "Which fifteen animals does the Animal Wall show?"
    kept = condenser(question=question, facts=[], passages=CORPUS)
    assert places(kept)[0] == ("wall", 1)
    assert len(kept) == 2
    assert kept == condenser.condense(question, [], CORPUS)


def test_sentences_are_judged_together_not_one_by_one() -> None:
    twice = [
        Passage("a", "red blue green yellow."),
        Passage("b", "red blue green amber."),
        Passage("c", "violet brown."),
    ]
    question = "red blue green violet brown"
    alone = LateInteractionCondenser(ENCODER, keep=2, passages=0.0, joint=0.0)
    together = LateInteractionCondenser(ENCODER, keep=2, passages=0.0, joint=2.0)
    assert {fact.passage for fact in alone.condense(question, [], twice)} == {"a", "b"}
    assert "c" in {fact.passage for fact in together.condense(question, [], twice)}


def test_stage_one_lets_few_of_one_passage_through() -> None:
    text = " ".join(f"The river flows to place{n}." for n in range(6))
    condenser = LateInteractionCondenser(ENCODER, per_passage=2, keep=6, passages=0.0)
    kept = condenser.condense("Where does the river flow?", [], [Passage("long", text), CORPUS[4]])
    assert [fact.passage for fact in kept].count("long") == 2
    assert len(LateInteractionCondenser(ENCODER, through=1).condense("river", [], CORPUS)) == 1


def test_vectors_of_sentences_come_from_the_index() -> None:
    index = MemoryIndex(CORPUS)
    facts = [fact for passage in CORPUS for fact in facts_of(passage)]
    rows = sentence_vectors(index, facts)
    for fact, vectors in zip(facts, rows, strict=True):  # equal words have equal vectors: as if encoded
        np.testing.assert_allclose(vectors, index.encoder.encode_passages([str(fact)])[0], atol=1e-6)
    elsewhere = Fact("moor", 9, "Moor", "It is elsewhere.")
    np.testing.assert_allclose(
        sentence_vectors(index, [elsewhere])[0], index.encoder.encode_passages([str(elsewhere)])[0]
    )
    question = "Which fifteen animals does the Animal Wall show?"
    from_index = LateInteractionCondenser(index).condense(question, [], CORPUS)
    assert places(from_index) == places(
        LateInteractionCondenser(index.encoder).condense(question, [], CORPUS)
    )


def test_what_adds_too_little_is_not_kept() -> None:
    passages = [CORPUS[3], CORPUS[4]]
    question = "The Taff is a river of Wales"
    everything = LateInteractionCondenser(ENCODER, passages=0.0).condense(question, [], passages)
    some = LateInteractionCondenser(ENCODER, passages=0.0, least=0.5).condense(question, [], passages)
    assert len(everything) == 4
    assert places(some) == [("taff", 0)]


def test_earlier_facts_stay_when_they_fit() -> None:
    fact = facts_of(CORPUS[1])[1]
    condenser = LateInteractionCondenser(ENCODER, keep=1, passages=0.0)
    assert places(condenser.condense("Animal Wall fifteen animals", [fact], [CORPUS[4]])) == [fact.place]
    assert condenser.condense("Anything?", [], []) == []


def test_a_passages_score_speaks_for_its_sentences() -> None:
    passages = [CORPUS[4].scored(1.0), CORPUS[3].scored(0.0)]
    condenser = LateInteractionCondenser(ENCODER, keep=1, passages=5.0)
    assert condenser.condense("river of Wales", [], passages)[0].passage == "moor"


def test_a_program_chooses_by_number() -> None:
    lm = ScriptedLM([chat(kept=json.dumps([3, 1, 3, 99, 0]))])
    condenser = ProgramCondenser()
    with telic.context(lm=lm):
        kept = condenser(question="Who carved it?", facts=facts_of(CORPUS[1])[:1], passages=[CORPUS[2]])
    assert places(kept) == [("burges", 1), ("wall", 0)]
    assert "3. Burges (architect) | He liked parrots." in lm.asked[0][-1]["content"]
    assert [name for name, _ in condenser.named_predictors()] == ["program"]


async def test_a_program_sees_what_the_first_stage_lets_through() -> None:
    lm = ScriptedLM([chat(kept="[1]")])
    first = LateInteractionCondenser(ENCODER, keep=2, passages=0.0)
    condenser = ProgramCondenser(first=first, keep=1)
    with telic.context(lm=lm):
        kept = await condenser.acall(question="fifteen animals", facts=[], passages=CORPUS)
    assert places(kept) == [("wall", 1)]
    assert "3." not in lm.asked[0][-1]["content"].split("## question")[0]


def test_nothing_found_asks_no_model() -> None:
    with telic.context(lm=ScriptedLM([])):
        assert ProgramCondenser()(question="What?", facts=[], passages=[]) == []


@pytest.mark.parametrize("options", [{"through": 0}, {"keep": 0}, {"per_passage": -1}])
def test_condensers_refuse_what_makes_no_sense(options: dict[str, int]) -> None:
    with pytest.raises(InputError, match="LateInteractionCondenser"):
        LateInteractionCondenser(ENCODER, **options)


class First(Condenser):
    """Keeps the first sentence of the best passage, and what was kept."""

    def __init__(self, place: int = 1) -> None:
        self.place = place

    def steps(self, question, facts, passages):  # type: ignore[no-untyped-def]
        yield from ()
        fresh = [p for p in passages if p.id not in {fact.passage for fact in facts}]
        return [*facts, *facts_of(fresh[0])[-1:]] if fresh else list(facts)


@pytest.mark.parametrize("branching", [True, False])
def test_hops_lead_to_what_the_question_does_not_name(branching: bool) -> None:
    search = FLIPR(MemoryIndex(CORPUS))
    condenser = LateInteractionCondenser(ENCODER, keep=2, per_passage=1)
    retrieve = CondensedRetrieval(search, condenser, max_hops=3, k=4, branching=branching)
    found = retrieve(question="What begins at West Lodge?")
    assert {"lodge", "wall"} <= {passage.id for passage in found.passages[:3]}
    assert "lodge" in {fact.passage for fact in found.facts}
    assert found.context == [str(fact) for fact in found.facts]
    assert 1 <= len(found.hops) <= 3
    assert [passage.score for passage in found.passages] == sorted(
        (passage.score for passage in found.passages), reverse=True
    )
    assert len({passage.id for passage in found.passages}) == len(found.passages)


def test_a_chain_brings_what_led_to_it_to_the_front() -> None:
    def scored(identity: str, score: float) -> Passage:
        return next(p for p in CORPUS if p.id == identity).scored(score)

    class Search:
        def find(self, question, facts, k, without=frozenset()):  # type: ignore[no-untyped-def]
            if not facts:
                return [scored("moor", 5.0), scored("lodge", 4.0)]
            good = facts[0].passage == "lodge"
            return [scored("wall", 9.0 if good else 1.0)]

        def matches(self, question, ids):  # type: ignore[no-untyped-def]
            return np.zeros((len(ids), 0), np.float32)

    class Both(Condenser):
        def steps(self, question, facts, passages):  # type: ignore[no-untyped-def]
            yield from ()
            return [fact for passage in passages for fact in facts_of(passage)[:1]]

    found = CondensedRetrieval(Search(), Both(), max_hops=2, k=3)(question="What?")
    assert [passage.id for passage in found.passages] == ["lodge", "wall", "moor"]


def test_passages_that_match_the_same_part_of_the_question_do_not_help_each_other() -> None:
    parts = {"moor": [3.0, 0.0], "taff": [3.0, 0.0], "wall": [0.0, 3.0], "lodge": [0.0, 0.0]}

    class Search:
        def find(self, question, facts, k, without=frozenset()):  # type: ignore[no-untyped-def]
            scores = {"moor": 5.0} if not facts else {"taff": 2.0, "wall": 1.0}
            return [p.scored(scores[p.id]) for p in CORPUS if p.id in scores]

        def matches(self, question, ids):  # type: ignore[no-untyped-def]
            return np.array([parts[identity] for identity in ids], np.float32)

    found = CondensedRetrieval(Search(), First(), k=3)(question="What?")
    assert [passage.id for passage in found.passages] == ["moor", "wall", "taff"]


def test_it_ends_when_nothing_new_is_kept() -> None:
    class Same(Condenser):
        def steps(self, question, facts, passages):  # type: ignore[no-untyped-def]
            yield from ()
            return facts_of(CORPUS[0])[:1]

    found = CondensedRetrieval(FLIPR(MemoryIndex(CORPUS)), Same(), max_hops=9)(question=CHAIN.question)
    assert len(found.hops) == 2
    grows = CondensedRetrieval(FLIPR(MemoryIndex(CORPUS)), First(), max_hops=3)(question=CHAIN.question)
    assert [len(facts) for facts in grows.hops] == [1, 2, 3]


async def test_it_runs_on_a_loop_with_the_same_result() -> None:
    retrieve = CondensedRetrieval(FLIPR(MemoryIndex(CORPUS)), LateInteractionCondenser(ENCODER), k=3)
    there = await retrieve.acall(question=CHAIN.question)
    here = retrieve(question=CHAIN.question)
    assert places(there.facts) == places(here.facts)
    assert [p.id for p in there.passages] == [p.id for p in here.passages]


def test_hops_refuse_what_makes_no_sense() -> None:
    with pytest.raises(InputError, match="max_hops"):
        CondensedRetrieval(FLIPR(MemoryIndex(CORPUS)), First(), max_hops=0)
