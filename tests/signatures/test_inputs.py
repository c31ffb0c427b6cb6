"""Inputs of a call against the signature."""

from __future__ import annotations

import pytest

from telic.errors import InputError
from telic.signatures import InputField, OutputField, Signature, check_inputs
from telic.signatures.inputs import type_mismatches

BASE = Signature("question, context: list[str] -> answer")


def test_inputs_that_fit_come_back_as_they_are() -> None:
    inputs = {"context": ["x"], "question": "q"}
    assert check_inputs(BASE, inputs) is inputs


@pytest.mark.parametrize(
    ("inputs", "complaint"),
    [
        ({"question": "q"}, "missing: context"),
        ({}, "missing: question, context"),
        ({"question": "q", "context": [], "topic": "t"}, "'topic' is unknown"),
        ({"qestion": "q", "context": []}, "missing: question.*'qestion' is unknown. Did you mean 'question'"),
        ({"question": "q", "context": [], "answer": "a"}, "'answer' is an output, not an input"),
    ],
)
def test_inputs_that_do_not_fit(inputs: dict[str, object], complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        check_inputs(BASE, inputs)


def test_positional_inputs() -> None:
    with pytest.raises(InputError, match=r"\(question=..., context=...\), not with 2 positional arguments"):
        check_inputs(BASE, {}, ("q", []))


def test_defaults_are_filled_in() -> None:
    class Ask(Signature):
        question: str = InputField()
        language: str = InputField(default="English")
        notes: list[str] = InputField(default_factory=list)
        answer: str = OutputField()

    given = {"question": "q"}
    filled = check_inputs(Ask, given)
    assert filled == {"question": "q", "language": "English", "notes": []}
    assert given == {"question": "q"}
    assert check_inputs(Ask, given)["notes"] is not filled["notes"]
    with pytest.raises(InputError, match="missing: question"):
        check_inputs(Ask, {"language": "French"})


def test_plainly_wrong_types_are_hinted_at() -> None:
    assert type_mismatches(BASE, {"question": "q", "context": ["x"]}) == []
    assert type_mismatches(BASE, {"question": 5, "context": "x"}) == [
        "'question' is int (5), but declared as str",
        "'context' is str ('x'), but declared as list",
    ]
