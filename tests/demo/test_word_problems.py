"""Generated problems are well-formed, and their equations solve them."""

from __future__ import annotations

import re
from fractions import Fraction

import pytest

from telic.cli.demo.calculator import calculate
from telic.cli.demo.templates import templates
from telic.cli.demo.word_problems import problems

MANY = problems(600, seed=3)


def test_there_are_many_templates_of_one_and_two_steps() -> None:
    assert len(templates()) >= 40
    assert {template.steps for template in templates()} == {1, 2}
    for sign in "+-*/":
        assert sum(f" {sign} " in template.equation for template in templates()) >= 6


def test_the_equation_gives_the_answer_and_uses_numbers_of_the_question() -> None:
    for problem in MANY:
        assert calculate(problem.equation) == problem.answer > 0
        given = re.findall(r"\d+", problem.question)
        used = re.findall(r"\d+", problem.equation)
        assert set(used) <= set(given), problem
        assert problem.question.endswith("?")
        assert not re.search(r"[{}]", problem.question + problem.equation)


def test_some_questions_carry_a_number_that_does_not_matter() -> None:
    spare = sum(len(re.findall(r"\d+", p.question)) > len(re.findall(r"\d+", p.equation)) for p in MANY)
    assert 0.2 < spare / len(MANY) < 0.5


def test_equal_seeds_give_equal_problems() -> None:
    assert problems(50, seed=1) == problems(50, seed=1)
    assert problems(50, seed=1) != problems(50, seed=2)
    assert problems(10, seed=1) == problems(50, seed=1)[:10]
    assert len({p.question for p in MANY}) == len(MANY)


def test_templates_are_used_about_equally_often() -> None:
    used = [p.template for p in MANY]
    assert max(map(used.count, used)) - min(map(used.count, used)) <= 2


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12 + 5", 17),
        ("(12 + 5) * 3", 51),
        ("7 / 2", Fraction(7, 2)),
        ("-3 + 5", 2),
        ("x = 12 + 5", 17),
        ("12 + 5 = 99", 17),
        ("$1,200 - $200", 1000),
        ("3 × 4 ÷ 2", 6),
        ("0.1 + 0.2", Fraction(3, 10)),
        (" 42 ", 42),
    ],
)
def test_calculate(text: str, value: object) -> None:
    assert calculate(text) == value


@pytest.mark.parametrize(
    "text",
    [
        *("", "=", "twelve", "1 / 0", "2 ** 9999", "__import__('os')", "1 +", "True + 1", "a + 1"),
        *("(" * 150, "1" * 300, "1 if 2 else 3", "f(1)", "'a' * 3"),
    ],
)
def test_what_is_not_a_sum_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"expression|zero|calculated"):
        calculate(text)
