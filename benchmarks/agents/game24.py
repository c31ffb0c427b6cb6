"""Make 24 of four numbers, with a calculator (the game of Yao et al., 2023, arXiv:2305.10601)."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import telic
from benchmarks.agents.scripted import Call, Calls, Mind, Minds, Outputs, Way
from telic.cli.demo.calculator import calculate

SIGNATURE = telic.Signature("numbers: list[int] -> expression: str").with_instructions(
    "Make 24 of the four numbers, each used exactly once, with + - * / and brackets. Try expressions with "
    "the calculator, and give the one that is 24."
)
GOAL = Fraction(24)


def calculator(expression: str) -> str:
    """Work out an arithmetic expression.

    Args:
        expression: numbers, + - * / and brackets, such as (3 + 5) * 3
    """
    return f"{expression} = {calculate(expression)}"


def solves(numbers: Sequence[int], expression: Any) -> bool:
    """Whether an expression uses each of the numbers once, and nothing else, and is 24; exactly."""
    try:
        tree = ast.parse(str(expression).partition("=")[0].strip(), mode="eval")
        value = calculate(ast.unparse(tree))
    except (SyntaxError, ValueError):
        return False
    used = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    return value == GOAL and sorted(used) == sorted(numbers)


def attempts(numbers: Sequence[int]) -> Iterator[str]:
    """Expressions that use each number once: a plain sum first, then those that are 24."""
    yield " + ".join(map(str, numbers))
    for value, expression in _values([(Fraction(number), str(number)) for number in numbers]):
        if value == GOAL:
            yield expression


def _values(parts: list[tuple[Fraction, str]]) -> Iterator[tuple[Fraction, str]]:
    """All that can be made of the parts, two of which are joined first."""
    if len(parts) == 1:
        yield parts[0]
        return
    for i, (a, left) in enumerate(parts):
        for j, (b, right) in enumerate(parts):
            if i == j:
                continue
            rest = [part for n, part in enumerate(parts) if n not in (i, j)]
            for joined in _joined(a, left, b, right, ordered=i < j):
                yield from _values([*rest, joined])


def _joined(
    a: Fraction, left: str, b: Fraction, right: str, *, ordered: bool
) -> Iterator[tuple[Fraction, str]]:
    if ordered:  # the other order is the same
        yield a + b, f"({left} + {right})"
        yield a * b, f"({left} * {right})"
    yield a - b, f"({left} - {right})"
    if b:
        yield a / b, f"({left} / {right})"


def rows(limit: int, seed: int = 0) -> list[telic.Example]:
    """Games of the test split."""
    return telic.datasets.load("game24", "test", limit, seed)


def scripted(way: Way, given: Sequence[telic.Example]) -> list[bool]:
    """Whether each game is won by a model that tries what a solver finds and reads the calculator."""
    with Minds(way) as minds:
        return [
            _played(way.agent, row, {"lm": minds.lm(_mind(row.numbers)), "adapter": way.adapter})
            for row in given
        ]


def modelled(lm: telic.LM, given: Sequence[telic.Example], max_iters: int = 3) -> list[bool]:
    """The same with a model that finds out by itself, in at most `max_iters` turns."""
    return [_played(telic.ReAct, row, {"lm": lm}, max_iters) for row in given]


def _played(agent: Any, row: telic.Example, settings: dict[str, Any], max_iters: int = 20) -> bool:
    with telic.context(**settings):
        prediction = agent(SIGNATURE, tools=[calculator], max_iters=max_iters)(numbers=row.numbers)
    return solves(row.numbers, prediction.expression)


def _mind(numbers: Sequence[int]) -> Mind:
    for expression in attempts(numbers):
        shown = yield Calls([Call("calculator", {"expression": expression})])
        if f"{expression} = 24" in shown:  # what the calculator gave back has reached the model
            yield Outputs({"expression": expression})
            return
    yield Outputs({"expression": "none"})
