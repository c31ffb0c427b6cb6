"""What is shown of a compile while it runs."""

from __future__ import annotations

import io
import logging
from types import SimpleNamespace
from typing import Any

import pytest

import telic
from telic.optimize.progress import Progress, expecting_calls
from telic.optimize.strategy import Outcome, Result, Trial
from telic.program.state import ProgramState
from tests.optimize.planted import Colour, exact, planted_lm, rows


def text_of(progress: Progress) -> str:
    from rich.console import Console

    out = io.StringIO()
    Console(file=out, width=120).print(progress.view())
    return out.getvalue()


def spent(calls: int, cost: float | None = 0.5) -> Any:
    return SimpleNamespace(calls=calls, cached_calls=0, cost=cost)


START = ProgramState.of(telic.Predict(Colour))
OTHER = START.with_instructions({"self": "Name it."})


def test_the_table_has_candidates_with_intervals_best_first_and_what_was_spent() -> None:
    progress = Progress("Search", show=False)
    first = Trial(START, tuple(range(10)), why="as given, 10 of 20")
    second = Trial(OTHER, tuple(range(10)), why="other, 10 of 20")
    progress.asked([first, second])
    for example in range(10):
        progress.scored(first, example, float(example < 3), spent(1 + example))
        progress.scored(second, example, 1.0, spent(20))
    shown = text_of(progress)
    assert "2 candidates, 10 of 20" in shown
    assert "20/20" in shown
    assert shown.index("other (best so far)") < shown.index("as given")
    assert "100.0" in shown
    assert "[72.2, 100.0]" in shown
    assert "20 calls, $0.5000" in shown


def test_scores_from_the_journal_stand_once() -> None:
    progress = Progress("Search", show=False)
    trial = Trial(START, (0, 1), why="as given")
    progress.scored(trial, 0, 1.0, spent(1))
    outcomes = (Outcome(0, 1.0), Outcome(1, 0.0))
    progress.told([Result(trial, outcomes)])
    progress.told([Result(trial, outcomes)])
    assert progress.standings[START.hash].scores.count == 2
    progress.told([Result(Trial(OTHER, (0,), "train"), (Outcome(0, 1.0),))])
    assert OTHER.hash not in progress.standings


def test_time_left_is_said_where_it_is_known_how_many_calls_come() -> None:
    with expecting_calls(100):
        progress = Progress("Search", show=False)
    progress._began -= 10.0
    assert progress.seconds_left() is None
    progress.replied(spent(25, None))
    assert progress.seconds_left() == pytest.approx(30.0, abs=0.5)
    assert "cost unknown" in progress.facts()
    assert "about 30 s left" in progress.facts()
    assert Progress("Search", show=False).seconds_left() is None


def test_many_candidates_are_counted_not_listed() -> None:
    progress = Progress("Search", show=False)
    for number in range(30):
        state = START.with_instructions({"self": str(number)})
        progress.scored(Trial(state, (0,), why=f"candidate {number}"), 0, 1.0, spent(number))
    assert "… and 24 more" in text_of(progress)


def test_where_nobody_looks_each_step_is_a_log_line(caplog: pytest.LogCaptureFixture) -> None:
    with telic.context(lm=planted_lm()), caplog.at_level(logging.INFO, logger="telic"):
        telic.BootstrapRS(metric=exact, num_candidate_programs=1).compile(
            telic.Predict(Colour), trainset=rows(20), valset=rows(20, 100)
        )
    assert any("best so far" in message and "[" in message for message in caplog.messages)
    assert "done after" in caplog.messages[-1]


def test_callbacks_are_told_of_each_step() -> None:
    class Heard(telic.BaseCallback):
        def __init__(self) -> None:
            self.steps: list[tuple[int, int]] = []

        def on_optimizer_step_end(self, call_id: str, outputs: Any, exception: Any = None) -> None:
            self.steps.append((len(outputs), sum(len(result.outcomes) for result in outputs)))

    heard = Heard()
    with telic.context(lm=planted_lm(), callbacks=[heard]):
        telic.BootstrapRS(metric=exact, num_candidate_programs=1, racing=False).compile(
            telic.Predict(Colour), trainset=rows(20), valset=rows(20, 100)
        )
    assert heard.steps[-1][1] == 20 * heard.steps[-1][0]


def test_the_live_table_ends_with_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    optimizer = telic.BootstrapFewShot(metric=exact)
    optimizer.display_progress = True
    with telic.context(lm=planted_lm()):
        optimizer.compile(telic.Predict(Colour), trainset=rows(20))
    assert "BootstrapFewShot: bootstrap demos" in capsys.readouterr().err
