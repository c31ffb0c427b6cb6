"""Score against tokens, cost and time: what is worth a choice, and choosing."""

from __future__ import annotations

from typing import Any

import pytest

import telic
from telic.errors import CompileError
from telic.optimize.pareto import Limits, Option, Price, choose, pareto_set, prices
from telic.optimize.strategy import Outcome, Ranked
from telic.program.state import ProgramState
from tests.optimize.planted import Colour, exact, planted_lm, rows

START = ProgramState.of(telic.Predict(Colour))


def option(
    label: str, score: float, tokens: float, cost: float | None = None, stopped: bool = False
) -> Option:
    ranked = Ranked(START, label, {0: score / 100}, stopped)
    return Option(ranked, score, (0.0, 100.0), Price(tokens, cost, tokens / 1000))  # type: ignore[arg-type]


MANY = [
    option("best", 90, 900, 0.02),
    option("as good, dearer", 90, 950, 0.03),
    option("middle", 80, 400),
    option("worse and dearer", 70, 500, 0.01),
    option("cheap", 40, 100, 0.001),
    option("stopped", 100, 10, 0.0001, stopped=True),
]


def labels(options: list[Option]) -> list[str]:
    return [each.label for each in options]


def test_what_another_beats_in_both_is_left_out() -> None:
    assert labels(pareto_set(MANY, "tokens")) == ["best", "middle", "cheap"]
    assert labels(pareto_set(MANY, "seconds")) == ["best", "middle", "cheap"]
    assert labels(pareto_set(MANY, "cost")) == ["best", "worse and dearer", "cheap"]
    with pytest.raises(CompileError, match="tokens"):
        pareto_set(MANY, "beauty")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("limits", "label"),
    [
        (Limits(), "best"),
        (Limits(max_tokens=450), "middle"),
        (Limits(max_cost=0.015), "worse and dearer"),
        (Limits(max_seconds=0.2), "cheap"),
        (Limits(min_score=75), "middle"),
        (Limits(min_score=75, max_tokens=2000), "best"),
    ],
)
def test_the_best_within_limits_is_chosen(limits: Limits, label: str) -> None:
    assert choose(MANY, limits).label == label


def test_what_cannot_be_had_is_said_with_what_comes_nearest() -> None:
    with pytest.raises(CompileError, match=r"nearest: cheap.*tokens 100 > 50"):
        choose([MANY[4]], Limits(max_tokens=50))
    with pytest.raises(CompileError, match="nothing was scored"):
        choose([], Limits())


def test_prices_are_means_and_unknown_where_one_is() -> None:
    found = prices(
        [
            ("a", Outcome(0, 1.0, tokens=10, cost=0.1, seconds=1.0)),
            ("a", Outcome(1, 1.0, tokens=30, cost=0.3, seconds=2.0)),
            ("b", Outcome(0, 1.0, tokens=7, cost=None)),
        ]
    )
    assert found["a"] == Price(20, pytest.approx(0.2), 1.5)
    assert found["b"] == Price(7, None, 0.0)


def compiled() -> Any:
    with telic.context(lm=planted_lm()):
        return telic.BootstrapRS(
            metric=exact, num_candidate_programs=2, max_labeled_demos=8, racing=False
        ).compile(telic.Predict(Colour), trainset=rows(24), valset=rows(16, 100))


def test_a_report_offers_the_set_and_a_program_of_choice() -> None:
    program = compiled()
    report = program.report
    front = report.pareto()
    assert front[0].score == report.options()[0].score == 100.0
    assert [each.price.tokens for each in front] == sorted((e.price.tokens for e in front), reverse=True)
    assert "tokens" in program.candidate_programs[0]
    assert report.to_json()["candidates"][0]["tokens"] == 10.0
    chosen = report.choose(min_score=50).apply(telic.Predict(Colour))
    assert len(chosen.demos) > 0
    with pytest.raises(CompileError, match="within the limits"):
        report.choose(max_tokens=1)


def test_answers_from_the_record_have_their_price_too() -> None:
    first = compiled()
    again = compiled()
    assert again.report.run_id != first.report.run_id
    assert again.report.spent.calls == 0
    assert [option.price.tokens for option in again.report.options()] == [
        option.price.tokens for option in first.report.options()
    ]
