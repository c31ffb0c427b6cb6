"""Signatures, types and adapters that tests of adapters ask with."""

from __future__ import annotations

from typing import Any, Literal

import pydantic

from tests.compat.target import dspy

QA = dspy.Signature("question, hint -> reasoning, answer", "Answer the question.")


class Person(pydantic.BaseModel):
    name: str
    age: int


class Card(dspy.Signature):
    """Fill in the card."""

    text: str = dspy.InputField()
    who: Person = dspy.OutputField()
    tags: list[str] = dspy.OutputField()
    mood: Literal["good", "bad"] = dspy.OutputField()


def adapters() -> list[Any]:
    return [dspy.ChatAdapter(), dspy.JSONAdapter(), dspy.XMLAdapter()]


def text_of(message: dict[str, Any]) -> str:
    content = message["content"]
    return content if isinstance(content, str) else " ".join(part.get("text", "") for part in content)
