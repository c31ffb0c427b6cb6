"""What the demo's programs ask, and how their answers are scored."""

from __future__ import annotations

import pytest

from telic.cli.demo.cases import case
from telic.cli.demo.data import messages
from telic.cli.demo.programs import FIELDS, Calculator, Desk, solved, values_found
from telic.data import Example, Prediction
from telic.errors import InputError
from telic.runtime.settings import settings
from telic.testing import DummyLM

WANTED = Example(message="?", intent="it is broken", order=None, date="Monday", product="Kettle")


def said(**changes: str | None) -> Prediction:
    return Prediction(**{**{name: WANTED[name] for name in FIELDS}, **changes})


@pytest.mark.parametrize(
    ("prediction", "score"),
    [
        (said(), 1.0),
        (said(product=" kettle"), 1.0),
        (said(order="", date=None), 0.8),
        (said(order="77"), 6 / 7),
        (said(intent="send it back", date=None, product=None), 0.0),
        (Prediction(intent="it is broken", order="1", date="2", product="3"), 2 / 7),
    ],
)
def test_values_that_are_found_count_and_invented_ones_cost(prediction: Prediction, score: float) -> None:
    assert values_found(WANTED, prediction) == pytest.approx(score)
    assert values_found(WANTED, prediction, trace=[]) == float(score == 1)


def test_the_gold_answers_of_all_messages_score_fully() -> None:
    for example in messages().test:
        assert values_found(example, Prediction(**{name: example[name] for name in FIELDS})) == 1


def test_the_desk_asks_two_questions() -> None:
    answers = [{"intent": "it is broken"}, {"order": "77", "date": "None", "product": "kettle"}]
    with settings.context(lm=DummyLM(answers)):
        found = Desk()(message="My kettle from order 77 leaks.")
    assert found.toDict() == {"intent": "it is broken", "order": "77", "date": None, "product": "kettle"}


@pytest.mark.parametrize(
    ("equation", "right"), [("(3 + 4) * 2", True), ("3 + 4", False), ("I think 14", False)]
)
def test_the_calculator_works_out_what_was_written(equation: str, right: bool) -> None:
    with settings.context(lm=DummyLM([{"equation": equation}])):
        prediction = Calculator()(question="?")
    assert solved(Example(answer=14), prediction) is right


def test_a_demo_that_there_is_not_is_named() -> None:
    with pytest.raises(InputError, match="messages"):
        case("weather")
