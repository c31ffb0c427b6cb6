"""Signatures in DSPy's terms: fields, edits, comparison, states."""

from __future__ import annotations

from typing import Any

import pytest

from tests.compat.target import dspy

# What a field says.


class QA(dspy.Signature):
    """Answer briefly."""

    context: list[str] = dspy.InputField(desc="may hold facts")
    question: str = dspy.InputField()
    answer: str = dspy.OutputField(desc="between 1 and 5 words")


def test_prefixes_come_from_names() -> None:
    assert QA.fields["question"].json_schema_extra["prefix"] == "Question:"
    assert dspy.Signature("someLongName -> b").fields["someLongName"].json_schema_extra["prefix"] == (
        "Some Long Name:"
    )


def test_descriptions_default_to_the_name() -> None:
    assert QA.fields["question"].json_schema_extra["desc"] == "${question}"
    assert QA.fields["context"].json_schema_extra["desc"] == "may hold facts"


def test_roles_are_in_the_extra() -> None:
    assert QA.fields["question"].json_schema_extra["__dspy_field_type"] == "input"
    assert QA.fields["answer"].json_schema_extra["__dspy_field_type"] == "output"


def test_a_prefix_of_ones_own() -> None:
    signature = dspy.make_signature({"q": dspy.InputField(prefix="Ask:"), "a": dspy.OutputField()})
    assert signature.fields["q"].json_schema_extra["prefix"] == "Ask:"


def test_description_is_another_word_for_desc() -> None:
    class Told(dspy.Signature):
        a: str = dspy.InputField(description="told so")
        b: str = dspy.OutputField()

    assert (
        Told.fields["a"].json_schema_extra["desc"] == "told so" or Told.fields["a"].description == "told so"
    )


@pytest.mark.parametrize(
    ("constraint", "said"),
    [
        ({"gt": 5}, "greater than: 5"),
        ({"ge": 5}, "greater than or equal to: 5"),
        ({"lt": 5}, "less than: 5"),
        ({"le": 5}, "less than or equal to: 5"),
        ({"min_length": 2}, "minimum length: 2"),
        ({"max_length": 2}, "maximum length: 2"),
        ({"multiple_of": 2}, "a multiple of the given number: 2"),
    ],
)
def test_constraints_are_kept_in_words(constraint: dict[str, Any], said: str) -> None:
    class Held(dspy.Signature):
        a: str = dspy.InputField()
        b: int = dspy.OutputField(**constraint)

    words = Held.fields["b"].json_schema_extra["constraints"]
    assert words.split(":")[-1] == said.split(":")[-1]
    assert words.split(":")[0].split()[0] == said.split()[0]


def test_required() -> None:
    assert QA.fields["question"].is_required()


@pytest.mark.parametrize(
    ("name", "prefix"),
    [
        ("question", "Question"),
        ("some_text", "Some Text"),
        ("someText", "Some Text"),
        ("HTMLPage", "HTML Page"),
        ("isHTMLPage", "Is HTML Page"),
        ("some_attr_name", "Some Attr Name"),
        ("text2Speech", "Text 2 Speech"),
        ("answer1", "Answer 1"),
        ("GPTModel", "GPT Model"),
    ],
)
def test_infer_prefix(name: str, prefix: str) -> None:
    assert dspy.infer_prefix(name) == prefix


# Edits return another signature.


def test_with_instructions() -> None:
    changed = QA.with_instructions("Other.")
    assert changed.instructions == "Other."
    assert QA.instructions == "Answer briefly."
    assert list(changed.fields) == list(QA.fields)
    assert changed is not QA


def test_append_instructions() -> None:
    changed = QA.append_instructions("Be kind.")
    assert changed.instructions.startswith("Answer briefly.")
    assert changed.instructions.endswith("Be kind.")


def test_append_a_field() -> None:
    changed = QA.append("confidence", dspy.OutputField(desc="how sure"), float)
    assert list(changed.output_fields) == ["answer", "confidence"]
    assert changed.fields["confidence"].annotation is float
    assert "confidence" not in QA.fields


