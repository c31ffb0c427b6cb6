"""A calculator for what a model writes: the four operations and brackets, nothing else."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable
from fractions import Fraction

_LONGEST = 200
_OPERATIONS: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def calculate(equation: str) -> Fraction:
    """The exact value of an expression such as `(12 + 5) * 3`.

    Of `x = 12 + 5` and of `12 + 5 = 17` the side with an operation counts, so that a sum worked out wrongly
    does no harm. `×`, `÷`, currency signs and thousands separators are understood.

    Raises:
        ValueError: it is not an expression of numbers, or it divides by zero.
    """
    text = re.sub(r"[$€£%]|(?<=\d),(?=\d{3}\b)", "", equation).translate({0xD7: "*", 0xF7: "/", 0x2212: "-"})
    sides = [side.strip() for side in text.split("=") if side.strip()]
    expression = next((side for side in sides if re.search(r"\d\s*[-+*/]", side)), sides[-1] if sides else "")
    if not expression or len(expression) > _LONGEST:
        raise ValueError(f"not an expression: {equation[:_LONGEST]!r}")
    try:
        return _value(ast.parse(expression, mode="eval").body)
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise ValueError(f"not an expression: {equation!r}") from error
    except ZeroDivisionError as error:
        raise ValueError(f"division by zero: {equation!r}") from error


def _value(node: ast.expr) -> Fraction:
    match node:
        case ast.Constant(value=bool()):
            pass
        case ast.Constant(value=int() | float() as number):
            return Fraction(str(number))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand)
        case ast.BinOp(left=left, op=operation, right=right) if type(operation) in _OPERATIONS:
            return _OPERATIONS[type(operation)](_value(left), _value(right))
    raise ValueError(f"only numbers, + - * / and brackets can be calculated, not {ast.unparse(node)!r}")
