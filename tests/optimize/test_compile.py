"""`telic.compile` on planted problems: what it finds, within what budget, and what it says of it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

import telic
from telic.errors import CompileError, DataError, InputError, MetricError
from telic.evaluate.runner import run_examples
from telic.optimize import Auto
from telic.testing import check_deterministic, check_resume
from tests.optimize.planted import LABELS, Colour, exact, planted_lm, rows
from tests.optimize.skewed import SkewedLM
from tests.scripted import RecordedLM, ScriptedLM, chat


def score(program: Any, examples: list[Any]) -> float:
    outcomes = run_examples(program, examples, exact)
    return sum(o.score or 0 for o in outcomes) / len(outcomes)


def said(compiled: Any, words: str) -> bool:
    return any(words in note for note in compiled.report.notes)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_it_finds_adapter_number_and_balance_of_demos_within_the_budget(seed: int) -> None:
    lm = SkewedLM()
    with telic.context(lm=lm):
        student = telic.Predict(Colour)
        compiled = telic.compile(student, exact, rows(60), rows(50, 200), budget=560, seed=seed)
        assert len(lm.asked) <= 560
        assert score(student, rows(100, 1000)) < 0.4
        assert score(compiled, rows(100, 1000)) > 0.85
    assert compiled.adapter == "completion"
    shown = Counter(demo.colour for demo in compiled.demos)
    assert set(shown) == set(LABELS)
    assert min(shown.values()) >= 4
    assert compiled.report.comparison.significant
    assert compiled.report.comparison.n == 50
    assert all(said(compiled, words) for words in ("4 classes", "Screened", "against"))
    assert set(lm.forms) == {"plain", "json", "chat"}


@pytest.mark.parametrize("budget", [5, 30, 100, {"tokens": 20_000}, {"calls": 200, "seconds": 60}])
def test_a_small_budget_is_kept_and_leaves_enough_to_confirm(budget: Any) -> None:
    lm = SkewedLM()
    with telic.context(lm=lm, num_threads=8):
        compiled = telic.compile(telic.Predict(Colour), exact, rows(40), rows(40, 200), budget=budget)
    # The scripted model takes ten tokens a call.
    calls = budget if isinstance(budget, int) else budget.get("calls", budget.get("tokens", 0) // 10)
    assert len(lm.asked) <= calls
    if calls > 5:
        assert compiled.report.stopped is None
        assert said(compiled, "The program is as it was") or said(compiled, "against")


def test_the_caps_of_an_enclosing_block_are_planned_with() -> None:
    lm = SkewedLM()
    with telic.context(lm=lm), telic.budget(calls=150):
        compiled = telic.compile(telic.Predict(Colour), exact, rows(40), rows(40, 200))
    assert len(lm.asked) <= 150
    assert compiled.report.stopped is None
    assert said(compiled, "The budget allows for about 1")


def test_without_a_valset_examples_are_kept_back() -> None:
    with telic.context(lm=SkewedLM()):
        compiled = telic.compile(telic.Predict(Colour), exact, rows(80), budget=300)
    assert said(compiled, "40 of 80")
    assert compiled.provenance["data"] == {"train": {"examples": 40}, "validation": {"examples": 40}}


def test_an_adapter_that_was_set_is_kept_and_one_that_is_asked_for_is_taken() -> None:
    lm = SkewedLM()
    with telic.context(lm=lm, adapter=telic.JSONAdapter()):
        telic.compile(telic.Predict(Colour), exact, rows(40), rows(30, 200), budget=150)
        assert set(lm.forms) == {"json"}
    lm = SkewedLM()
    with telic.context(lm=lm):
        compiled = telic.compile(
            telic.Predict(Colour), exact, rows(40), rows(30, 200), budget=150, adapters=["json"]
        )
    assert compiled.adapter == "json"


def test_where_nothing_is_better_the_program_stays_as_it_was() -> None:
    with telic.context(lm=ScriptedLM(lambda text: chat(colour="red"))):
        student = telic.Predict(Colour)
        compiled = telic.compile(student, exact, rows(30), rows(30, 100), budget=200)
    assert compiled.demos == []
    assert said(compiled, "The program is as it was")


class Steps(telic.Module):
    """Reasons before it answers; the data has no reasoning."""

    def __init__(self) -> None:
        self.think = telic.ChainOfThought(Colour)

    def forward(self, word: str) -> Any:
        return self.think(word=word)


def thinking_lm() -> RecordedLM:
    """Answers right where a demo reasons, else only what it can by itself: red and green."""
    lm: RecordedLM

    def reply(text: str) -> str:
        word = text.rsplit("[[ ## word ## ]]", 1)[-1].split()[0]
        label = word.partition("-")[0]
        able = label in ("red", "green") or any(
            "so I thought" in str(message["content"]) for message in lm.asked[-1][:-1]
        )
        return chat(reasoning="so I thought", colour=label if able else "red")

    lm = RecordedLM(reply)
    return lm


def test_demos_are_bootstrapped_where_the_data_lacks_a_step() -> None:
    with telic.context(lm=thinking_lm()):
        compiled = telic.compile(Steps(), exact, rows(40), rows(40, 200), budget=500, adapters=["chat"])
        assert score(compiled, rows(40, 1000)) == 1.0
    assert all(demo.augmented for demo in compiled.think.predict.demos)
    assert all(said(compiled, words) for words in ("were good enough", "bootstrapped demos the best is"))


def test_instructions_are_proposed_by_a_model_that_is_given_for_it() -> None:
    def reply(text: str) -> str:
        if "[[ ## tip ## ]]" in text:
            return chat(instruction="Say the word before the dash.")
        told = "before the dash" in str(lm.asked[-1][0]["content"])
        label = text.rsplit("[[ ## word ## ]]", 1)[-1].split()[0].partition("-")[0]
        return chat(colour=label if told else "red")

    lm = RecordedLM(reply)
    with telic.context(lm=lm):
        compiled = telic.compile(
            telic.Predict(Colour), exact, rows(30), rows(30, 200), budget=600, adapters=["chat"]
        )
        assert score(compiled, rows(20, 1000)) == 1.0
    assert compiled.signature.instructions == "Say the word before the dash."
    assert said(compiled, "one was better")


def test_demos_that_hurt_are_dropped_on_request() -> None:
    def reply(text: str) -> str:
        shown = "".join(str(message["content"]) for message in lm.asked[-1][:-1])
        label = text.rsplit("[[ ## word ## ]]", 1)[-1].split()[0].partition("-")[0]
        known = len({name for name in LABELS if f"{name}-" in shown})
        poisoned = "red-0" in shown and label in ("green", "blue")
        return chat(colour=label if known == 4 and not poisoned else "red")

    lm = RecordedLM(reply)
    with telic.context(lm=lm):
        compiled = telic.compile(
            telic.Predict(Colour), exact, rows(8), rows(48, 200), budget=1500, adapters=["chat"],
            attribute=True,
        )  # fmt: skip
        assert score(compiled, rows(20, 1000)) == 1.0
    assert "red-0" not in {demo.word for demo in compiled.demos}


def test_a_killed_search_goes_on_to_the_same_result_without_paying_twice() -> None:
    with telic.context(lm=SkewedLM()):
        check = check_resume(
            lambda: Auto(exact, budget=120),
            telic.Predict(Colour),
            trainset=rows(16),
            valset=rows(14, 100),
            most=10,
        )
    assert {"started", "replied", "proposed", "scored", "told", "finished"} <= set(check.kinds)


def searched() -> Any:
    with telic.context(lm=SkewedLM()):
        return telic.compile(telic.Predict(Colour), exact, rows(30), rows(24, 100), budget=250)


def test_equal_seeds_give_equal_candidates_in_every_process() -> None:
    assert "completion adapter" in check_deterministic(searched)


def test_bad_input_is_named_before_anything_is_paid() -> None:
    lm = planted_lm()
    with telic.context(lm=lm):
        with pytest.raises(InputError, match="budget="):
            telic.compile(telic.Predict(Colour), exact, rows(4), budget="much")
        with pytest.raises(InputError, match="budget="):
            telic.compile(telic.Predict(Colour), exact, rows(4), budget={"euros": 3})
        with pytest.raises(MetricError):
            telic.compile(telic.Predict(Colour), lambda a: 1, rows(4))
        with pytest.raises(DataError, match="trainset is empty"):
            telic.compile(telic.Predict(Colour), exact, [])
        with pytest.raises(CompileError, match="no predictors"):
            telic.compile(telic.Module(), exact, rows(4))
        with pytest.raises(telic.AdapterError, match="no adapter 'yaml'"):
            telic.compile(telic.Predict(Colour), exact, rows(4), adapters=["yaml"])
    assert lm.asked == []
