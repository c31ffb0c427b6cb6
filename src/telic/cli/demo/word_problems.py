"""Word problems from templates, as many as are wanted, each with the equation that solves it."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

from telic.cli.demo.calculator import calculate
from telic.cli.demo.templates import ASIDES, ITEMS, NAMES, PLACES, Template, templates

RANGES = {"a": (4, 60), "b": (3, 40), "c": (3, 30), "d": (3, 60), "k": (2, 9), "m": (2, 9)}
"""The numbers a letter may stand for; `k` and `m` are for factors, `d` for a number that does not matter."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A question with its solution.

    Attributes:
        question: the text.
        equation: an expression over numbers of the question, e.g. `(12 + 5) * 3`.
        answer: its value, a whole number.
        template: the number of the template it was made from.
    """

    question: str
    equation: str
    answer: int
    template: int


def problems(count: int, seed: int) -> list[Problem]:
    """Make problems, no two with the same text, each template used about as often as any other.

    Args:
        count: how many.
        seed: equal seeds give equal problems.
    """
    rng = random.Random(f"problems:{seed}")
    made: dict[str, Problem] = {}
    for number in _shuffled_forever(list(range(len(templates()))), rng):
        if len(made) == count:
            break
        problem = _fill(number, templates()[number], rng)
        made.setdefault(problem.question, problem)
    return list(made.values())


def _shuffled_forever(numbers: list[int], rng: random.Random) -> Iterator[int]:
    while True:
        yield from rng.sample(numbers, len(numbers))


def _fill(number: int, template: Template, rng: random.Random) -> Problem:
    text = template.text
    if rng.random() < 1 / 3:
        text = _with_aside(text, rng.choice(ASIDES))
    first, second = rng.sample(NAMES, 2)
    item, other = rng.sample(ITEMS, 2)
    words = {"n": first, "o": second, "items": item, "others": other, "place": rng.choice(PLACES)}
    values, answer = _numbers(template.equation, rng)
    return Problem(text.format(**words, **values), template.equation.format(**values), answer, number)


def _with_aside(text: str, aside: str) -> str:
    """Put a sentence with a number that does not matter in front of the question."""
    body, _, question = text.rpartition(". ")
    return f"{body}. {aside} {question}"


def _numbers(equation: str, rng: random.Random) -> tuple[dict[str, int], int]:
    """Numbers for which every step of the equation is a positive whole number."""
    while True:
        values = {letter: rng.randint(*limits) for letter, limits in RANGES.items()}
        used = [values[letter] for letter in re.findall(r"{(\w)}", equation)]
        steps = [calculate(step) for step in _steps(equation.format(**values))]
        if len(set(used)) == len(used) and all(s == int(s) and 1 < s <= 500 for s in steps):
            return values, int(steps[-1])


def _steps(equation: str) -> list[str]:
    """The parts that are computed on the way, the whole last."""
    return [*re.findall(r"\(([^()]*)\)", equation), *re.findall(r"\d+ [*/] \d+", equation), equation]
