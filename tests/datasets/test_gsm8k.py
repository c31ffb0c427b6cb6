"""Numbers read out of answers."""

from __future__ import annotations

from typing import Any

import pytest

from telic.data import Example, Prediction
from telic.datasets import gsm8k_metric, parse_integer_answer
from telic.datasets.gsm8k import parse_number


@pytest.mark.parametrize(
    ("text", "first_line", "everything"),
    [
        ("The answer is 1,234.", 1234, 1234),
        ("#### 72", 72, 72),
        ("72.50", 72, 72),
        ("$5\n7", 5, 7),
        ("no", 0, 0),
        ("a 3 b 4", 4, 4),
        ("12.", 12, 12),
        ("abc 5%", 5, 5),
        (" \n 8 apples", 8, 8),
        (9, 9, 9),
    ],
)
def test_integer_answers(text: Any, first_line: int, everything: int) -> None:
    assert parse_integer_answer(text) == first_line
    assert parse_integer_answer(text, only_first_line=False) == everything


@pytest.mark.parametrize(
    ("text", "number"),
    [("3 then -4.50", -4.5), ("−2", -2), ("$1,000.00 in all", 1000), ("none", None), ("7.", 7), ("$.5", 0.5)],
)
def test_numbers(text: str, number: float | None) -> None:
    assert parse_number(text) == number


@pytest.mark.parametrize(
    ("gold", "given", "right"),
    [
        (72, "It is 72.", True),
        ("72", 72.0, True),
        (7.5, "$7.50", True),
        (7.5, "7", False),
        (0, "no idea", False),
        (-3, "-3", True),
        (5, "5\nor 6", True),
        (1, True, False),
        (1, None, False),
    ],
)
def test_metric(gold: Any, given: Any, right: bool) -> None:
    assert gsm8k_metric(Example(answer=gold), Prediction(answer=given)) is right
