"""MIPROv2: the planted combination is found, within a stated number of calls; the paper's way and the raced
one; resume, seeds, budgets, settings.
"""

from __future__ import annotations

import sys
from typing import Any

import pytest

import telic
from telic.errors import CompileError, DataError, MetricError, MissingExtraError
from telic.optimize.mipro.plan import make_plan, recommended_trials
from telic.testing import check_deterministic, check_resume
from tests.optimize.planted_instructions import GOOD, Colour, PlantedLM, exact, quality, rows

pytest.importorskip("optuna")


def compiled_by(lm: PlantedLM, *, train: int = 40, val: int = 100, **settings: Any) -> Any:
    compiling = {k: settings.pop(k) for k in ("num_trials", "minibatch", "run_id", "seed") if k in settings}
    with telic.context(lm=lm):
        optimizer = telic.MIPROv2(metric=exact, **settings)
        return optimizer.compile(
            telic.Predict(Colour), trainset=rows(train), valset=rows(val, 1000), **compiling
        )


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_the_planted_combination_is_found_within_650_calls(seed: int) -> None:
    lm = PlantedLM()
    compiled = compiled_by(lm, seed=seed, auto="medium")
    assert quality(compiled.signature.instructions, compiled.demos) == 1.0
    assert len(lm.asked) + len(lm.proposals) <= 650
    assert compiled.report.comparison.significant
    assert compiled.candidate_programs[0]["score"] == 100.0


def test_the_papers_way_finds_it_too() -> None:
    lm = PlantedLM()
    compiled = compiled_by(lm, auto="medium", racing=False)
    assert quality(compiled.signature.instructions, compiled.demos) == 1.0


def test_racing_takes_fewer_calls_than_the_papers_way() -> None:
    calls = {True: 0, False: 0}
    for seed in (1, 2, 3):
        for racing in calls:
            lm = PlantedLM(model=f"planted/{racing}")
            compiled = compiled_by(lm, auto="medium", racing=racing, seed=seed)
            calls[racing] += len(lm.asked)
            assert compiled.candidate_programs[0]["score"] >= 50.0
    assert calls[True] < 0.7 * calls[False]


def test_what_dspy_documents_of_the_presets() -> None:
    common: dict[str, Any] = {
        "num_candidates": None,
        "num_trials": None,
        "minibatch": True,
        "minibatch_size": 35,
        "full_every": 5,
    }

    def plan(auto: Any, *, zero_shot: bool = False, examples: int = 100, predictors: int = 1) -> Any:
        return make_plan(auto=auto, predictors=predictors, zero_shot=zero_shot, examples=examples, **common)

    # As DSPy 3.4.1 announces them for one predictor.
    light = plan("light")
    assert (light.trials, light.demo_sets, light.instructions, light.minibatch) == (10, 6, 3, 35)
    assert (plan("light", zero_shot=True).trials, plan("light", zero_shot=True).instructions) == (9, 6)
    medium = plan("medium", examples=150)
    assert (medium.trials, medium.demo_sets, medium.instructions) == (18, 12, 6)
    assert plan("light", examples=40).minibatch is None
    assert recommended_trials(3, 2) == 6
    assert plan("light", predictors=3).trials == 31


def test_the_search_of_the_paper_takes_the_calls_it_states() -> None:
    lm = PlantedLM()
    compiled = compiled_by(lm, racing=False)
    kinds = ["full" if "full_eval_score" in row else "mb" for row in compiled.trial_logs.values()]
    # The program as given, five minibatches, a full evaluation, five more, another one.
    assert kinds == ["full", *["mb"] * 5, "full", *["mb"] * 5, "full"]
    assert all(row["examples"] == (35 if "mb_score" in row else 100) for row in compiled.trial_logs.values())
    assert compiled.score == max(
        r["full_eval_score"] for r in compiled.trial_logs.values() if "full_eval_score" in r
    )
    assert compiled.mb_candidate_programs[0]["score"] >= compiled.mb_candidate_programs[-1]["score"]


