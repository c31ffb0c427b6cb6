"""COPRO: a planted ascent is climbed to its top; prefixes where they are shown; resume, seeds, budgets."""

from __future__ import annotations

import re
from typing import Any

import pytest

import telic
from telic.adapters.completion import CompletionAdapter
from telic.errors import CompileError, MetricError
from telic.optimize.copro.wording import Wording, shows_prefixes, with_wording, wording_in, wording_of
from telic.program.state import ProgramState
from telic.testing import check_deterministic, check_resume
from tests.optimize.planted_instructions import Colour, PlantedLM, exact, rows
from tests.scripted import chat

LEVEL = re.compile(r"Level (\d)")


class LadderLM(PlantedLM):
    """Each level of instruction is worth 20 %; the next is written only by who is told of the one before."""

    def skill(self, messages: Any) -> float:
        return 20 + 20 * max([int(n) for n in LEVEL.findall(messages[0]["content"])], default=0)

    def proposal(self, wanted: str, last: str) -> str:
        known = [int(n) for n in LEVEL.findall(last)]
        return chat(instruction=f"Level {max(known, default=0) + 1}: name the colour.")


class Two(telic.Module):
    def __init__(self) -> None:
        self.first = telic.Predict(Colour)
        self.second = telic.Predict(Colour)

    def forward(self, word: str) -> Any:
        # A step for each half of the colours.
        return (self.first if word[0] in "rg" else self.second)(word=word)


def compiled_by(lm: PlantedLM, student: Any = None, **settings: Any) -> Any:
    with telic.context(lm=lm):
        optimizer = telic.COPRO(metric=exact, **settings)
        return optimizer.compile(student or telic.Predict(Colour), trainset=rows(40), eval_kwargs={})


@pytest.mark.parametrize("racing", [True, False])
def test_the_ascent_is_climbed_within_240_calls(racing: bool) -> None:
    lm = LadderLM()
    compiled = compiled_by(lm, breadth=3, depth=4, racing=racing)
    assert compiled.signature.instructions == "Level 4: name the colour."
    assert compiled.candidate_programs[0]["score"] == 100.0
    assert len(lm.asked) + len(lm.proposals) <= 240
    assert compiled.report.comparison.significant


def test_every_predictor_of_a_program_is_improved() -> None:
    compiled = compiled_by(LadderLM(), Two(), breadth=2, depth=4)
    assert compiled.first.signature.instructions == "Level 4: name the colour."
    assert compiled.second.signature.instructions == "Level 4: name the colour."


def test_proposals_are_told_what_was_tried_the_best_last() -> None:
    lm = LadderLM()
    compiled_by(lm, breadth=2, depth=3)
    last = lm.proposals[-1]
    assert "[[ ## current_instruction ## ]]\nLevel 2: name the colour." in last
    scores = [float(n) for n in re.findall(r"Score ([\d.]+):", last)]
    assert scores == sorted(scores)
    assert len(scores) == 3
    assert "[[ ## earlier ## ]]" not in lm.proposals[0]


def test_statistics_are_kept_by_predictor_and_round() -> None:
    compiled = compiled_by(LadderLM(), breadth=2, depth=2, track_stats=True, racing=False)
    best = compiled.results_best["self"]
    assert best["depth"] == [0, 1]
    assert best["max"][1] > best["max"][0] > best["min"][0]
    assert len(compiled.results_latest["self"]["average"]) == 2
    assert compiled.total_calls == 3
    assert not hasattr(compiled_by(LadderLM(), breadth=2, depth=1), "results_best")


def test_prefixes_are_proposed_where_they_are_shown() -> None:
    predictor = telic.Predict("word -> colour")
    with telic.context(lm=PlantedLM(), adapter=telic.ChatAdapter()):
        assert not shows_prefixes(predictor)
    with telic.context(lm=PlantedLM(), adapter=CompletionAdapter()):
        assert shows_prefixes(predictor)
        state = with_wording(ProgramState.of(predictor), "self", Wording("Name it.", "The colour is"))
        assert wording_of(state, "self") == Wording("Name it.", "The colour is")
        request = state.apply(predictor).request_for(word="red-1")
    assert "The colour is" in str(request.prompt or request.messages)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"instruction": ' "Do it." ', "prefix": "So:"}, Wording("Do it.", "So:")),
        ({"instruction": "Instruction: Do it."}, Wording("Do it.", "old")),
        ({"instruction": "```text\nDo it.\n```", "prefix": "x" * 99}, Wording("Do it.", "old")),
        ({"instruction": "  "}, None),
        (None, None),
    ],
)
def test_what_is_read_in_a_reply(value: Any, found: Wording | None) -> None:
    assert wording_in(value, Wording("before", "old")) == found


def test_a_model_that_cannot_propose_leaves_the_given_instruction_and_notes() -> None:
    compiled = compiled_by(LadderLM(readable=False), breadth=2, depth=1)
    assert compiled.signature.instructions == Colour.instructions
    assert "gave no instruction" in " ".join(compiled.report.notes)


def test_a_prompt_model_proposes() -> None:
    prompt, task = LadderLM(model="planted/prompt"), LadderLM(model="planted/task")
    with telic.context(lm=task):
        telic.COPRO(prompt, exact, 2, 1).compile(
            telic.Predict(Colour), trainset=rows(8), eval_kwargs={"num_threads": 1, "display_progress": False}
        )
    assert task.proposals == prompt.asked == []
    assert prompt.proposals


def test_a_killed_compile_goes_on_to_the_same_result_without_paying_twice() -> None:
    with telic.context(lm=LadderLM()):
        check = check_resume(
            lambda: telic.COPRO(metric=exact, breadth=2, depth=2),
            Two(),
            trainset=rows(14),
            most=16,
        )
    assert {"proposed", "scored", "replied", "told", "finished"} <= set(check.kinds)


def searched() -> Any:
    return compiled_by(LadderLM(), breadth=2, depth=2)


def test_equal_seeds_give_equal_candidates_in_every_process() -> None:
    assert "round 2 wording 1" in check_deterministic(searched)


def test_a_budget_ends_the_run_with_the_best_so_far() -> None:
    lm = LadderLM()
    with telic.budget(calls=100):
        compiled = compiled_by(lm, breadth=2, depth=4)
    assert len(lm.asked) + len(lm.proposals) == 100
    assert "100" in compiled.report.stopped
    assert compiled.signature.instructions.startswith("Level")


@pytest.mark.parametrize(
    ("settings", "error", "said"),
    [
        ({"breadth": 1}, CompileError, "breadth=1 must be at least 2"),
        ({"depth": 0}, CompileError, "depth=0"),
        ({"metric": None}, MetricError, "no metric"),
    ],
)
def test_what_cannot_work_is_said_before_anything_is_paid(
    settings: Any, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        telic.COPRO(**{"metric": exact, **settings}).compile(
            telic.Predict(Colour), trainset=rows(3), eval_kwargs={}
        )
