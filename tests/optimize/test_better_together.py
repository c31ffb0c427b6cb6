"""`BetterTogether`: optimizers in turn, evaluated after each step."""

from __future__ import annotations

from typing import Any

import pytest

import telic
from telic.errors import CompileError
from telic.testing import check_resume
from tests.optimize.planted import Colour, exact, planted_lm, rows


class Writer:
    """An optimizer of a user's own: adds a word to the instructions, and notes what it was given."""

    def __init__(self, word: str, fails: bool = False) -> None:
        self.word = word
        self.fails = fails
        self.seen: list[dict[str, Any]] = []

    def compile(self, student: Any, *, trainset: Any, valset: Any = None, extra: int = 0) -> Any:
        self.seen.append({"words": [row.word for row in trainset], "valset": valset, "extra": extra})
        if self.fails:
            raise ValueError("boom")
        made = student.deepcopy()
        made.signature = made.signature.with_instructions(f"{made.signature.instructions} {self.word}")
        return made


def chained(strategy: str, *, trainset: Any = None, **args: Any) -> tuple[Any, dict[str, Writer]]:
    writers = {"p": Writer("prompt"), "w": Writer("weights"), "bad": Writer("", fails=True)}
    with telic.context(lm=planted_lm()):
        optimizer = telic.BetterTogether(exact, **writers)
        compiled = optimizer.compile(
            telic.Predict(Colour), trainset=trainset or rows(20), strategy=strategy, **args
        )
    return compiled, writers


def test_each_step_goes_on_from_the_one_before() -> None:
    compiled, writers = chained("p -> w -> p")
    texts = {row["strategy"]: row["program"].signature.instructions for row in compiled.candidate_programs}
    assert list(texts) == ["", "p", "p -> w", "p -> w -> p"]
    assert texts["p -> w -> p"].endswith("word. prompt weights prompt")
    # All score the same, so the program as it was stays.
    assert compiled.signature.instructions == Colour.instructions
    assert compiled.flag_compilation_error_occurred is False
    first, second = writers["p"].seen
    assert (len(first["words"]), len(first["valset"])) == (18, 2)
    assert sorted(first["words"]) == sorted(second["words"])
    assert first["words"] != second["words"]


def test_the_best_step_is_returned() -> None:
    with telic.context(lm=planted_lm()):
        optimizer = telic.BetterTogether(exact, p=telic.LabeledFewShot(k=8), w=Writer("more"))
        compiled = optimizer.compile(
            telic.Predict(Colour), trainset=rows(20), valset=rows(20, 100), strategy="w -> p -> w"
        )
    best = compiled.candidate_programs[0]
    assert (best["score"], best["strategy"]) == (100.0, "w -> p")
    assert len(compiled.demos) == 8
    assert compiled.report.comparison.score_a == 25.0


def test_without_a_valset_the_last_program_is_returned() -> None:
    compiled, writers = chained("p->w", valset_ratio=0, shuffle_trainset_between_steps=False)
    assert compiled.signature.instructions.endswith("prompt weights")
    assert [row["score"] for row in compiled.candidate_programs] == [None] * 3
    assert writers["p"].seen[0] == {"words": [row.word for row in rows(20)], "valset": None, "extra": 0}


def test_a_step_that_fails_ends_the_chain_with_what_there_is() -> None:
    compiled, writers = chained("p -> bad -> w")
    assert compiled.flag_compilation_error_occurred is True
    assert [row["strategy"] for row in compiled.candidate_programs] == ["", "p"]
    assert "Step 2 (bad) failed" in compiled.report.notes[-1]
    assert "boom" in compiled.report.notes[-1]
    assert writers["w"].seen == []


def test_steps_take_arguments_of_their_own() -> None:
    _, writers = chained("p", optimizer_compile_args={"p": {"extra": 7}})
    assert writers["p"].seen[0]["extra"] == 7
    for args, words in [({"p": {"more": 1}}, "more"), ({"q": {}}, "q"), ({"p": {"student": 1}}, "student")]:
        with pytest.raises(CompileError, match=words):
            chained("p", optimizer_compile_args=args)


def test_a_missing_step_of_weights_is_named_before_anything_is_paid() -> None:
    lm = planted_lm()
    with telic.context(lm=lm), pytest.raises(CompileError, match="no optimizer of weights"):
        telic.BetterTogether(exact, p=Writer("prompt")).compile(telic.Predict(Colour), trainset=rows(20))
    with pytest.raises(CompileError, match=r"names \['x'\]"):
        chained("p -> x")
    with pytest.raises(CompileError, match="names"):
        chained("")
    with pytest.raises(CompileError, match="has a method compile"):
        telic.BetterTogether(exact, p=3)
    assert lm.asked == []


def test_a_chain_is_resumed_within_its_steps() -> None:
    def maker() -> Any:
        inner = telic.BootstrapRS(metric=exact, num_candidate_programs=1, max_labeled_demos=4)
        return telic.BetterTogether(exact, p=inner, l=telic.LabeledFewShot(k=4))

    with telic.context(lm=planted_lm()):
        check = check_resume(
            maker, telic.Predict(Colour), trainset=rows(12), valset=rows(8, 100), strategy="l -> p", most=16
        )
    assert check.kinds["finished"] >= 3
    assert check.calls > 16