def test_zero_shot_chooses_instructions_alone() -> None:
    lm = PlantedLM()
    compiled = compiled_by(lm, auto="medium", max_bootstrapped_demos=0, max_labeled_demos=0)
    assert compiled.signature.instructions == GOOD
    assert compiled.demos == []
    # Runs are still shown to the proposing model.
    assert any("| colour: red" in text for text in lm.proposals)


def test_proposals_know_the_data_the_program_the_demos_and_a_tip() -> None:
    lm = PlantedLM()
    compiled_by(lm, val=12)
    asks = [text for text in lm.proposals if "Now write `[[ ## instruction ## ]]`" in text]
    assert len(asks) == 2
    for text in asks:
        assert "[[ ## data ## ]]\nWords with a colour in front." in text
        assert "[[ ## program ## ]]\nWords with a colour in front." in text
        assert "[[ ## step ## ]]\nword -> colour: Literal['red', 'green', 'blue', 'gold']" in text
        assert "word: " in text.partition("[[ ## examples ## ]]")[2]
    bare = PlantedLM()
    with telic.context(lm=bare):
        telic.MIPROv2(metric=exact).compile(
            telic.Predict(Colour),
            trainset=rows(40),
            valset=rows(12, 1000),
            program_aware_proposer=False,
            data_aware_proposer=False,
            tip_aware_proposer=False,
            fewshot_aware_proposer=False,
        )
    assert len(bare.proposals) == 2
    assert all(f"[[ ## {name} ## ]]" not in t for t in bare.proposals for name in ("data", "program", "tip"))


def test_instructions_of_an_earlier_compile_are_told_with_their_scores() -> None:
    lm = PlantedLM()
    with telic.context(lm=lm):
        optimizer = telic.MIPROv2(metric=exact, auto=None, num_candidates=7)
        args: dict[str, Any] = {
            "trainset": rows(40),
            "valset": rows(20, 1000),
            "num_trials": 8,
            "minibatch": False,
        }
        first = optimizer.compile(telic.Predict(Colour), **args)
        told = len(lm.proposals)
        optimizer.compile(first, **args)
    asks = [t for t in lm.proposals[told:] if "Now write `[[ ## instruction ## ]]`" in t]
    assert asks
    assert all("[[ ## earlier ## ]]\nScore " in text for text in asks)


def test_models_each_have_their_part() -> None:
    prompt, task = PlantedLM(model="planted/prompt"), PlantedLM(model="planted/task")
    with telic.context(lm=PlantedLM(model="planted/other")):
        telic.MIPROv2(exact, prompt, task).compile(
            telic.Predict(Colour), trainset=rows(20), valset=rows(12, 100)
        )
        assert telic.settings.lm.asked == telic.settings.lm.proposals == []
    assert prompt.asked == task.proposals == []
    assert prompt.proposals
    assert task.asked


def test_a_model_that_cannot_propose_leaves_the_given_instruction_and_notes() -> None:
    lm = PlantedLM(readable=False)
    compiled = compiled_by(lm, val=12)
    assert compiled.signature.instructions == Colour.instructions
    notes = " ".join(compiled.report.notes)
    assert "gave no instruction" in notes
    assert "could not be summarised" in notes
    assert len({d["colour"] for d in compiled.demos}) >= 3


@pytest.mark.parametrize("racing", [True, False])
def test_a_killed_compile_goes_on_to_the_same_result_without_paying_twice(racing: bool) -> None:
    with telic.context(lm=PlantedLM()):
        check = check_resume(
            lambda: telic.MIPROv2(metric=exact, auto=None, num_candidates=4, racing=racing),
            telic.Predict(Colour),
            trainset=rows(12),
            valset=rows(20, 100),
            num_trials=4,
            minibatch_size=14,
            minibatch_full_eval_steps=2,
            most=16,
        )
    assert {"proposed", "scored", "replied", "told", "finished"} <= set(check.kinds)


def searched() -> Any:
    return compiled_by(PlantedLM(), train=20, val=60)


def test_equal_seeds_give_equal_candidates_in_every_process() -> None:
    assert "instruction 1 + demos" in check_deterministic(searched)


