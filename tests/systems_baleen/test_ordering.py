from __future__ import annotations

from random import Random

import pytest

from telic.errors import DataError
from telic.retrieval.late_interaction.training.examples import training_examples
from telic.retrieval.passage import Passage
from telic.systems.baleen import FLIPR, GoldQuestion, hop_examples, order_hops
from tests.systems_baleen.world import CHAIN, CORPUS, MemoryIndex


def planted(seed: int, hops: int) -> tuple[list[Passage], GoldQuestion]:
    """A chain in which each passage shares its key with the fact before it only, and passages beside it."""
    draw = Random(seed)
    keys = [f"key{seed}x{n}" for n in range(hops + 1)]
    chain = [
        Passage(f"{seed}-{n}", f"P{seed}n{n} | {keys[n]} {keys[n]}b leads to {keys[n + 1]} {keys[n + 1]}b.")
        for n in range(hops)
    ]
    shuffled = draw.sample(chain, hops)
    return chain, GoldQuestion(f"What follows {keys[0]} {keys[0]}b?", tuple(shuffled), {})


@pytest.mark.parametrize("hops", [2, 3, 4])
def test_planted_orders_are_recovered(hops: int) -> None:
    worlds = [planted(seed, hops) for seed in range(15)]
    index = MemoryIndex([passage for chain, _ in worlds for passage in chain])
    flipr = FLIPR(index, top_facts=None)
    for chain, gold in worlds:
        found = order_hops(gold, flipr, k=len(index.corpus))
        assert [hop.strong.id for hop in found] == [passage.id for passage in chain]
        assert [len(hop.facts) for hop in found] == list(range(hops))
        assert found[0].rank == 1
        assert all(hop.rank is not None for hop in found)


def test_a_question_in_words_is_ordered_by_what_leads_to_what() -> None:
    hops = order_hops(CHAIN, FLIPR(MemoryIndex(CORPUS)), k=5)
    assert [hop.strong.id for hop in hops] == ["lodge", "wall", "burges"]
    assert [passage.id for passage in hops[0].weak] == ["burges", "wall"]
    assert hops[1].facts[0].place == ("lodge", 1)


def test_gold_is_never_a_negative_and_found_passages_are_not_searched_again() -> None:
    gold = {passage.id for passage in CHAIN.passages}
    for number, hop in enumerate(order_hops(CHAIN, FLIPR(MemoryIndex(CORPUS)), k=5)):
        negatives = [passage.id for passage in hop.negatives]
        assert not gold & set(negatives)
        assert len(negatives) == len(set(negatives)) == 2
        assert len(hop.weak) == 2 - number


def test_examples_are_what_training_reads() -> None:
    hops = hop_examples([CHAIN], FLIPR(MemoryIndex(CORPUS)), k=5)
    first, *_ = training_examples([hop.training() for hop in hops])
    assert first.query == CHAIN.question
    assert first.positives == (CORPUS[0].text,)
    both = training_examples([hop.training(weak=True) for hop in hops])
    assert [len(example.positives) for example in both] == [3, 2, 1]
    assert both[1].query.startswith(CHAIN.question)
    assert "the Animal Wall, begins there" in both[1].query


def test_what_is_not_found_comes_last_and_has_no_rank() -> None:
    hops = order_hops(CHAIN, FLIPR(MemoryIndex(CORPUS), pool=1), k=1)
    assert {hop.strong.id for hop in hops} == {"lodge", "wall", "burges"}
    assert all(hop.rank in (1, None) for hop in hops)


def test_other_facts_may_be_chosen() -> None:
    hops = order_hops(CHAIN, FLIPR(MemoryIndex(CORPUS)), k=5, facts=lambda passage: [])
    assert [hop.query for hop in hops] == [CHAIN.question] * 3


def test_a_question_without_gold_is_refused() -> None:
    with pytest.raises(DataError, match="no gold passage"):
        order_hops(GoldQuestion("What?", (), {}), FLIPR(MemoryIndex(CORPUS)))
