"""GEPA on planted problems: texts that a scripted model only writes when the feedback reaches it."""

from __future__ import annotations

from typing import Any

import pytest

import telic
from telic.errors import CompileError, MetricError
from telic.testing import check_deterministic, check_resume
from tests.scripted import RecordedLM, chat


class Two(telic.Module):
    """Two steps, each of which needs a word in its instructions."""

    def __init__(self) -> None:
        self.a = telic.Predict("question -> note")
        self.b = telic.Predict("note -> answer")

    def forward(self, question: str) -> Any:
        return self.b(note=self.a(question=question).note)


def rows(count: int, offset: int = 0) -> list[telic.Example]:
    return [telic.Example(question=f"q{i}").with_inputs("question") for i in range(offset, offset + count)]


def task_lm() -> RecordedLM:
    """Step a is good with MAGIC-A in its instructions, step b with MAGIC-B."""
    lm: RecordedLM

    def reply(text: str) -> str:
        system = lm.asked[-1][0]["content"]
        if "`question`" in system and "`note`" in system:
            return chat(note="good" if "MAGIC-A" in system else "bad")
        right = ("MAGIC-B" in system) + ("good" in text)
        return chat(answer=["none", "half", "all"][right])

    lm = RecordedLM(reply)
    return lm


def reflecting_lm() -> RecordedLM:
    """Writes the word that the feedback names."""

    def reply(text: str) -> str:
        word = "MAGIC-A" if "say MAGIC-A" in text else "MAGIC-B" if "say MAGIC-B" in text else "nothing"
        return chat(new_instruction=f"Work well: {word}")

    return RecordedLM(reply, temperature=1.0)


def metric(gold: Any, pred: Any, trace: Any = None, pred_name: Any = None, pred_trace: Any = None) -> Any:
    score = {"all": 1.0, "half": 0.5, "none": 0.0}[pred.answer]
    said = {"a": "say MAGIC-A", "b": "say MAGIC-B"}.get(pred_name, "no step is named")
    return telic.Prediction(score=score, feedback=said)


def gepa(**options: Any) -> telic.GEPA:
    return telic.GEPA(
        **{"metric": metric, "max_metric_calls": 60, "reflection_lm": reflecting_lm()} | options
    )


def compiled_by(optimizer: telic.GEPA, student: Any = None, lm: Any = None, **sets: Any) -> Any:
    sets = {"trainset": rows(6), "valset": rows(4, 100)} | sets
    with telic.context(lm=lm or task_lm()):
        return optimizer.compile(student or Two(), **sets)


def texts(program: Any) -> dict[str, str]:
    return {path: p.signature.instructions for path, p in program.named_predictors()}


def test_both_words_are_found_by_feedback_on_each_step() -> None:
    lm, reflection = task_lm(), reflecting_lm()
    student = Two()
    compiled = compiled_by(gepa(reflection_lm=reflection), student, lm)
    assert texts(compiled) == {"a": "Work well: MAGIC-A", "b": "Work well: MAGIC-B"}
    assert "MAGIC" not in str(texts(student))
    # Two reflections, and no run after the perfect score: the start on 4, and twice 3 before, 3 after, 4.
    assert len(reflection.asked) == 2
    assert compiled.report.spent.scores == 4 + 2 * (3 + 3 + 4)
    assert [r.mean for r in compiled.report.ranking] == [1.0, 0.5, 0.0]
    assert compiled.report.comparison.difference == 100.0


def test_the_score_is_the_plain_one_and_the_trace_is_for_feedback() -> None:
    seen = []

    def watching(
        gold: Any, pred: Any, trace: Any = None, pred_name: Any = None, pred_trace: Any = None
    ) -> Any:
        calls = [sorted(inputs) for _, inputs, _ in pred_trace or ()]
        seen.append((pred_name, None if trace is None else len(trace), calls))
        told = metric(gold, pred, trace, pred_name, pred_trace)
        return telic.Prediction(score=told.score if pred_name is None else 0.0, feedback=told.feedback)

    compiled = compiled_by(gepa(metric=watching))
    assert compiled.report.ranking[0].mean == 1.0
    assert {str(each) for each in seen} == {
        "(None, None, [])",
        "('a', 2, [['question']])",
        "('b', 2, [['note']])",
    }


def test_a_metric_without_names_gives_its_feedback_to_every_step() -> None:
    def plain(gold: Any, pred: Any, trace: Any = None) -> Any:
        return telic.Prediction(score=metric(gold, pred).score, feedback="say MAGIC-A")

    assert texts(compiled_by(gepa(metric=plain)))["a"] == "Work well: MAGIC-A"