def test_other_seeds_search_otherwise() -> None:
    logs = [compiled_by(PlantedLM(), seed=seed).trial_logs for seed in (1, 2)]
    parameters = [[row["parameters"] for row in log.values()] for log in logs]
    assert parameters[0] != parameters[1]


def test_a_budget_ends_the_run_with_the_best_so_far() -> None:
    lm = PlantedLM()
    with telic.budget(calls=230):
        compiled = compiled_by(lm)
    assert len(lm.asked) + len(lm.proposals) == 230
    assert "230" in compiled.report.stopped


def test_a_forecast_holds() -> None:
    lm = PlantedLM()
    with telic.context(lm=lm):
        optimizer = telic.MIPROv2(metric=exact)
        args: dict[str, Any] = {"trainset": rows(20), "valset": rows(60, 100)}
        forecast = optimizer.forecast(telic.Predict(Colour), **args)
        assert lm.asked == lm.proposals == []
        optimizer.compile(telic.Predict(Colour), **args)
    assert forecast.calls.low <= len(lm.asked) + len(lm.proposals) <= forecast.calls.worst


def test_a_pipeline_gets_instructions_and_demos_for_each_step() -> None:
    class Two(telic.Module):
        def __init__(self) -> None:
            self.first = telic.Predict(Colour)
            self.second = telic.Predict(Colour)

        def forward(self, word: str) -> Any:
            self.first(word=word)
            return self.second(word=word)

    lm = PlantedLM()
    with telic.context(lm=lm):
        compiled = telic.MIPROv2(metric=exact).compile(Two(), trainset=rows(20), valset=rows(30, 100))
    assert any("class Two" in text for text in lm.proposals)
    assert any("[[ ## purpose ## ]]\n" in text for text in lm.proposals)
    assert quality(compiled.second.signature.instructions, compiled.second.demos) >= 0.6
    # The programs in the logs are no parts of this one.
    assert [path for path, _ in compiled.named_predictors()] == ["first", "second"]


def test_without_a_valset_most_of_the_trainset_is_for_validation() -> None:
    with telic.context(lm=PlantedLM()):
        compiled = telic.MIPROv2(metric=exact).compile(telic.Predict(Colour), trainset=rows(50))
    assert compiled.provenance["data"] == {"train": {"examples": 10}, "validation": {"examples": 40}}


@pytest.mark.parametrize(
    ("settings", "compiling", "error", "said"),
    [
        ({"auto": "huge"}, {}, CompileError, "'huge' is none of"),
        ({"num_candidates": 3}, {}, CompileError, "decides num_candidates"),
        ({}, {"num_trials": 3}, CompileError, "decides num_trials"),
        ({"auto": None}, {"num_trials": 3}, CompileError, "needs num_candidates"),
        ({"auto": None, "num_candidates": 3}, {}, CompileError, "num_trials .about 6"),
        ({"auto": None, "num_candidates": 3}, {"num_trials": 3}, CompileError, "cannot be filled from 20"),
        ({}, {"trainset": []}, DataError, "trainset is empty"),
        ({}, {"trainset": rows(1), "valset": None}, DataError, "at least 2"),
        ({}, {"valset": []}, DataError, "valset is empty"),
        ({"metric": None}, {}, MetricError, "no metric"),
    ],
)
def test_what_cannot_work_is_said_before_anything_is_paid(
    settings: Any, compiling: Any, error: type[Exception], said: str
) -> None:
    lm = PlantedLM()
    with telic.context(lm=lm), pytest.raises(error, match=said):
        telic.MIPROv2(**{"metric": exact, **settings}).compile(
            telic.Predict(Colour), **{"trainset": rows(20), "valset": rows(20), **compiling}
        )
    assert lm.asked == lm.proposals == []


def test_optuna_is_asked_for_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with telic.context(lm=PlantedLM()), pytest.raises(MissingExtraError, match=r"telic\[optuna\]"):
        telic.MIPROv2(metric=exact).compile(telic.Predict(Colour), trainset=rows(20))
