"""Signatures as classes: fields, instructions, inheritance, immutability."""

from __future__ import annotations

import copy
import pickle
from typing import Any, ClassVar, Literal

import pytest

from telic.errors import SignatureError
from telic.signatures import (
    MISSING,
    Field,
    InputField,
    OutputField,
    Signature,
    SignatureMeta,
    ensure_signature,
    infer_prefix,
    make_signature,
)
from tests.signatures.shapes import Person


class Sort(Signature):
    """Sort a message.

    Be   brief.
    """

    answer: Literal["yes", "no"] = OutputField(desc="the verdict")
    message: str = InputField(desc="what was written", prefix="Message:")
    places: list[Person] = InputField(default_factory=list)
    LIMIT: ClassVar[int] = 3

    @classmethod
    def limit(cls) -> int:
        return cls.LIMIT


def test_a_class_declares_fields_and_instructions() -> None:
    assert Sort.instructions == "Sort a message.\n\nBe   brief."
    assert Sort.signature == "message, places -> answer"
    assert Sort.typed_signature == "message, places: list[Person] -> answer: Literal['yes', 'no']"
    assert Sort.limit() == 3
    field = Sort.fields["message"]
    assert (field.name, field.role, field.desc, field.prefix) == (
        "message",
        "input",
        "what was written",
        "Message:",
    )
    assert Sort.input_fields["places"].annotation == list[Person]
    assert isinstance(Sort, SignatureMeta)
    assert issubclass(Sort, Signature)


def test_fields_look_as_in_dspy() -> None:
    class Grade(Signature):
        essay: str = InputField()
        grade: int = OutputField(description="out of ten", ge=0, le=10, format=str)

    assert Grade.instructions == "Given the fields `essay`, produce the fields `grade`."
    assert Grade.fields["essay"].json_schema_extra == {
        "__dspy_field_type": "input",
        "prefix": "Essay:",
        "desc": "${essay}",
    }
    grade = Grade.fields["grade"]
    assert grade.json_schema_extra["constraints"] == "greater than or equal to: 0, less than or equal to: 10"
    assert grade.description == grade.json_schema_extra["desc"] == "out of ten"
    assert grade.extra == {"format": str}
    assert grade.is_required()


def test_a_field_without_a_type_is_text() -> None:
    class Plain(Signature):
        question = InputField()
        answer = OutputField(annotation=int)

    assert Plain.fields["question"].annotation is str
    assert not Plain.fields["question"].has_type
    assert Plain.fields["answer"].annotation is int


def test_subclasses_add_and_replace() -> None:
    class Base(Signature):
        question: str = InputField()
        answer: str = OutputField()

    class Explained(Base):
        answer: int = OutputField(desc="a number")
        why: str = OutputField()

    class Told(Sort, Base):
        pass

    assert Explained.typed_signature == "question -> answer: int, why"
    assert Explained.instructions == "Given the fields `question`, produce the fields `answer`, `why`."
    assert Told.instructions == Sort.instructions
    assert list(Told.fields) == ["question", "message", "places", "answer"]
    assert Told.fields["answer"] == Sort.fields["answer"]


def test_types_of_the_scope_around_the_class() -> None:
    class Local:
        pass

    class Uses(Signature):
        thing: Local = InputField()
        things: dict[str, list[Local]] = OutputField()

    assert Uses.fields["thing"].annotation is Local
    assert Uses.fields["things"].annotation == dict[str, list[Local]]


def test_a_typed_name_that_is_no_field() -> None:
    with pytest.raises(SignatureError, match=r"'question' in Bad has a type but is no field.*InputField\(\)"):

        class Bad(Signature):
            question: str
            answer: str = OutputField()


def test_types_that_cannot_be_resolved() -> None:
    with pytest.raises(SignatureError, match=r"types of Bad cannot be resolved.*Nowhere"):

        class Bad(Signature):
            answer: Nowhere = OutputField()  # type: ignore[name-defined]  # noqa: F821


def test_no_outputs() -> None:
    with pytest.raises(SignatureError, match="Bad has no output field"):

        class Bad(Signature):
            question: str = InputField()

    with pytest.raises(SignatureError, match="no output field"):
        make_signature({"question": InputField()})