def test_a_metric_that_only_scores_is_reflected_on_by_its_score() -> None:
    reflection = reflecting_lm()
    compiled_by(
        gepa(metric=lambda gold, pred, trace=None: 0.25, reflection_lm=reflection, max_metric_calls=9)
    )
    assert "This run scored 0.25." in reflection.asked[0][-1]["content"]


async def test_an_async_metric_is_asked_by_name_too() -> None:
    async def later(
        gold: Any, pred: Any, trace: Any = None, pred_name: Any = None, pred_trace: Any = None
    ) -> Any:
        return metric(gold, pred, trace, pred_name, pred_trace)

    assert compiled_by(gepa(metric=later)).report.ranking[0].mean == 1.0


def test_all_components_at_once() -> None:
    reflection = reflecting_lm()
    compiled = compiled_by(gepa(component_selector="all", reflection_lm=reflection))
    assert texts(compiled) == {"a": "Work well: MAGIC-A", "b": "Work well: MAGIC-B"}
    assert len(compiled.report.ranking) == 2
    assert len(reflection.asked) == 2


def test_a_selector_of_ones_own_sees_the_search() -> None:
    seen = []

    def only_b(
        state: Any, trajectories: Any, subsample_scores: Any, candidate_idx: int, candidate: Any
    ) -> Any:
        seen.append((state.i, len(trajectories), subsample_scores, candidate_idx, sorted(candidate)))
        return ["b"]

    compiled = compiled_by(gepa(component_selector=only_b, max_metric_calls=12))
    assert "MAGIC-A" not in texts(compiled)["a"]
    assert texts(compiled)["b"] == "Work well: MAGIC-B"
    assert seen[0] == (1, 3, [0.0, 0.0, 0.0], 0, ["a", "b"])


def test_a_proposer_of_ones_own_takes_the_place_of_reflection() -> None:
    shown = []

    def proposer(candidate: Any, reflective_dataset: Any, components_to_update: Any) -> dict[str, str]:
        shown.append(reflective_dataset)
        return {name: f"MAGIC-{name.upper()}" for name in components_to_update}

    compiled = compiled_by(gepa(instruction_proposer=proposer, reflection_lm=None))
    assert texts(compiled) == {"a": "MAGIC-A", "b": "MAGIC-B"}
    (record, *_) = shown[0]["a"]
    assert record["Generated Outputs"] == {"note": "bad"}
    assert record["Feedback"] == "say MAGIC-A"
    assert list(record["Inputs"]) == ["question"]


def test_a_proposer_that_fails_is_noted_and_the_search_goes_on() -> None:
    def proposer(**_: Any) -> dict[str, str]:
        raise ValueError("no idea")

    compiled = compiled_by(gepa(instruction_proposer=proposer, max_metric_calls=10))
    assert any("no idea" in note for note in compiled.report.notes)
    assert compiled.report.ranking[0].label == "as given"


def test_a_reflection_that_cannot_be_read_is_noted() -> None:
    compiled = compiled_by(
        gepa(reflection_lm=RecordedLM(lambda text: chat(new_instruction="")), max_metric_calls=9)
    )
    assert any("gave no text" in note for note in compiled.report.notes)


def test_answers_that_cannot_be_read_are_reflected_on_where_asked_for() -> None:
    def run(**options: Any) -> str:
        reflection = reflecting_lm()
        unreadable = RecordedLM(lambda text: "[[ ## nothing ## ]]")
        compiled_by(gepa(reflection_lm=reflection, max_metric_calls=9, **options), lm=unreadable)
        return str(reflection.asked)

    assert run() == "[]"
    assert "could not be read" in run(add_format_failure_as_feedback=True)


def test_perfect_runs_are_not_reflected_on() -> None:
    reflection = reflecting_lm()
    always = lambda gold, pred, trace=None: 0.5  # noqa: E731
    compiled_by(gepa(metric=always, perfect_score=0.5, reflection_lm=reflection))
    assert reflection.asked == []


def test_failures_score_what_is_asked_for() -> None:
    unreadable = RecordedLM(lambda text: "[[ ## nothing ## ]]")
    compiled = compiled_by(gepa(failure_score=-1.0, max_metric_calls=1), lm=unreadable)
    assert compiled.report.ranking[0].mean == -1.0


