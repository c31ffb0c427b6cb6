"""The programs, their data, and what counts as right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import telic
from telic.cli.demo.calculator import calculate
from telic.program.stepped import Call, SteppedModule
from telic.runtime.steps import Steps

SIZES = {"train": 60, "dev": 40, "test": 100}
DOMAINS = (
    *("auto_and_commute", "banking", "credit_cards", "home", "kitchen_and_dining"),
    *("meta", "small_talk", "travel", "utility", "work"),
)
"""All ten of CLINC150; out-of-scope rows are left out."""
BANKING = (
    *("age_limit", "card_arrival", "change_pin", "declined_card_payment", "exchange_rate"),
    *("lost_or_stolen_card", "request_refund", "terminate_account", "top_up_failed", "verify_my_identity"),
)
"""Ten of Banking77's 77 intents, chosen by hand to be told apart by their names."""


class Direct(telic.Signature):
    """Solve the word problem."""

    question: str = telic.InputField()
    answer: float = telic.OutputField()


class Equation(telic.Signature):
    """Write the equation that solves the word problem."""

    question: str = telic.InputField()
    equation: str = telic.OutputField()


class Domain(telic.Signature):
    """Which topic is the request about?"""

    text: str = telic.InputField()
    domain: Literal[DOMAINS] = telic.OutputField()  # type: ignore[valid-type]


class Banking(telic.Signature):
    """What does the customer of the bank ask about?"""

    text: str = telic.InputField()
    label: Literal[BANKING] = telic.OutputField()  # type: ignore[valid-type]


class Calculator(SteppedModule):
    """Writes an equation and leaves the arithmetic to a calculator."""

    def __init__(self) -> None:
        self.write = telic.Predict(Equation)

    def steps(self, question: str) -> Steps[Any]:
        written = yield Call(self.write, question=question)
        try:
            answer: float | None = float(calculate(written.equation))
        except ValueError:
            answer = None  # what is not an equation has no answer, and is scored as wrong
        return telic.Prediction(equation=written.equation, answer=answer)


def solved(example: Any, prediction: Any, trace: Any = None) -> bool:
    """Whether the answer is the number, within rounding."""
    return prediction.answer is not None and abs(prediction.answer - example.answer) < 1e-3


def same(field: str) -> Callable[..., bool]:
    """A metric: whether one field is as the example has it."""

    def right(example: Any, prediction: Any, trace: Any = None) -> bool:
        return bool(example[field] == prediction[field])

    return right


@dataclass(frozen=True)
class Task:
    """A program on a data set.

    Attributes:
        title: for the table.
        data: name of the data set.
        program: as declared.
        metric: scores an answer.
        max_tokens: most tokens of an answer.
        field: the row's field that is the label, where rows are chosen by it.
        labels: the labels whose rows are taken; all rows where there are none.
    """

    title: str
    data: str
    program: telic.Module
    metric: Callable[..., bool]
    max_tokens: int
    field: str = ""
    labels: tuple[str, ...] = ()

    def rows(self, split: str, seed: int) -> list[telic.Example]:
        """The rows of a split, drawn by a seed."""
        found = telic.datasets.load(self.data, split, seed=seed)
        if self.labels:
            found = [row for row in found if row[self.field] in self.labels]
        return found[: SIZES[split]]


def tasks() -> list[Task]:
    """All of them."""
    arithmetic = "arith_aggregate"
    return [
        Task("word problems, answered directly", arithmetic, telic.Predict(Direct), solved, 16),
        Task("word problems, equation and calculator", arithmetic, Calculator(), solved, 40),
        Task(
            "CLINC150, ten domains", "clinc150_small", telic.Predict(Domain), same("domain"), 16,
            "domain", DOMAINS,
        ),
        Task(
            "Banking77, ten of its intents", "banking77", telic.Predict(Banking), same("label"), 16,
            "label", BANKING,
        ),
    ]  # fmt: skip
