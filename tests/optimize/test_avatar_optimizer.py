"""`AvatarOptimizer` on a scripted agent that looks things up only where it is told to."""

from __future__ import annotations

import json
from typing import Any

import pytest

import telic
from telic.errors import CompileError
from telic.modules.avatar import Avatar
from telic.testing import check_resume
from tests.scripted import RecordedLM, chat

CAPITALS = {"France": "Paris", "Chad": "N'Djamena", "Peru": "Lima", "Fiji": "Suva"}
BETTER = "Always look the country up before you finish."


def look_up(country: str) -> str:
    """The capital of a country."""
    return CAPITALS[country]


def agent() -> Avatar:
    return Avatar("country -> capital", [look_up], max_iters=2)


def examples() -> list[telic.Example]:
    return [telic.Example(country=c, capital=v).with_inputs("country") for c, v in CAPITALS.items()]


def right(example: Any, pred: Any, trace: Any = None) -> float:
    return float(example.capital == pred.capital)


def agent_lm(feedback: str = "Look it up.", written: str = BETTER) -> RecordedLM:
    """Knows Paris by itself; looks up where the instruction says so."""
    lm: RecordedLM

    def reply(text: str) -> str:
        everything = "\n".join(str(message["content"]) for message in lm.asked[-1])
        if "[[ ## bad_runs ## ]]" in text:
            return chat(feedback=feedback)
        if "[[ ## feedback ## ]]" in text:
            return chat(new_instruction=written)
        country = text.split("[[ ## country ## ]]")[1].split()[0]
        if "[[ ## action ## ]]" in everything:
            looked = BETTER in everything and CAPITALS[country] not in text
            name = "look_up" if looked else "Finish"
            return chat(action=json.dumps({"tool_name": name, "tool_input_query": country}))
        found = CAPITALS[country] if CAPITALS[country] in text or country == "France" else "unknown"
        return chat(capital=found)

    lm = RecordedLM(reply)
    return lm


def test_it_finds_the_instruction_that_good_runs_point_to() -> None:
    lm = agent_lm()
    with telic.context(lm=lm):
        optimizer = telic.AvatarOptimizer(metric=right, max_iters=3)
        compiled = optimizer.compile(student := agent(), trainset=examples())
        assert compiled(country="Fiji").capital == "Suva"
    assert compiled.actor.signature.instructions == BETTER
    assert student.actor.signature.instructions != BETTER
    assert [round(row.mean, 2) for row in compiled.report.ranking] == [1.0, 0.25]
    assert compiled.report.comparison.score_a == 25.0
    assert "no run was bad enough" in compiled.report.notes[-1]
    (compared,) = [m[-1]["content"] for m in lm.asked if "[[ ## bad_runs ## ]]" in str(m[-1]["content"])]
    assert all(words in compared for words in ("Paris", "score: 0", "look_up"))
    # Four runs of two calls, two questions, four runs of three calls.
    assert len(lm.asked) <= 8 + 2 + 12 + 1


def test_an_unreadable_proposal_is_noted_and_the_best_is_kept() -> None:
    with telic.context(lm=agent_lm(written="")):
        compiled = telic.AvatarOptimizer(right, 2).compile(agent(), trainset=examples())
    assert "no new instruction could be read" in compiled.report.notes[0]
    assert compiled.report.ranking[0].mean == 0.25


def test_it_evaluates_programs_as_dspy_documents() -> None:
    with telic.context(lm=agent_lm()):
        optimizer, actor = telic.AvatarOptimizer(right), agent()
        assert optimizer.process_example(actor, examples()[0], return_outputs=False) == 1.0
        assert optimizer.thread_safe_evaluator(examples(), actor) == 0.25
        mean, found = optimizer.thread_safe_evaluator(examples(), actor, return_outputs=True, num_threads=2)
        example, prediction, score = found[0]
    assert (mean, len(found), score) == (0.25, 4, 1.0)
    assert (example.country, prediction.capital) == ("France", "Paris")


def test_less_can_be_better() -> None:
    def wrong(example: Any, pred: Any) -> float:
        return 1.0 - right(example, pred)

    with telic.context(lm=agent_lm()):
        compiled = telic.AvatarOptimizer(wrong, 2, optimize_for="min").compile(agent(), trainset=examples())
    assert compiled.actor.signature.instructions == BETTER
    assert compiled.report.ranking[0].mean == 0.0


def test_the_prompt_model_compares_and_rewrites() -> None:
    lm, writer = agent_lm(), agent_lm()
    with telic.context(lm=lm):
        telic.AvatarOptimizer(right, 1, prompt_model=writer).compile(agent(), trainset=examples())
    assert len(writer.asked) == 2
    assert not any("bad_runs" in str(messages) for messages in lm.asked)


def test_bad_input_is_named_before_anything_is_paid() -> None:
    lm = agent_lm()
    with telic.context(lm=lm):
        with pytest.raises(CompileError, match="has 0 of them"):
            telic.AvatarOptimizer(right).compile(telic.Predict("country -> capital"), trainset=examples())
        with pytest.raises(CompileError, match="needs a metric"):
            telic.AvatarOptimizer(None).compile(agent(), trainset=examples())
        with pytest.raises(CompileError, match="optimize_for"):
            telic.AvatarOptimizer(right, optimize_for="most")
        with pytest.raises(CompileError, match="lower_bound"):
            telic.AvatarOptimizer(right, lower_bound=2)
    assert lm.asked == []


def test_it_goes_on_after_a_death() -> None:
    with telic.context(lm=agent_lm()):
        check = check_resume(lambda: telic.AvatarOptimizer(right, 2), agent(), trainset=examples(), most=12)
    assert check.kinds["replied"] == 2
