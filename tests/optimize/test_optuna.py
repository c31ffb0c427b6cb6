"""`BootstrapFewShotWithOptuna`: the planted demo is found; and the seeded sampler under it."""

from __future__ import annotations

import re
import warnings
from typing import Any

import pytest

import telic
from telic.errors import CompileError, MetricError
from telic.optimize.optuna_search.tpe import TPESearch
from telic.testing import check_deterministic, check_resume
from tests.optimize.planted_instructions import Colour, PlantedLM, exact, rows

optuna = pytest.importorskip("optuna")


class OneDemoLM(PlantedLM):
    """Is right on every word where the example `gold-3` is shown, and on 30 % otherwise."""

    def skill(self, messages: Any) -> float:
        return 100 if any(re.search(r"gold-3\b", m["content"]) for m in messages[1:-1]) else 30


def compiled_by(lm: PlantedLM, *, max_demos: int = 4, **settings: Any) -> Any:
    with telic.context(lm=lm):
        optimizer = telic.BootstrapFewShotWithOptuna(metric=exact, **settings)
        return optimizer.compile(
            telic.Predict(Colour), max_demos=max_demos, trainset=rows(12), valset=rows(40, 1000)
        )


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_planted_demo_is_found_within_350_calls(seed: int) -> None:
    lm = OneDemoLM()
    compiled = compiled_by(lm, seed=seed)
    assert [demo.word for demo in compiled.demos] == ["gold-3"]
    assert len(lm.asked) <= 350
    assert compiled.candidate_programs[0]["score"] == 100.0


def test_every_example_is_seen_where_racing_is_off() -> None:
    lm = OneDemoLM()
    compiled = compiled_by(lm, racing=False, num_candidate_programs=3)
    assert all(len(ranked.scores) == 40 for ranked in compiled.report.ranking)


def test_several_demos_can_be_chosen_together() -> None:
    lm = PlantedLM()
    compiled = compiled_by(lm, demos_per_predictor=4, num_candidate_programs=24)
    assert len({demo.colour for demo in compiled.demos}) >= 3
    assert len(compiled.demos) <= 4


def test_a_killed_compile_goes_on_to_the_same_result_without_paying_twice() -> None:
    with telic.context(lm=OneDemoLM()):
        check = check_resume(
            lambda: telic.BootstrapFewShotWithOptuna(metric=exact, num_candidate_programs=4),
            telic.Predict(Colour),
            max_demos=3,
            trainset=rows(8),
            valset=rows(16, 100),
            most=16,
        )
    assert {"proposed", "scored", "told", "finished"} <= set(check.kinds)


def searched() -> Any:
    return compiled_by(OneDemoLM(), num_candidate_programs=4)


def test_equal_seeds_give_equal_candidates_in_every_process() -> None:
    assert "demos " in check_deterministic(searched)


def test_a_budget_ends_the_run_with_the_best_so_far() -> None:
    lm = OneDemoLM()
    with telic.budget(calls=100):
        compiled = compiled_by(lm)
    assert len(lm.asked) == 100
    assert "100" in compiled.report.stopped


def test_studies_of_ones_own_can_score_a_trial() -> None:
    with telic.context(lm=OneDemoLM()):
        optimizer = telic.BootstrapFewShotWithOptuna(exact, None, 4, 16, 1, 2)
        with pytest.raises(CompileError, match="compile"):
            optimizer.objective(optuna.trial.FixedTrial({}))
        optimizer.compile(telic.Predict(Colour), max_demos=2, trainset=rows(12), valset=rows(40, 1000))
        scores = {optimizer.objective(optuna.trial.FixedTrial({"demo 0 of self": n})) for n in range(13)}
    assert max(scores) == 100.0
    assert min(scores) < 50.0


def test_what_cannot_work_is_said_before_anything_is_paid() -> None:
    with pytest.raises(CompileError, match="at least 1"):
        telic.BootstrapFewShotWithOptuna(metric=exact, demos_per_predictor=0)
    with pytest.raises(MetricError, match="no metric"):
        telic.BootstrapFewShotWithOptuna(None).compile(telic.Predict(Colour), max_demos=2, trainset=rows(3))


def walk(search: TPESearch, steps: int) -> list[tuple[int, int]]:
    found = []
    for _ in range(steps):
        asked, chosen = search.ask()
        found.append((chosen["a"], chosen["b"]))
        search.tell(asked, 0.4 * (chosen["a"] == 2) + 0.4 * (chosen["b"] == 4))
    return found


def test_the_sampler_replays_and_learns() -> None:
    options = {"a": 3, "b": 6, "fixed": 1}
    walks = [walk(TPESearch(options, seed=7), 30) for _ in range(2)]
    assert walks[0] == walks[1]
    assert walks[0] != walk(TPESearch(options, seed=8), 30)
    # One in 18 by chance.
    assert walks[0][10:].count((2, 4)) >= 5
    assert TPESearch(options, seed=7).size == 18


def test_the_sampler_is_quiet(capfd: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        search = TPESearch({"a": 3, "b": 6}, seed=1)
        search.learn({"a": 1, "b": 2}, 0.5)
        walk(search, 3)
    assert capfd.readouterr() == ("", "")
