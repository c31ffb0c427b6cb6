"""The programs of the demo: what they ask, and what counts as right."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Literal

from telic.cli.demo.calculator import calculate
from telic.cli.demo.data import INTENTS
from telic.data.prediction import Prediction
from telic.program.predict import Predict
from telic.program.stepped import Call, SteppedModule
from telic.runtime.steps import Steps
from telic.signatures import InputField, OutputField, Signature


class Intent(Signature):
    """Say what the customer wants."""

    message: str = InputField()
    intent: Literal[INTENTS] = OutputField()  # type: ignore[valid-type]


class Record(Signature):
    """Copy the details that the message gives."""

    message: str = InputField()
    order: str | None = OutputField()
    date: str | None = OutputField()
    product: str | None = OutputField()


class Desk(SteppedModule):
    """Sorts a customer's message: what is wanted, and which order, date and product it is about."""

    def __init__(self) -> None:
        self.intent = Predict(Intent)
        self.record = Predict(Record)

    def steps(self, message: str) -> Steps[Any]:
        """Two questions about one message."""
        intent = yield Call(self.intent, message=message)
        record = yield Call(self.record, message=message)
        return Prediction(intent=intent.intent, order=record.order, date=record.date, product=record.product)


FIELDS = ("intent", "order", "date", "product")
"""What `Desk` finds in a message."""


def values_found(example: Any, prediction: Any, trace: Any = None) -> float:
    """F1 of the values found in a message: saying nothing earns nothing, and inventing something costs.

    While bootstrapping (`trace` is given), 1 only where all is right.
    """
    found = {(name, _plain(prediction[name])) for name in FIELDS if prediction[name]}
    wanted = {(name, _plain(example[name])) for name in FIELDS if example[name]}
    if trace is not None:
        return float(found == wanted)
    return 2 * len(found & wanted) / (len(found) + len(wanted))


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


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