def test_detailed_results() -> None:
    optimizer = gepa(track_stats=True, track_best_outputs=True, log_dir="somewhere")
    details = compiled_by(optimizer).detailed_results
    assert details.parents == [[None], [0], [1]]
    assert details.val_aggregate_scores == [0.0, 0.5, 1.0]
    assert details.val_subscores[1] == {0: 0.5, 1: 0.5, 2: 0.5, 3: 0.5}
    assert details.per_val_instance_best_candidates == {e: {2} for e in range(4)}
    assert details.discovery_eval_counts == [0, 10, 20]
    assert details.best_idx == 2
    assert texts(details.best_candidate) == texts(details.candidates[2])
    assert details.highest_score_achieved_per_val_task == dict.fromkeys(range(4), 1.0)
    assert details.total_metric_calls == 24
    assert details.num_full_val_evals == 3
    assert details.best_outputs_valset[0][0][1].answer == "all"
    assert details.to_dict()["candidates"][2]["b"] == "Work well: MAGIC-B"
    assert (details.log_dir, details.seed) == ("somewhere", 0)


def test_without_a_valset_the_trainset_is_used() -> None:
    compiled = compiled_by(gepa(max_full_evals=6, max_metric_calls=None), valset=None)
    assert compiled.report.ranking[0].mean == 1.0
    assert len(compiled.report.ranking[0].scores) == 6


def test_a_killed_compile_goes_on_to_the_same_result_without_paying_twice() -> None:
    reflection = reflecting_lm()
    with telic.context(lm=task_lm()):
        check = check_resume(
            lambda: gepa(reflection_lm=reflection), Two(), trainset=rows(4), valset=rows(3, 100), most=25
        )
    assert {"started", "proposed", "scored", "replied", "told", "finished"} <= set(check.kinds)
    assert check.calls > 0


def searched() -> Any:
    return compiled_by(gepa(seed=3))


def test_equal_seeds_give_equal_candidates_in_every_process() -> None:
    assert "MAGIC" not in check_deterministic(searched)


def test_a_budget_ends_the_run_with_the_best_so_far() -> None:
    lm, reflection = task_lm(), reflecting_lm()
    compiled = compiled_by(gepa(reflection_lm=reflection), lm=lm, budget=telic.budget(calls=20))
    assert len(lm.asked) + len(reflection.asked) == 20
    assert "20" in compiled.report.stopped
    assert compiled.report.ranking[0].mean == 0.5


@pytest.mark.parametrize("selector", ["round_robin", "all", lambda candidate, **_: list(candidate)])
def test_what_is_spent_lies_within_the_forecast(selector: Any) -> None:
    optimizer = gepa(component_selector=selector)
    lm = task_lm()
    with telic.context(lm=lm):
        forecast = optimizer.forecast(Two(), trainset=rows(6), valset=rows(4, 100))
        assert lm.asked == []
        spent = optimizer.compile(Two(), trainset=rows(6), valset=rows(4, 100)).report.spent
    assert forecast.calls.low <= spent.calls <= forecast.calls.worst
    assert forecast.scores.low <= spent.scores <= forecast.scores.worst
    assert forecast.calls.worst <= 10 * forecast.calls.expected
    assert optimizer.reflection_lm.model in forecast.models


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_metric_calls": None}, "exactly one of auto"),
        ({"auto": "light"}, "exactly one of auto"),
        ({"auto": "huge", "max_metric_calls": None}, "auto='huge'"),
        ({"candidate_selection_strategy": "best"}, "neither 'pareto' nor"),
        ({"component_selector": "some"}, "component_selector='some'"),
        ({"track_best_outputs": True}, "needs track_stats"),
        ({"code_proposer": print}, "code_proposer"),
        ({"reflection_minibatch_size": 0}, "at least 1"),
        ({"instruction_proposer": "me"}, "must be callable"),
        ({"metric": None}, "needs a metric"),
    ],
)
def test_bad_options_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(CompileError, match=message):
        gepa(**options)


def test_bad_problems_are_named_before_a_call() -> None:
    lm = task_lm()
    with pytest.raises(CompileError, match="leave teacher out"):
        compiled_by(gepa(), lm=lm, teacher=Two())
    with pytest.raises(MetricError, match="1 positional argument"):
        compiled_by(gepa(metric=lambda gold: 1.0), lm=lm)
    assert lm.asked == []


@pytest.mark.parametrize(
    ("texts", "candidates", "valset", "runs"),
    [
        (1, 6, 10, 420),
        (1, 12, 100, 1190),
        (1, 18, 300, 3135),
        (2, 6, 50, 1030),
        (3, 12, 10, 1665),
        (5, 18, 300, 8395),
    ],
)
def test_auto_means_as_many_runs_as_in_dspy(texts: int, candidates: int, valset: int, runs: int) -> None:
    assert gepa().auto_budget(texts, candidates, valset) == runs