def test_a_field_named_like_a_call_argument() -> None:
    with pytest.raises(SignatureError, match="'config' cannot name an input field"):

        class Bad(Signature):
            config: str = InputField()
            answer: str = OutputField()


def test_from_a_dict() -> None:
    made = make_signature({"a": InputField(desc="x"), "b": (list[int], OutputField())}, "Do.", "Made")
    assert made.__name__ == "Made"
    assert made.instructions == "Do."
    assert made.typed_signature == "a -> b: list[int]"
    for bad in ({"a": 5}, {"a": (str, 5)}, {"a b": OutputField()}):
        with pytest.raises(SignatureError):
            make_signature(bad)


def test_ensure_signature() -> None:
    assert ensure_signature(None) is None
    assert ensure_signature(Sort) is Sort
    assert ensure_signature("a -> b", "Do.").instructions == "Do."
    with pytest.raises(SignatureError, match="with_instructions"):
        ensure_signature(Sort, "Do.")
    with pytest.raises(SignatureError, match="not from int"):
        ensure_signature(5)


def test_nothing_can_be_changed_in_place() -> None:
    for name in ("instructions", "fields", "_fields", "__doc__", "anything"):
        with pytest.raises(SignatureError, match="immutable"):
            setattr(Sort, name, "x")
    with pytest.raises(SignatureError, match="immutable"):
        del Sort.LIMIT
    fields: Any = Sort.fields
    for change in (
        lambda: fields.__setitem__("x", 1),
        lambda: fields.pop("message"),
        lambda: fields.update(x=1),
        lambda: fields.clear(),
        lambda: setattr(fields["message"], "desc", "y"),
        lambda: delattr(fields["message"], "desc"),
    ):
        with pytest.raises(SignatureError):
            change()
    view = Sort.fields["message"].json_schema_extra
    view["desc"] = "changed"
    assert Sort.fields["message"].desc == "what was written"


def test_signatures_are_not_called_and_fields_are_not_attributes() -> None:
    with pytest.raises(SignatureError, match=r"Predict\(Sort\)"):
        Sort(message="x")
    with pytest.raises(AttributeError, match=r"Sort.fields\['message'\]"):
        _ = Sort.message  # type: ignore[misc]
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = Sort.nothing


def test_copying_and_pickling() -> None:
    assert copy.deepcopy(Sort) is Sort
    assert pickle.loads(pickle.dumps(Sort)) is Sort
    local = make_signature("a -> b: list[int]", "Do.").with_updated_fields("b", desc="d", min_length=2)
    twin = pickle.loads(pickle.dumps(local))
    assert twin.equals(local)
    assert twin.signature_key == local.signature_key
    fields = pickle.loads(pickle.dumps(local.fields))
    assert fields == local.fields
    assert copy.deepcopy(local.fields) == local.fields
    assert pickle.loads(pickle.dumps(MISSING)) is MISSING


def test_the_key_follows_the_content() -> None:
    base = Signature("a -> b")
    changed = [
        base.with_instructions("Do."),
        base.with_updated_fields("b", int),
        base.with_updated_fields("b", desc="d"),
        base.with_updated_fields("b", prefix="P:"),
        base.with_updated_fields("b", max_length=3),
        base.append("c", OutputField()),
        base.append("c", InputField()),
    ]
    keys = {signature.signature_key for signature in [base, *changed]}
    assert len(keys) == len(changed) + 1
    again = base.with_instructions("Do.").with_instructions(base.instructions)
    assert again.signature_key == base.signature_key


def test_repr_shows_everything() -> None:
    shown = repr(Sort)
    assert shown.startswith("Sort(message, places -> answer\n    instructions='Sort a message.")
    assert "Field(message: str, input, prefix='Message:', desc='what was written')" in shown
    assert "default_factory=..." in shown


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("question", "Question"),
        ("some_text", "Some Text"),
        ("gpt4Answer", "Gpt 4 Answer"),
        ("isHTMLPage", "Is HTML Page"),
        ("HTML", "HTML"),
        ("question1", "Question 1"),
        ("textID", "Text ID"),
        ("user2name", "User 2 Name"),
        ("OPENAIKey", "OPENAI Key"),
    ],
)
def test_labels_from_names(name: str, label: str) -> None:
    assert infer_prefix(name) == label
    assert Field("input", name).prefix == f"{label}:"
