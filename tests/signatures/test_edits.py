"""Edits give other signatures; state goes out and comes back only where it fits."""

from __future__ import annotations

from typing import Any

import pytest

from telic.errors import SignatureError
from telic.signatures import InputField, OutputField, Signature

BASE = Signature("question, context: list[str] -> answer: int, confidence: float")


def test_instructions() -> None:
    told = BASE.with_instructions("  Answer.\n    Be brief.\n")
    assert told.instructions == "Answer.\nBe brief."
    assert told.append_instructions("Really.").instructions == "Answer.\nBe brief.\n\nReally."
    assert told.with_instructions("").instructions == BASE.instructions
    assert BASE.instructions.startswith("Given the fields")
    assert told.fields == BASE.fields


def test_adding_fields() -> None:
    assert BASE.prepend("why", OutputField()).signature == "question, context -> why, answer, confidence"
    assert BASE.append("why", OutputField(), list[str]).typed_signature.endswith("why: list[str]")
    assert BASE.insert(1, "when", InputField()).signature == "question, when, context -> answer, confidence"
    assert BASE.insert(-2, "why", OutputField()).signature == "question, context -> answer, why, confidence"
    assert BASE.insert(2, "why", OutputField()).signature == "question, context -> answer, confidence, why"
    assert BASE.prepend("why", OutputField()).instructions == BASE.instructions
    assert BASE.prepend("why", OutputField()).fields["why"].prefix == "Why:"


@pytest.mark.parametrize("index", [3, -4])
def test_places_that_do_not_exist(index: int) -> None:
    with pytest.raises(SignatureError, match=f"Place {index} for 'why' does not exist"):
        BASE.insert(index, "why", OutputField())


def test_names_that_are_taken_or_impossible() -> None:
    with pytest.raises(SignatureError, match="already has a field 'answer'"):
        BASE.append("answer", OutputField())
    with pytest.raises(SignatureError, match="already has a field 'question'"):
        BASE.append("question", OutputField())
    with pytest.raises(SignatureError, match="not a Python identifier"):
        BASE.append("not good", OutputField())
    with pytest.raises(SignatureError, match=r"must be an InputField\(\)"):
        BASE.append("why", str)  # type: ignore[arg-type]


def test_deleting() -> None:
    assert BASE.delete("context").signature == "question -> answer, confidence"
    assert BASE.delete("nothing").equals(BASE)
    assert (
        BASE.delete("answer").append("answer", OutputField()).signature
        == "question, context -> confidence, answer"
    )


def test_updating_a_field() -> None:
    changed = BASE.with_updated_fields("answer", str, desc="in words", prefix="A:", max_length=5)
    field = changed.fields["answer"]
    assert (field.annotation, field.desc, field.prefix, field.constraints) == (
        str,
        "in words",
        "A:",
        {"max_length": 5},
    )
    again = changed.with_updated_fields("answer", min_length=1).fields["answer"]
    assert again.constraints == {"max_length": 5, "min_length": 1}
    assert again.desc == "in words"
    assert list(changed.fields) == list(BASE.fields)
    assert BASE.fields["answer"].annotation is int
    with pytest.raises(SignatureError, match=r"no field 'anwser'\. Did you mean 'answer'"):
        BASE.with_updated_fields("anwser", desc="x")


def test_equality_of_content() -> None:
    assert BASE.equals(Signature("question, context: list[str] -> answer: int, confidence: float"))
    assert not BASE.equals(Signature("context: list[str], question -> answer: int, confidence: float"))
    assert not BASE.equals(BASE.with_updated_fields("answer", desc="x"))
    assert not BASE.equals("question -> answer")
    assert not Signature("a -> b: Literal['x', 'y']").equals(Signature("a -> b: Literal['y', 'x']"))


def test_state_goes_out_and_comes_back() -> None:
    learnt = BASE.with_instructions("Learnt.").with_updated_fields("answer", desc="a count", prefix="Count:")
    state = learnt.dump_state()
    assert state["instructions"] == "Learnt."
    assert state["fields"][1] == {
        "name": "context",
        "type": "list[str]",
        "role": "input",
        "prefix": "Context:",
        "desc": "",
    }
    assert BASE.load_state(state).equals(learnt)


def test_state_of_dspy() -> None:
    state = {
        "instructions": "Learnt.",
        "fields": [
            {"prefix": "Question:", "description": "${question}"},
            {"prefix": "Facts:", "description": "what is known"},
            {"prefix": "Answer:", "description": "${answer}"},
            {"prefix": "Confidence:", "description": "${confidence}"},
        ],
    }
    loaded = BASE.load_state(state)
    assert loaded.instructions == "Learnt."
    assert loaded.fields["context"].prefix == "Facts:"
    assert loaded.fields["context"].desc == "what is known"
    assert loaded.fields["question"] == BASE.fields["question"]
    state["fields"] = state["fields"][:2]
    with pytest.raises(SignatureError, match="has 2 fields, not 4"):
        BASE.load_state(state)


@pytest.mark.parametrize(
    ("other", "differences"),
    [
        (
            "question, facts -> answer: str, confidence: float",
            [
                "field 'facts' was saved, but is not in the signature",
                "field 'context' was not saved",
                "field 'answer' was saved as str, but is int",
            ],
        ),
        (
            "question, confidence: float -> answer: int, context: list[str]",
            [
                "'context' was saved as output, but is input",
                "'confidence' was saved as input, but is output",
            ],
        ),
        (
            "context: list[str], question -> answer: int, confidence: float",
            ["the order was context, question, answer, confidence, but is question, context"],
        ),
    ],
)
def test_state_of_another_signature_is_refused(other: str, differences: list[str]) -> None:
    with pytest.raises(SignatureError) as caught:
        BASE.load_state(Signature(other).dump_state())
    for difference in differences:
        assert difference in str(caught.value)


@pytest.mark.parametrize(
    "state", [{}, {"instructions": "x"}, {"fields": []}, {"instructions": 5, "fields": []}, [], "x"]
)
def test_what_is_no_state(state: Any) -> None:
    with pytest.raises(SignatureError, match="not the state of a signature"):
        BASE.load_state(state)


def test_rows_that_are_no_rows() -> None:
    with pytest.raises(SignatureError, match="not JSON objects"):
        BASE.load_state({"instructions": "x", "fields": [1, 2, 3, 4]})
