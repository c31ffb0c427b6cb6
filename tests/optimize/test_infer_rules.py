"""InferRules: the set with the planted rule is found; its parts by hand; resume, seeds, budgets."""

from __future__ import annotations

from typing import Any

import pytest

import telic
from telic._json import stable_hash
from telic.errors import CompileError, DataError, MetricError
from telic.testing import check_deterministic, check_resume
from tests.optimize.planted_instructions import GOOD, Colour, PlantedLM, exact, rows
from tests.scripted import chat


class RulesLM(PlantedLM):
    """Finds the planted rule in one of three sets of examples, and a useless one in the others."""

    def proposal(self, wanted: str, last: str) -> str:
        good = int(stable_hash(last), 16) % 3 == 0
        lines = [GOOD if good else "Colours are nice.", "Say one word.", "Do not ask back."]
        return chat(rules="\n".join(lines))


def compiled_by(lm: PlantedLM, **settings: Any) -> Any:
    with telic.context(lm=lm):
        optimizer = telic.InferRules(metric=exact, **{"num_candidates": 8, **settings})
        return optimizer.compile(telic.Predict(Colour), trainset=rows(40), valset=rows(40, 1000))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_planted_rule_is_found_within_300_calls(seed: int) -> None:
    lm = RulesLM()
    compiled = compiled_by(lm, seed=seed)
    assert compiled.candidate_programs[0]["score"] == 100.0
    assert GOOD in compiled.signature.instructions
    assert compiled.signature.instructions.startswith(Colour.instructions)
    assert len(lm.asked) + len(lm.proposals) <= 300
    assert len({demo.colour for demo in compiled.demos}) >= 3


def test_rules_are_as_many_as_asked_for() -> None:
    compiled = compiled_by(RulesLM(), num_rules=2, num_candidates=12)
    assert "Say one word." in compiled.signature.instructions
    assert "Do not ask back." not in compiled.signature.instructions


def test_each_set_is_read_off_other_examples_in_another_order() -> None:
    lm = RulesLM()
    compiled_by(lm)
    assert len(lm.proposals) == len(set(lm.proposals)) == 8
    assert all("word: red-0 | colour: red" in text for text in lm.proposals)


def test_a_model_that_finds_no_rules_leaves_the_demos_and_notes() -> None:
    compiled = compiled_by(RulesLM(readable=False), num_candidates=2)
    assert compiled.signature.instructions == Colour.instructions
    assert compiled.report.ranking[0].label == "demos without rules"
    assert "has no rules" in " ".join(compiled.report.notes)


def test_steps_without_labels_are_known_by_the_teachers_runs() -> None:
    class Two(telic.Module):
        def __init__(self) -> None:
            self.first = telic.Predict("text -> colour")
            self.second = telic.Predict(Colour)

        def forward(self, word: str) -> Any:
            return self.second(word=f"{self.first(text=word).colour}-{word.partition('-')[2]}")

    lm = RulesLM()
    with telic.context(lm=lm):
        telic.InferRules(metric=exact, num_candidates=1).compile(
            Two(), trainset=rows(12), valset=rows(8, 100)
        )
    first, second = sorted(lm.proposals, key=lambda text: "text: " not in text)
    assert "text: " in first
    assert "word: " in second


def test_without_a_valset_the_trainset_is_halved() -> None:
    with telic.context(lm=RulesLM()):
        compiled = telic.InferRules(metric=exact, num_candidates=1).compile(
            telic.Predict(Colour), trainset=rows(20)
        )
    assert compiled.provenance["data"] == {"train": {"examples": 10}, "validation": {"examples": 10}}


def test_its_parts_work_by_hand() -> None:
    optimizer = telic.InferRules(2, 2, metric=exact)
    predictor = telic.ChainOfThought(Colour).predict
    assert optimizer.get_predictor_demos(rows(1), predictor) == [{"word": "red-0", "colour": "red"}]
    shown = optimizer.format_examples([{"word": "red-0", "colour": "red", "other": 1}], predictor.signature)
    assert shown == "word: red-0 | colour: red"
    lm = RulesLM()
    with telic.context(lm=lm):
        rules = optimizer.induce_natural_language_rules(predictor, rows(4))
        assert rules.splitlines()[1] == "Say one word."
        plain = telic.Predict(Colour)
        before = optimizer.evaluate_program(plain, rows(40))
        optimizer.update_program_instructions(plain, GOOD)
        assert optimizer.evaluate_program(plain, rows(40)) > before
    with pytest.raises(DataError, match="word"):
        optimizer.induce_natural_language_rules(predictor, [telic.Example(a=1).with_inputs("a")])


def test_a_killed_compile_goes_on_to_the_same_result_without_paying_twice() -> None:
    with telic.context(lm=RulesLM()):
        check = check_resume(
            lambda: telic.InferRules(metric=exact, num_candidates=2),
            telic.Predict(Colour),
            trainset=rows(10),
            valset=rows(16, 100),
            most=16,
        )
    assert {"proposed", "scored", "replied", "told", "finished"} <= set(check.kinds)


def searched() -> Any:
    return compiled_by(RulesLM(), num_candidates=2)


def test_equal_seeds_give_equal_candidates_in_every_process() -> None:
    assert "rules 1" in check_deterministic(searched)


def test_a_budget_ends_the_run_with_the_best_so_far() -> None:
    lm = RulesLM()
    with telic.budget(calls=90):
        compiled = compiled_by(lm)
    assert len(lm.asked) + len(lm.proposals) == 90
    assert "90" in compiled.report.stopped


@pytest.mark.parametrize(
    ("settings", "trainset", "error", "said"),
    [
        ({"num_candidates": 0}, rows(4), CompileError, "at least 1"),
        ({"metric": None}, rows(4), MetricError, "no metric"),
        ({}, rows(1), DataError, "at least 2"),
        ({}, [], DataError, "trainset is empty"),
    ],
)
def test_what_cannot_work_is_said_before_anything_is_paid(
    settings: Any, trainset: Any, error: type[Exception], said: str
) -> None:
    with telic.context(lm=RulesLM()), pytest.raises(error, match=said):
        telic.InferRules(**{"metric": exact, **settings}).compile(telic.Predict(Colour), trainset=trainset)
