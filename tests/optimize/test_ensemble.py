"""`Ensemble` and `KNNFewShot`: programs made of programs, and demos made for each call."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import telic
from telic.errors import CompileError, DataError
from telic.optimize.ensemble import EnsembledProgram
from tests.optimize.planted import LABELS, Colour, exact, planted_lm, rows
from tests.scripted import RecordedLM, ScriptedLM, chat


class Says(telic.Module):
    def __init__(self, answer: str) -> None:
        self.answer = answer

    def forward(self, word: str) -> Any:
        return telic.Prediction(colour=self.answer)


def test_an_ensemble_votes() -> None:
    program = telic.Ensemble(reduce_fn=telic.majority).compile([Says("red"), Says("blue"), Says("blue")])
    assert program(word="x").colour == "blue"
    assert asyncio.run(program.acall(word="x")).colour == "blue"
    answers = telic.Ensemble().compile([Says("red"), Says("blue")])(word="x")
    assert [answer.colour for answer in answers] == ["red", "blue"]


def test_an_ensemble_of_some_is_drawn_anew_or_by_the_inputs() -> None:
    programs = [Says(str(number)) for number in range(20)]

    def asked(program: EnsembledProgram, word: str) -> tuple[str, ...]:
        return tuple(answer.colour for answer in program(word=word))

    drawn = telic.Ensemble(size=3).compile(programs)
    assert len({asked(drawn, "x") for _ in range(20)}) > 1
    fixed = telic.Ensemble(size=3, deterministic=True).compile(programs)
    assert len({asked(fixed, "x") for _ in range(20)}) == 1
    assert len({asked(fixed, str(n)) for n in range(20)}) > 5
    assert all(len(set(asked(drawn, "x"))) == 3 for _ in range(5))


def test_candidates_of_a_compile_can_be_made_an_ensemble() -> None:
    with telic.context(lm=planted_lm()):
        compiled = telic.BootstrapRS(metric=exact, num_candidate_programs=1, max_labeled_demos=8).compile(
            telic.Predict(Colour), trainset=rows(20), valset=rows(12, 100)
        )
        program = telic.Ensemble(reduce_fn=telic.majority, size=3).compile(compiled.candidate_programs[:3])
        assert program(word="blue-77").colour in LABELS


def test_an_ensemble_needs_enough_programs() -> None:
    with pytest.raises(CompileError, match="2 programs are needed, there are 1"):
        telic.Ensemble(size=2).compile([Says("red")])
    with pytest.raises(CompileError, match="1 programs are needed"):
        telic.Ensemble().compile([])
    with pytest.raises(CompileError, match="at least one"):
        telic.Ensemble(size=0)


def by_label(texts: list[str]) -> list[list[float]]:
    return [[float(label in text) for label in LABELS] for text in texts]


def test_each_call_is_shown_what_the_teacher_made_of_its_neighbours() -> None:
    def reply(text: str) -> str:
        shown = [str(m["content"]) for m in lm.asked[-1] if m["role"] == "assistant"]
        label = text.rsplit("[[ ## word ## ]]", 1)[-1].split()[0].partition("-")[0]
        return chat(colour=label if any(label in one for one in shown) else "red")

    lm = RecordedLM(reply)
    with telic.context(lm=lm):
        optimizer = telic.KNNFewShot(3, rows(40), by_label, metric=exact, max_bootstrapped_demos=2)
        student = telic.Predict(Colour)
        student.demos = rows(1)
        compiled = optimizer.compile(student)
        assert lm.asked == []
        assert [compiled(word=f"{label}-900").colour for label in LABELS] == list(LABELS)
        last = lm.asked[-1]
        assert sum("gold-" in str(message["content"]) for message in last if message["role"] == "user") == 4
        before = len(lm.asked)
        assert asyncio.run(compiled.acall(word="gold-901")).colour == "gold"
        assert len(lm.asked) == before + 1, "the neighbours' answers are in the record"
    assert [path for path, _ in compiled.named_predictors()] == ["program"]
    assert len(student.demos) == 1


def test_neighbours_can_be_answered_by_a_teacher() -> None:
    lm, teacher_lm = ScriptedLM(lambda text: chat(colour="red")), ScriptedLM(lambda text: chat(colour="gold"))
    with telic.context(lm=lm):
        optimizer = telic.KNNFewShot(
            2, rows(8), by_label, teacher_settings={"lm": teacher_lm}, max_labeled_demos=0
        )
        compiled = optimizer.compile(telic.Predict(Colour), teacher=telic.Predict(Colour))
        assert compiled(word="blue-9").colour == "red"
    assert len(teacher_lm.asked) == 2
    assert len(lm.asked) == 1
    assert "gold" in str(lm.asked[0])


def test_bad_input_of_neighbours_is_named() -> None:
    with pytest.raises(CompileError, match="BootstrapFewShot"):
        telic.KNNFewShot(2, rows(4), by_label, max_demos=3)
    with pytest.raises(DataError, match="at least one example"):
        telic.KNNFewShot(2, [], by_label)
    with pytest.raises(CompileError, match="no predictors"):
        telic.KNNFewShot(2, rows(4), by_label).compile(Says("red"))
