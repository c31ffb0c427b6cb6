"""The programs of the demo: what they ask, and what counts as right."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Literal

from telic.cli.demo.calculator import calculate
from telic.cli.demo.data import INTENTS
from telic.data.prediction import Prediction
from telic.program.module import Module
from telic.program.predict import Predict
from telic.program.stepped import Call, SteppedModule
from telic.runtime.steps import Steps
from telic.signatures import InputField, OutputField, Signature


class Intent(Signature):
    """What does the customer want?"""

    message: str = InputField()
    intent: Literal[INTENTS] = OutputField()  # type: ignore[valid-type]


class Record(Signature):
    """Which product and which order is the message about? None where it does not say."""

    message: str = InputField()
    product: str | None = OutputField()
    order: str | None = OutputField()


class Desk(SteppedModule):
    """Sorts a customer's message: its intent, and the record it is about."""

    def __init__(self) -> None:
        self.intent = Predict(Intent)
        self.record = Predict(Record)

    def steps(self, message: str) -> Steps[Any]:
        """Two questions about one message."""
        intent = yield Call(self.intent, message=message)
        record = yield Call(self.record, message=message)
        return Prediction(intent=intent.intent, product=record.product, order=record.order)


def sorted_right(example: Any, prediction: Any, trace: Any = None) -> float:
    """Share of intent, product and order that are right; while bootstrapping, 1 only where all are."""
    right = [
        prediction.intent == example.intent,
        _same(prediction.product, example.product),
        _same(prediction.order, example.order),
    ]
    return float(all(right)) if trace is not None else sum(right) / len(right)


def _same(found: str | None, wanted: str | None) -> bool:
    return " ".join((found or "").lower().split()) == " ".join((wanted or "").lower().split())


class Direct(Signature):
    """Solve the word problem."""

    question: str = InputField()
    answer: int = OutputField()


class Equation(Signature):
    """Write the equation that solves the word problem."""

    question: str = InputField()
    equation: str = OutputField()


class Answerer(SteppedModule):
    """Says the answer outright."""

    def __init__(self) -> None:
        self.solve = Predict(Direct)

    def steps(self, question: str) -> Steps[Any]:
        """One question."""
        return (yield Call(self.solve, question=question))


class Calculator(SteppedModule):
    """Writes an equation and leaves the arithmetic to a calculator."""

    def __init__(self) -> None:
        self.write = Predict(Equation)

    def steps(self, question: str) -> Steps[Any]:
        """One question to the model, one sum for the calculator."""
        written = yield Call(self.write, question=question)
        try:
            answer: Fraction | None = calculate(written.equation)
        except ValueError:
            answer = None  # what is not an equation has no answer, and is scored as wrong
        return Prediction(equation=written.equation, answer=answer)


def solved(example: Any, prediction: Any, trace: Any = None) -> bool:
    """Whether the answer is the number."""
    return prediction.answer is not None and Fraction(prediction.answer) == Fraction(str(example.answer))


PROGRAMS: dict[str, type[Module]] = {"messages": Desk, "direct": Answerer, "equation": Calculator}
"""Programs by name, for `telic show` and tests."""