def test_prepend_a_field() -> None:
    changed = QA.prepend("reasoning", dspy.OutputField())
    assert list(changed.output_fields) == ["reasoning", "answer"]
    changed = QA.prepend("hint", dspy.InputField())
    assert list(changed.input_fields) == ["hint", "context", "question"]


@pytest.mark.parametrize(
    ("index", "order"),
    [(0, ["x", "a", "b"]), (1, ["a", "x", "b"]), (2, ["a", "b", "x"]), (-1, ["a", "b", "x"])],
)
def test_insert_a_field(index: int, order: list[str]) -> None:
    assert list(dspy.Signature("a, b -> c").insert(index, "x", dspy.InputField()).input_fields) == order


def test_insert_an_output() -> None:
    changed = dspy.Signature("a -> b, c").insert(1, "x", dspy.OutputField(), int)
    assert list(changed.output_fields) == ["b", "x", "c"]
    assert changed.fields["x"].annotation is int


def test_insert_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError):
        dspy.Signature("a -> b").insert(7, "x", dspy.InputField())


def test_delete_a_field() -> None:
    changed = QA.delete("context")
    assert list(changed.input_fields) == ["question"]
    assert list(QA.input_fields) == ["context", "question"]


def test_delete_an_unknown_field_changes_nothing() -> None:
    assert list(QA.delete("nothing").fields) == list(QA.fields)


def test_with_updated_fields() -> None:
    changed = QA.with_updated_fields("answer", desc="one word")
    assert changed.fields["answer"].json_schema_extra["desc"] == "one word"
    assert QA.fields["answer"].json_schema_extra["desc"] == "between 1 and 5 words"
    assert changed.fields["question"].json_schema_extra == QA.fields["question"].json_schema_extra


def test_with_an_updated_type() -> None:
    changed = QA.with_updated_fields("answer", type_=int)
    assert changed.fields["answer"].annotation is int
    assert QA.fields["answer"].annotation is str


def test_edits_can_be_chained() -> None:
    changed = dspy.Signature("a -> b").append("c", dspy.InputField()).delete("a").with_instructions("Go.")
    assert (list(changed.input_fields), changed.instructions) == (["c"], "Go.")


def test_an_edited_signature_is_a_signature() -> None:
    assert issubclass(QA.with_instructions("x"), dspy.Signature)
    assert issubclass(QA.append("d", dspy.InputField()), dspy.Signature)


# Comparing.


def test_equal_signatures() -> None:
    assert dspy.Signature("a, b -> c").equals(dspy.Signature("a, b -> c"))
    assert QA.equals(QA)


@pytest.mark.parametrize(
    "other",
    [
        dspy.Signature("a, b -> d"),
        dspy.Signature("b, a -> c"),
        dspy.Signature("a -> c"),
        dspy.Signature("a, b -> c", "Do."),
        dspy.Signature("a, b -> c: int"),
    ],
    ids=["output", "order", "fewer", "instructions", "type"],
)
def test_unequal_signatures(other: Any) -> None:
    assert not dspy.Signature("a, b -> c", "Given.").with_instructions("Given.").equals(other)


def test_not_equal_to_other_things() -> None:
    assert not QA.equals("context, question -> answer")


# State.


def test_state_has_instructions_and_fields() -> None:
    state = QA.dump_state()
    assert state["instructions"] == "Answer briefly."
    assert [field["prefix"] for field in state["fields"]] == ["Context:", "Question:", "Answer:"]


def test_state_goes_back() -> None:
    changed = QA.with_instructions("Learnt.").with_updated_fields("answer", desc="learnt too")
    loaded = QA.load_state(changed.dump_state())
    assert loaded.instructions == "Learnt."
    assert loaded.fields["answer"].json_schema_extra["desc"] == "learnt too"
    assert QA.instructions == "Answer briefly."


def test_a_state_of_dspy_is_read() -> None:
    rows = [
        {"prefix": "Q:", "description": "asked"},
        {"prefix": "A:", "description": "said"},
    ]
    loaded = dspy.Signature("question -> answer").load_state({"instructions": "Learnt.", "fields": rows})
    assert loaded.instructions == "Learnt."
    assert loaded.fields["question"].json_schema_extra["prefix"] == "Q:"
    assert loaded.fields["answer"].json_schema_extra["desc"] == "said"
