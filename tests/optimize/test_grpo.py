"""`GRPO`, with a backend that adds up advantages in a table: better runs win, and nothing is paid twice."""

from __future__ import annotations

import pytest

import telic
from telic.errors import CompileError, TrainingError
from telic.finetune.data import TrainingExample
from telic.optimize import GRPO
from telic.optimize.strategy import Outcome
from telic.optimize.weights.groups import Rewards, Shape, advantages
from telic.optimize.weights.reinforcing import drawn
from telic.runtime.rng import rng
from telic.runtime.steps import Do
from telic.testing import ScriptedBackend, check_resume
from telic.types import Choice, Response, Usage
from tests.scripted import RecordedLM, chat

COLOURS = {"grass": "green", "sky": "blue", "blood": "red", "snow": "white"}
ROWS = [telic.Example(thing=t, colour=c).with_inputs("thing") for t, c in COLOURS.items()]


def right(example, prediction, trace=None):
    return float(prediction.colour == example.colour)


class Guesser(RecordedLM):
    """Says `red` when asked once; samples are any colour, or now and then nothing that can be read."""

    def __init__(self, **kwargs):
        super().__init__(lambda _: "", **kwargs)

    def asking(self, request):
        return Do(lambda: self._drawn(request), None)

    def _drawn(self, request):
        if request.rollout_id is None:
            text = chat(colour="red")
        else:
            dice = rng(7, request.messages[-1]["content"], request.rollout_id)
            colour = dice.choice([*COLOURS.values(), None])
            text = "I cannot say" if colour is None else chat(colour=colour)
        return Response((Choice(text),), Usage(5, 5), self.model, 0.0, 0.0)


def program():
    made = telic.Predict("thing -> colour")
    made.lm = Guesser()
    return made


def course(folder, **changed):
    options = {"num_train_steps": 6, "num_dspy_examples_per_grpo_step": 2, "num_rollouts_per_grpo_step": 10}
    options |= {"num_steps_for_val": 2, "backend": ScriptedBackend(folder), **changed}
    return GRPO(metric=right, **options)


@pytest.fixture(autouse=True)
def _no_second_try():
    with telic.context(max_repairs=0, json_fallback=False):
        yield


def test_the_better_runs_win(tmp_path):
    compiled = course(tmp_path).compile(program(), ROWS, valset=ROWS)
    assert [compiled(thing=t).colour for t in COLOURS] == list(COLOURS.values())
    assert compiled.report.ranking[0].mean == 1.0
    assert compiled.report.ranking[-1].label == "as given"
    assert compiled.report.ranking[-1].mean == 0.25
    (row,) = compiled.provenance["training"]
    assert row["format"] == "reinforce"
    assert row["started_from"], "later steps go on from earlier ones"
    assert row["measured"]["after"] == 1.0


def test_a_killed_course_goes_on_without_a_call_or_a_job_twice(tmp_path):
    folder = tmp_path / "jobs"
    seen = check_resume(
        lambda: course(folder, num_train_steps=2, num_threads=None), program(), trainset=ROWS, valset=ROWS
    )
    assert seen.kinds["replied"] == len(ScriptedBackend(folder).started) == 2


def test_a_budget_ends_it_with_the_best_so_far(tmp_path):
    compiled = course(tmp_path).compile(program(), ROWS, valset=ROWS, budget=telic.budget(calls=60))
    assert compiled.report.stopped is not None
    assert compiled.report.ranking[0].mean > 0.25


def test_equal_rewards_teach_nothing_and_it_is_said(tmp_path):
    backend = ScriptedBackend(tmp_path)
    flat = GRPO(
        metric=lambda e, p, trace=None: 1.0,
        num_train_steps=2,
        num_rollouts_per_grpo_step=3,
        failure_score=1.0,
        format_failure_score=1.0,
        backend=backend,
    )
    compiled = flat.compile(program(), ROWS)
    assert backend.started == []
    assert any("rewarded alike" in note for note in compiled.report.notes)


def test_each_example_comes_once_before_any_comes_again():
    class Problem:
        trainset = ROWS * 2

        @staticmethod
        def rng(*purpose):
            return rng(3, *purpose)

    steps = [drawn(Problem, number, 4) for number in range(4)]
    assert sorted(steps[0] + steps[1]) == sorted(steps[2] + steps[3]) == list(range(8))
    assert steps[:2] != steps[2:]


class Words:
    """Writes a training example of a step as its value, and of what cannot be read as its text."""

    def example(self, part, path, values):
        return TrainingExample.of_text("p", values["a"])

    def unread(self, part, path, values, text):
        return TrainingExample.of_text("p", text)


class Part:
    paths = ("self",)


def made(calls, score, unread=None):
    steps = tuple(("self", {"a": text}) for text in calls)
    failure = None if unread is None else "unread"
    return Outcome(0, score, failure, steps=steps, unread=None if unread is None else ("self", unread))


def advantages_of(rollouts, shape=None):
    class Problem:
        trainset = ROWS

    dice = rng(0, "fill")
    rows = advantages(Problem, Words(), Part, rollouts, Rewards(0, -1), shape or Shape(), dice)
    return [(row.completion, row.advantage) for row in rows]


def test_advantages_are_of_mean_0_and_spread_1():
    assert advantages_of([made("x", 1.0), made("y", 0.0)]) == [("x", 1.0), ("y", -1.0)]
    three = advantages_of([made("x", 1.0), made("y", 0.5), made("", None, "???")])
    assert sum(advantage for _, advantage in three) == pytest.approx(0, abs=1e-5)
    assert sum(advantage**2 for _, advantage in three) / 3 == pytest.approx(1, abs=1e-4)
    assert three[2][0] == "???"
    assert three[0][1] > three[1][1] > three[2][1]


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        (Shape("truncate"), ["x", "u"]),
        (Shape("ragged"), ["x", "u"]),
        (Shape("fill", "max"), ["x", "u", "y", "u"]),
        (Shape("fill", "randint"), ["x", "u", "y", "u"]),
    ],
)
def test_rollouts_that_call_unequally_often(shape, said):
    # A ragged group of one has nobody to be compared with.
    assert [text for text, _ in advantages_of([made("xy", 1.0), made("u", 0.0)], shape)] == said


def test_what_makes_no_sense_is_refused(tmp_path):
    for wrong in ({"num_train_steps": 0}, {"variably_invoked_predictor_grouping_mode": "pad"}):
        with pytest.raises(CompileError, match="GRPO"):
            GRPO(metric=right, **wrong)
    with pytest.raises(CompileError, match="fill strategy"):
        GRPO(metric=right, variably_invoked_predictor_grouping_mode="fill")
    with pytest.raises(CompileError, match="metric"):
        GRPO(backend=ScriptedBackend(tmp_path)).compile(program(), ROWS)
    with pytest.raises(CompileError, match="own runs"):
        course(tmp_path).compile(program(), ROWS, teacher=program())

    class Chats(ScriptedBackend):
        formats = frozenset({"chat"})

    with pytest.raises(TrainingError, match="'reinforce'"):
        course(tmp_path, backend=Chats(tmp_path)).compile(program(), ROWS)


def test_the_forecast_has_every_step(tmp_path):
    forecast = course(tmp_path).forecast(program(), ROWS, valset=ROWS)
    assert forecast.calls.worst >= 6 * 2 * 10
    assert any("Training takes besides" in note for note in forecast.notes)
