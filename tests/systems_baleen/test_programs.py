from __future__ import annotations

import asyncio
from typing import Any

import pytest

import telic
from telic.errors import InputError
from telic.retrieval.lexical.bm25 import BM25
from telic.systems.baleen import FLIPR, Baleen, FusedHops, ProgramCondenser, SimplifiedBaleen, Titles
from tests.scripted import ScriptedLM, chat
from tests.systems_baleen.world import CHAIN, CORPUS, MemoryIndex


def answering(text: str) -> str:
    """Plays a model that knows the little world."""
    if "search_query" in text:
        found = "Animal Wall" in text.partition("question ##")[0]
        return chat(reasoning="Hm.", search_query="Burges London born" if found else "West Lodge")
    if "label" in text:
        return chat(label="SUPPORTED" if "London" in text else "NOT_SUPPORTED")
    return chat(reasoning="So.", answer="London" if "born in London" in text else "unknown")


def test_baleen_answers_from_the_facts() -> None:
    index = MemoryIndex(CORPUS)
    search = FusedHops(FLIPR(index), BM25(CORPUS), titles=Titles(CORPUS))
    program = Baleen(search, max_hops=3, k=4)
    lm = ScriptedLM(answering)
    with telic.context(lm=lm):
        found = program(question=CHAIN.question)
    assert found.answer == "London"
    assert ("burges", 0) in {fact.place for fact in found.facts}
    assert {"lodge", "wall", "burges"} <= {passage.id for passage in found.passages}
    assert found.context == [str(fact) for fact in found.facts]
    assert len(lm.asked) == 1
    assert [name for name, _ in program.named_predictors()] == ["reader"]


def test_baleen_verifies_claims() -> None:
    program = Baleen(FLIPR(MemoryIndex(CORPUS)), task="verify", max_hops=1)
    with telic.context(lm=ScriptedLM(answering)):
        assert program(claim="Burges was born in London.").label == "SUPPORTED"
        with pytest.raises(InputError, match="needs a claim"):
            program(question="Where?")


def test_baleen_is_made_over_an_index_and_can_do_without_a_reader() -> None:
    program = Baleen(MemoryIndex(CORPUS), reader=None)
    found = program(question=CHAIN.question)
    assert found.facts
    assert program.named_predictors() == []


async def test_baleen_on_a_loop() -> None:
    program = Baleen(MemoryIndex(CORPUS), max_hops=2)
    with telic.context(lm=ScriptedLM(answering)):
        both = await asyncio.gather(*(program.acall(question=CHAIN.question) for _ in range(2)))
        assert program.async_capable()
    assert both[0].context == both[1].context == program.retrieve(question=CHAIN.question).context


def test_baleen_refuses_what_makes_no_sense() -> None:
    with pytest.raises(InputError, match="task"):
        Baleen(MemoryIndex(CORPUS), task="sing")  # type: ignore[arg-type]

    class Other:
        def find(self, *_: Any) -> list[Any]:
            return []

    with pytest.raises(InputError, match="condenser"):
        Baleen(Other())


def test_an_optimizer_teaches_the_reader_and_shares_the_index() -> None:
    index = MemoryIndex(CORPUS)
    program = Baleen(index, max_hops=3, k=4)
    trainset = [telic.Example(question=CHAIN.question, answer="London").with_inputs("question")]
    with telic.context(lm=ScriptedLM(answering)):
        compiled = telic.BootstrapFewShot(metric=telic.evaluate.answer_exact_match).compile(
            program, trainset=trainset
        )
    assert len(compiled.reader.demos) == 1
    assert compiled.retrieve.search.index is index
    again = Baleen(index, max_hops=3, k=4)
    again.load_state(compiled.dump_state())
    assert again.reader.demos[0]["answer"] == "London"


def test_a_condenser_that_is_a_program_is_part_of_what_is_compiled() -> None:
    program = Baleen(MemoryIndex(CORPUS), ProgramCondenser())
    assert [name for name, _ in program.named_predictors()] == ["retrieve.condenser.program", "reader"]


def test_a_model_writes_the_queries_of_the_simplified_form() -> None:
    program = SimplifiedBaleen(passages_per_hop=2, max_hops=2, retriever=BM25(CORPUS))
    lm = ScriptedLM(answering)
    with telic.context(lm=lm):
        found = program(question=CHAIN.question)
    assert found.answer == "London"
    assert found.queries == ["West Lodge", "Burges London born"]
    assert len(found.context) == len(set(found.context))
    assert found.context[0].startswith("West Lodge")
    assert [name for name, _ in program.named_predictors()] == [
        "generate_query[0].predict",
        "generate_query[1].predict",
        "generate_answer.predict",
    ]
    assert len(lm.asked) == 3


async def test_the_simplified_form_uses_the_retriever_of_the_settings_on_a_loop_too() -> None:
    program = SimplifiedBaleen(passages_per_hop=2, predictor=telic.Predict)
    with telic.context(lm=ScriptedLM(answering), rm=BM25(CORPUS)):
        there = await program.acall(question=CHAIN.question)
        here = program(question=CHAIN.question)
    assert there.context == here.context
    assert there.answer == here.answer == "London"


def test_an_empty_query_searches_for_the_question() -> None:
    program = SimplifiedBaleen(max_hops=1, retriever=BM25(CORPUS), predictor=telic.Predict)
    lm = ScriptedLM([chat(search_query=" "), chat(answer="x")])
    with telic.context(lm=lm):
        assert program(question="parrots").queries == ["parrots"]


def test_the_simplified_form_is_compiled_hop_by_hop() -> None:
    program = SimplifiedBaleen(passages_per_hop=2, retriever=BM25(CORPUS))
    trainset = [telic.Example(question=CHAIN.question, answer="London").with_inputs("question")]
    with telic.context(lm=ScriptedLM(answering)):
        compiled = telic.BootstrapFewShot(metric=telic.evaluate.answer_exact_match).compile(
            program, trainset=trainset
        )
    demos = {name: predictor.demos for name, predictor in compiled.named_predictors()}
    assert [len(shown) for shown in demos.values()] == [1, 1, 1]
    assert demos["generate_query[1].predict"][0]["search_query"] == "Burges London born"
    assert compiled._retriever.of is program._retriever.of


def test_the_simplified_form_refuses_what_makes_no_sense() -> None:
    with pytest.raises(InputError, match="max_hops"):
        SimplifiedBaleen(max_hops=0)


def test_names_load_at_first_use() -> None:
    import telic.systems.baleen as baleen

    assert {"Baleen", "FLIPR", "SimplifiedBaleen"} <= set(dir(baleen))
