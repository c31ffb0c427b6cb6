"""The end of a search: what the facts say."""

from __future__ import annotations

from typing import Literal

from telic.signatures import InputField, OutputField, Signature


class AnswerFromFacts(Signature):
    """Answer the question from the facts, in a few words."""

    context: list[str] = InputField(desc="facts that may be relevant")
    question: str = InputField()
    answer: str = OutputField(desc="often between one and five words")


class VerifyFromFacts(Signature):
    """Decide whether the facts, taken together, support the whole claim."""

    context: list[str] = InputField(desc="facts that may be relevant")
    claim: str = InputField()
    label: Literal["SUPPORTED", "NOT_SUPPORTED"] = OutputField()
