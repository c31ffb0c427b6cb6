"""SIMBA on planted problems: a rule that only a comparison of runs gives away, demos from good runs alone."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest

import telic
from telic._json import stable_hash
from telic.errors import CompileError, DataError
from telic.optimize.simba.buckets import sorted_buckets
from telic.optimize.simba.demonstrations import with_demo, with_fewer_demos
from telic.optimize.strategy import Outcome
from telic.program.state import ProgramState
from telic.store.memory import MemoryStore
from telic.testing import check_deterministic, check_resume
from tests.scripted import RecordedLM, chat, completion


class FickleLM(RecordedLM):
    """Right by chance (which is a function of the question and the rollout), and always right with the rule.

    Asked to compare runs, it gives the rule away where the better run was right and the worse one wrong.
    """

    def __init__(self, chance: float = 0.4, learns: str = "rule") -> None:
        super().__init__(lambda text: "")
        self.chance = chance
        self.learns = learns

    def forward(self, prompt: str | None = None, messages: Any = None, **kwargs: Any) -> Any:
        with self._lock:
            self.asked.append(list(messages))
        text = messages[-1]["content"]
        if "better_run" in text:
            better, worse = text.split("worse_run")[0], text.split("worse_run")[1]
            told = "Say yes." if '"yes"' in better and '"no"' in worse else ""
            return completion(chat(advice_1=told))
        if self.learns == "rule":
            knows = "Say yes." in messages[0]["content"]
        else:
            knows = sum(m["role"] == "assistant" and "yes" in m["content"] for m in messages) >= 2
        key = [re.findall(r"q\d+", text)[-1], kwargs.get("temperature"), kwargs.get("rollout_id")]
        luck = int(stable_hash(key)[:8], 16) / 0xFFFFFFFF
        return completion(chat(answer="yes" if knows or luck < self.chance else "no"))


def rows(count: int) -> list[telic.Example]:
    return [telic.Example(question=f"q{i}").with_inputs("question") for i in range(count)]


def metric(gold: Any, pred: Any) -> float:
    return float(pred.answer == "yes")


def simba(**options: Any) -> telic.SIMBA:
    return telic.SIMBA(**{"metric": metric, "bsize": 6, "num_candidates": 3, "max_steps": 2} | options)


def compiled_by(optimizer: telic.SIMBA, lm: Any = None, trainset: Any = None, **options: Any) -> Any:
    with telic.context(lm=lm or FickleLM()):
        return optimizer.compile(
            telic.Predict("question -> answer"), trainset=trainset or rows(12), **options
        )


def test_a_rule_is_found_by_comparing_runs() -> None:
    lm = FickleLM()
    compiled = compiled_by(simba(max_demos=0), lm)
    assert compiled.signature.instructions.endswith("\n\nSay yes.")
    assert compiled.demos == []
    assert compiled.report.ranking[0].mean == 1.0
    assert compiled.report.comparison.difference > 0
    # A step: 6 examples x 3 samples, then at most 3 candidates on 6; the end: at most 3 winners on 12.
    assert compiled.report.spent.scores <= 2 * (6 * 3 + 3 * 6) + 3 * 12
    assert set(compiled.trial_logs) == {0, 1}


def test_demos_come_from_good_runs() -> None:
    compiled = compiled_by(simba(max_demos=3, max_steps=6, num_candidates=4), FickleLM(0.5, learns="demos"))
    assert compiled.report.ranking[0].mean == 1.0
    assert 2 <= len(compiled.demos) <= 3
    assert {demo.answer for demo in compiled.demos} == {"yes"}
    assert all(demo.augmented for demo in compiled.demos)


def test_a_model_of_its_own_compares() -> None:
    task, prompt = FickleLM(), FickleLM()
    compiled_by(simba(max_demos=0, prompt_model=prompt), task)
    assert prompt.asked
    assert not any("better_run" in str(messages) for messages in task.asked)


def test_a_teacher_gives_one_of_the_runs() -> None:
    teacher = FickleLM(1.0)
    compiled_by(simba(teacher_settings={"lm": teacher}, max_steps=1), FickleLM(0.0))
    assert len(teacher.asked) == 6


def test_rules_that_cannot_be_read_are_noted() -> None:
    prompt = RecordedLM(lambda text: "[[ ## other ## ]]\nx")
    compiled = compiled_by(simba(max_demos=0, prompt_model=prompt))
    assert any("gave no rule" in note for note in compiled.report.notes)
    assert compiled.report.ranking[0].label == "as given"


def test_nothing_to_learn_leaves_the_program_as_it_is() -> None:
    compiled = compiled_by(simba(), FickleLM(0.0))
    assert compiled.demos == []
    assert [ranked.label for ranked in compiled.report.ranking] == ["as given"]


def test_a_killed_compile_goes_on_to_the_same_result_without_paying_twice() -> None:
    with telic.context(lm=FickleLM()):
        check = check_resume(
            lambda: simba(bsize=4, max_steps=1),
            telic.Predict("question -> answer"),
            trainset=rows(6),
            most=20,
        )
    assert {"started", "proposed", "scored", "replied", "told", "finished"} <= set(check.kinds)


def searched() -> Any:
    return compiled_by(simba(), seed=4)


def test_equal_seeds_give_equal_candidates_in_every_process() -> None:
    assert "step 1" in check_deterministic(searched)


def test_a_budget_ends_the_run_with_the_best_so_far() -> None:
    def stopped_at(calls: int) -> Any:
        lm = FickleLM()
        with telic.context(store=MemoryStore()):
            compiled = compiled_by(simba(max_demos=0), lm, budget=telic.budget(calls=calls))
        assert len(lm.asked) == calls
        assert str(calls) in compiled.report.stopped
        return compiled

    assert stopped_at(15).signature.instructions == telic.Predict("question -> answer").signature.instructions
    # By then the first step has a winner.
    late = stopped_at(38)
    assert late.signature.instructions.endswith("Say yes.")
    assert any("before its winners were compared" in note for note in late.report.notes)


def test_what_is_spent_lies_within_the_forecast() -> None:
    lm = FickleLM()
    with telic.context(lm=lm):
        forecast = simba().forecast(telic.Predict("question -> answer"), trainset=rows(12))
        assert lm.asked == []
        spent = simba().compile(telic.Predict("question -> answer"), trainset=rows(12)).report.spent
    assert forecast.calls.low <= spent.calls <= forecast.calls.worst
    assert forecast.scores.low <= spent.scores <= forecast.scores.worst
    assert forecast.calls.worst <= 10 * forecast.calls.expected


def test_fewer_examples_than_a_minibatch_are_one() -> None:
    compiled = compiled_by(simba(bsize=99, max_steps=1), trainset=rows(5))
    assert len(compiled.report.ranking[0].scores) == 5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bsize": 0}, "bsize=0"),
        ({"num_candidates": 1}, "num_candidates=1"),
        ({"max_steps": -1}, "max_steps=-1"),
        ({"max_demos": -1}, "max_demos=-1"),
        ({"metric": None}, "needs a metric"),
    ],
)
def test_bad_options_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(CompileError, match=message):
        simba(**options)


def test_an_empty_trainset_is_named_before_a_call() -> None:
    lm = FickleLM()
    with telic.context(lm=lm), pytest.raises(DataError, match="trainset"):
        simba().compile(telic.Predict("question -> answer"), trainset=[])
    assert lm.asked == []


def test_buckets_with_the_widest_spread_come_first() -> None:
    scores = {0: [0.5, 0.5], 1: [0.0, 1.0], 2: [1.0, 1.0], 3: [0.0, 0.9]}
    outcomes = [Outcome(e, score) for e, each in scores.items() for score in each]
    assert [bucket.example for bucket in sorted_buckets(outcomes)] == [1, 3, 2, 0]
    assert sorted_buckets(outcomes)[0].best.score == 1.0


def test_demos_are_dropped_together_and_make_room() -> None:
    class Two(telic.Module):
        def __init__(self) -> None:
            self.a = telic.Predict("question -> note")
            self.b = telic.Predict("note -> answer")

    start = ProgramState.of(Two())
    full = start.with_demos({path: [{"n": n} for n in range(4)] for path in start.paths})
    for seed in range(30):
        fewer = with_fewer_demos(full, 4, random.Random(seed))
        assert fewer.demos("a") == fewer.demos("b")
        assert len(fewer.demos("a")) <= 3
    assert with_fewer_demos(start, 4, random.Random(0)) == start


def test_long_inputs_of_demos_are_shortened() -> None:
    start = ProgramState.of(telic.Predict("question -> answer"))
    run = Outcome(0, 1.0, steps=(("self", {"question": "x" * 50, "answer": "y" * 50}),))
    (demo,) = with_demo(start, run, {"self": ["question"]}, 10).demos("self")
    assert demo["question"].startswith("x" * 10 + " …")
    assert demo["answer"] == "y" * 50
