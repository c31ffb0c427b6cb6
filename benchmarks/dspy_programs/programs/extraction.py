"""Nested models out of a text: as a chat, as JSON with a schema, as XML."""

import datetime
import os
from enum import Enum
from typing import Optional

import pydantic

import dspy


class Currency(str, Enum):
    POUND = "GBP"
    EURO = "EUR"


class Line(pydantic.BaseModel):
    what: str = pydantic.Field(description="the goods")
    amount: int
    price: float


class Invoice(pydantic.BaseModel):
    number: str
    day: datetime.date
    currency: Currency
    lines: list[Line]
    note: Optional[str] = None


class Extract(dspy.Signature):
    """Read the invoice."""

    text: str = dspy.InputField()
    invoice: Invoice = dspy.OutputField()
    people: list[str] = dspy.OutputField(desc="who is named")
    totals: dict[str, float] = dspy.OutputField()


TEXT = "Invoice A7 of 3 May 2026, to Mairi: two lamps at 12.50 GBP."
dspy.configure(lm=dspy.LM("openai/gpt-4o-mini", api_base=os.environ["LM_URL"], api_key="none", cache=False))
for adapter in (dspy.ChatAdapter(), dspy.JSONAdapter(), dspy.XMLAdapter()):
    with dspy.context(adapter=adapter):
        result = dspy.Predict(Extract)(text=TEXT)
    print(
        result.invoice.number, result.invoice.day, result.invoice.currency.value, result.invoice.lines[0].what
    )
    print(result.people, result.totals)
