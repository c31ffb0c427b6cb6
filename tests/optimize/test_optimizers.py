"""The optimizers on a planted problem: what they find, what they cost, how they resume."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

import telic
from telic.errors import CompileError, DataError, LMNotConfiguredError, MetricError, RunMismatchError
from telic.evaluate.runner import run_examples
from telic.store.default import call_record, default_store
from tests.optimize.planted import Colour, exact, planted_lm, rows
from tests.scripted import ScriptedLM, chat


def score(program: Any, examples: list[Any]) -> float:
    outcomes = run_examples(program, examples, exact)
    return sum(o.score or 0 for o in outcomes) / len(outcomes)


def test_labeled_few_shot_draws_every_class():
    student = telic.Predict(Colour)
    lm = planted_lm()
    with telic.context(lm=lm):
        compiled = telic.LabeledFewShot(k=4).compile(student, trainset=rows(40))
        assert {d.colour for d in compiled.demos} == {"red", "green", "blue", "gold"}
        assert lm.asked == []
        assert score(student, rows(20, 100)) == 0.25
        assert score(compiled, rows(20, 100)) == 1.0
    assert student.demos == []
    first = telic.LabeledFewShot(k=3).compile(student, trainset=rows(40), sample=False)
    assert [d.word for d in first.demos] == ["red-0", "green-1", "blue-2"]


def test_bootstrap_keeps_only_what_the_metric_accepts():
    lm = planted_lm()
    with telic.context(lm=lm):
        compiled = telic.BootstrapFewShot(
            metric=exact, max_bootstrapped_demos=3, max_labeled_demos=0
        ).compile(telic.Predict(Colour), trainset=rows(40))
    assert [d.colour for d in compiled.demos] == ["red", "red", "red"]
    assert all(d.augmented for d in compiled.demos)


def test_labelled_demos_even_out_the_classes_of_the_bootstrapped_ones():
    lm = planted_lm()
    # A teacher that can only say red: without the balance, red would be shown four times.
    with telic.context(lm=lm):
        optimizer = telic.BootstrapFewShot(metric=exact, max_bootstrapped_demos=2, max_labeled_demos=8)
        teacher = telic.Predict(Colour)
        teacher.demos = rows(1)
        compiled = optimizer.compile(telic.Predict(Colour), teacher=teacher, trainset=rows(40))
    assert [d.colour for d in compiled.demos[:2]] == ["red", "red"]
    assert Counter(d.colour for d in compiled.demos) == {"red": 2, "green": 2, "blue": 2, "gold": 2}


def test_bootstrap_gives_every_step_of_a_pipeline_its_demos():
    class Two(telic.Module):
        def __init__(self):
            self.first = telic.Predict("text -> summary")
            self.second = telic.ChainOfThought("summary -> verdict")

        def forward(self, text):
            return self.second(summary=self.first(text=text).summary)

    def reply(text: str) -> str:
        second = text.lstrip().startswith("[[ ## summary ## ]]")
        return chat(reasoning="because", verdict="good") if second else chat(summary="short")

    trainset = [telic.Example(text=f"t{i}").with_inputs("text") for i in range(6)]
    with telic.context(lm=ScriptedLM(reply)):
        compiled = telic.BootstrapFewShot(
            metric=lambda example, pred, trace=None: trace is None or len(trace) == 2,
            max_bootstrapped_demos=2,
        ).compile(Two(), trainset=trainset)
    assert [d.summary for d in compiled.first.demos if d.get("augmented")] == ["short", "short"]
    assert [d.reasoning for d in compiled.second.predict.demos if d.get("augmented")] == ["because"] * 2


def test_random_search_finds_the_planted_demos_and_reports_how_sure_it_is():
    with telic.context(lm=planted_lm()):
        student = telic.Predict(Colour)
        optimizer = telic.BootstrapFewShotWithRandomSearch(
            metric=exact, max_bootstrapped_demos=2, max_labeled_demos=8, num_candidate_programs=4
        )
        compiled = optimizer.compile(student, trainset=rows(40), valset=rows(60, 200))
        assert score(compiled, rows(20, 400)) == 1.0
    report = compiled.report
    assert report.comparison.score_a == 25.0
    assert report.comparison.score_b == 100.0
    assert report.comparison.significant
    assert compiled.candidate_programs[0]["score"] == 100.0
    stopped = [r for r in report.ranking if r.stopped]
    # A candidate that does as well as two others that came first is not run to the end.
    assert stopped
    assert sum(r.mean == 1.0 for r in report.ranking if not r.stopped) == 2
    assert student.demos == []


def test_equal_seeds_give_equal_candidates():
    def hashes() -> list[str]:
        with telic.context(lm=planted_lm()):
            compiled = telic.BootstrapRS(metric=exact, num_candidate_programs=3, seed=5).compile(
                telic.Predict(Colour), trainset=rows(24), valset=rows(24, 100)
            )
        return [r.candidate.hash for r in compiled.report.ranking]

    assert hashes() == hashes()


class Killed(BaseException):
    """Stands for the death of the process."""


@pytest.mark.parametrize("after", [0, 1, 2, 5, 14, 30, 60, 90])
def test_a_killed_run_goes_on_to_the_same_result_without_paying_twice(after):
    calls: list[str] = []

    def counting(example, pred, trace=None):
        calls.append(f"{example.word}|{pred.colour}|{trace is not None}")
        return example.colour == pred.colour

    def compile_with(lm: Any, metric: Any, run_id: str) -> Any:
        with telic.context(lm=lm, num_threads=1):
            return telic.BootstrapRS(metric=metric, num_candidate_programs=2, max_labeled_demos=6).compile(
                telic.Predict(Colour), trainset=rows(20), valset=rows(24, 100), run_id=run_id
            )

    whole_lm = planted_lm()
    whole = compile_with(whole_lm, counting, "whole")
    whole_metric_calls = len(calls)
    calls.clear()
    call_record().memory.clear()
    default_store().delete("calls", [key for key, _ in default_store().scan("calls")])

    lm = planted_lm()
    store = default_store()
    append, count = store.append, 0

    def dying_append(run_id: str, events: Any) -> int:
        nonlocal count
        count += 1
        if count > after:
            raise Killed
        return append(run_id, events)

    store.append = dying_append
    try:
        with pytest.raises(Killed):
            compile_with(lm, counting, "killed")
    finally:
        store.append = append
    again = compile_with(lm, counting, "killed")
    assert again.report.ranking[0].candidate == whole.report.ranking[0].candidate
    assert [r.scores for r in again.report.ranking] == [r.scores for r in whole.report.ranking]
    assert len(lm.asked) == len(whole_lm.asked)
    # The score that was made but not written when the process died is the only one made twice.
    assert len(calls) <= whole_metric_calls + 1


def test_a_run_refuses_to_go_on_when_something_changed():
    lm = planted_lm()

    def compile_with(trainset: Any, metric: Any = exact) -> Any:
        with telic.context(lm=lm):
            return telic.BootstrapFewShot(metric=metric).compile(
                telic.Predict(Colour), trainset=trainset, run_id="mine"
            )

    compile_with(rows(20))
    with pytest.raises(RunMismatchError, match="trainset"):
        compile_with(rows(21))
    with pytest.raises(RunMismatchError, match="metric"):
        compile_with(rows(20), metric=lambda example, pred, trace=None: True)


def test_a_run_refuses_to_go_on_with_other_parameters_of_the_optimizer():
    lm = planted_lm()

    def compile_with(**parameters: Any) -> Any:
        optimizer = telic.BootstrapRS(
            **{"metric": exact, "num_candidate_programs": 1, "teacher_settings": {"lm": lm}, **parameters}
        )
        with telic.context(lm=lm):
            return optimizer.compile(telic.Predict(Colour), trainset=rows(20), run_id="mine")

    compile_with()
    compile_with(num_threads=2, max_errors=3)
    for changed in (
        {"seed": 1},
        {"max_labeled_demos": 3},
        {"teacher_settings": {"lm": lm.copy(temperature=1)}},
    ):
        with pytest.raises(RunMismatchError, match="optimizer"):
            compile_with(**changed)


def test_a_budget_ends_the_run_with_the_best_so_far():
    lm = planted_lm()
    with telic.context(lm=lm, num_threads=16), telic.budget(calls=60):
        compiled = telic.BootstrapRS(metric=exact, num_candidate_programs=6).compile(
            telic.Predict(Colour), trainset=rows(20), valset=rows(40, 100)
        )
    assert len(lm.asked) == 60
    assert "60" in compiled.report.stopped
    assert compiled.report.notes


def test_errors_stop_the_run_and_keep_what_was_scored():
    lm = planted_lm()
    broken = True

    def metric(example, pred, trace=None):
        if broken and example.word.endswith(("103", "104", "105")):
            raise KeyError("a bug")
        return example.colour == pred.colour

    def compile_it() -> Any:
        with telic.context(lm=lm):
            return telic.BootstrapRS(metric=metric, num_candidate_programs=1, max_errors=2).compile(
                telic.Predict(Colour), trainset=rows(20), valset=rows(24, 100), run_id="bug"
            )

    with pytest.raises(CompileError, match=r"a bug.*kept"):
        compile_it()
    asked = len(lm.asked)
    assert asked > 0


@pytest.mark.parametrize(
    ("what", "error", "said"),
    [
        (
            lambda: telic.LabeledFewShot().compile(telic.Predict(Colour), trainset=[]),
            DataError,
            "trainset is empty",
        ),
        (
            lambda: telic.LabeledFewShot().compile(telic.Module(), trainset=rows(3)),
            CompileError,
            "no predictors",
        ),
        (
            lambda: telic.BootstrapFewShot(metric=lambda a: 1).compile(
                telic.Predict(Colour), trainset=rows(3)
            ),
            MetricError,
            "positional",
        ),
        (
            lambda: telic.BootstrapFewShot(metric=exact).compile(
                telic.Predict(Colour), teacher=telic.Predict("a -> b"), trainset=rows(3)
            ),
            CompileError,
            "agree",
        ),
        (
            lambda: telic.BootstrapFewShot(metric=exact).compile(
                telic.Predict(Colour), trainset=[telic.Example(word="x")]
            ),
            DataError,
            "with_inputs",
        ),
        (
            lambda: telic.BootstrapFewShot(metric=exact).compile(telic.Predict(Colour), trainset=rows(3)),
            LMNotConfiguredError,
            "No LM is set",
        ),
    ],
)
def test_what_cannot_work_is_said_before_anything_is_paid(what, error, said):
    with pytest.raises(error, match=said):
        what()
