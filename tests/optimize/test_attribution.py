"""Which demo earns its place: a scripted LM in which every demo has a known effect."""

from __future__ import annotations

from typing import Any

import pytest

import telic
from telic.errors import CompileError, DataError
from telic.optimize import attribute
from telic.optimize.attribution import LeaveOneOut
from telic.testing import check_resume
from tests.optimize.planted import Colour, exact, rows
from tests.scripted import RecordedLM, chat


def poisoned_lm() -> RecordedLM:
    """Knows red by itself, green and blue from a demo, and forgets green once `gold-3` is shown."""
    lm: RecordedLM

    def reply(text: str) -> str:
        shown = "".join(str(message["content"]) for message in lm.asked[-1][1:-1])
        label = text.rsplit("[[ ## word ## ]]", 1)[-1].split()[0].partition("-")[0]
        known = label == "red" or (f"{label}-" in shown and not (label == "green" and "gold-3" in shown))
        return chat(colour=label if known else "red")

    lm = RecordedLM(reply)
    return lm


def shown_program(*words: int) -> Any:
    program = telic.Predict(Colour)
    program.demos = [rows(1, word)[0] for word in words]
    return program


def test_it_tells_what_helps_what_hurts_and_what_does_nothing() -> None:
    lm = poisoned_lm()
    with telic.context(lm=lm):
        # red-0 is not needed, blue-2 carries a quarter; gold-3 carries one and spoils another.
        found = attribute(shown_program(0, 2, 3), exact, rows(80, 100))
    effects = {effect.demo["word"]: effect for effect in found.effects}
    for word in ("blue-2", "gold-3"):
        assert effects[word].verdict == "earns its place"
        assert effects[word].comparison.interval.low < 25.0 < effects[word].comparison.interval.high
    assert (effects["red-0"].points, effects["red-0"].verdict) == (0.0, "no difference shown")
    assert found.effects[-1].demo["word"] == "red-0"
    assert found.score == pytest.approx(75.0, abs=6)  # it stopped when it knew
    # Raced: nothing is run to the end once it is known.
    assert len(lm.asked) < 4 * 80


def test_what_hurts_can_be_left_out() -> None:
    gold_free = [row for row in rows(100, 100) if row.colour != "gold"]
    with telic.context(lm=poisoned_lm()):
        program = shown_program(1, 2, 3)
        found = attribute(program, exact, gold_free, racing=False)
        better = found.without_harmful(program)
    (harmful,) = found.harmful
    assert harmful.demo["word"] == "gold-3"
    assert harmful.points == pytest.approx(-33.33, abs=0.01)
    assert harmful.comparison.interval.high < 0
    assert [demo.word for demo in better.demos] == ["green-1", "blue-2"]
    assert len(program.demos) == 3
    assert "hurts" in str(found)
    assert found.to_json()["effects"][-1]["verdict"] == "hurts"


def test_examples_that_are_demos_are_left_out_and_a_budget_is_kept() -> None:
    lm = poisoned_lm()
    with telic.context(lm=lm, num_threads=1):
        found = attribute(shown_program(0, 1), exact, rows(30), budget=40)
    assert len(lm.asked) == 40
    assert "2 examples that are demos themselves" in found.notes[0] or "budget" in " ".join(found.notes)
    assert all("red-0" not in str(messages[-1]["content"]) for messages in lm.asked)


def test_bad_input_is_named() -> None:
    with pytest.raises(CompileError, match="no demos"):
        attribute(telic.Predict(Colour), exact, rows(4))
    with pytest.raises(DataError, match="also a demo"):
        attribute(shown_program(0), exact, rows(1))


def test_it_goes_on_after_a_death() -> None:
    with telic.context(lm=poisoned_lm()):
        check = check_resume(lambda: LeaveOneOut(exact), shown_program(1, 2), trainset=rows(16, 100), most=12)
    assert check.calls == 3 * 16
