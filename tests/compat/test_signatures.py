"""Signatures in DSPy's terms: from strings, dicts and classes."""

from __future__ import annotations

import enum
from typing import Any, Literal, Optional, Union

import pydantic
import pytest

from tests.compat.target import dspy


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Person(pydantic.BaseModel):
    name: str
    age: int


class QA(dspy.Signature):
    """Answer briefly."""

    context: list[str] = dspy.InputField(desc="may hold facts")
    question: str = dspy.InputField()
    answer: str = dspy.OutputField(desc="between 1 and 5 words")


STRINGS = [
    ("question -> answer", ["question"], ["answer"]),
    ("question, context -> answer", ["question", "context"], ["answer"]),
    ("a, b, c -> d, e", ["a", "b", "c"], ["d", "e"]),
    ("  question  ,context->  answer ", ["question", "context"], ["answer"]),
    ("text: str -> label: int", ["text"], ["label"]),
    ("items: list[str], n: int -> best: dict[str, float], ok: bool", ["items", "n"], ["best", "ok"]),
]


@pytest.mark.parametrize(("text", "inputs", "outputs"), STRINGS)
def test_names_of_a_string(text: str, inputs: list[str], outputs: list[str]) -> None:
    signature = dspy.Signature(text)
    assert list(signature.input_fields) == inputs
    assert list(signature.output_fields) == outputs
    assert list(signature.fields) == inputs + outputs


TYPES = [
    ("str", str),
    ("int", int),
    ("float", float),
    ("bool", bool),
    ("list", list),
    ("dict", dict),
    ("list[str]", list[str]),
    ("list[int]", list[int]),
    ("dict[str, int]", dict[str, int]),
    ("tuple[str, int]", tuple[str, int]),
    ("Optional[str]", Optional[str]),
    ("Union[int, str]", Union[int, str]),
    ("Literal['yes', 'no']", Literal["yes", "no"]),
    ('Literal["a, b", "c"]', Literal["a, b", "c"]),
    ("list[dict[str, list[int]]]", list[dict[str, list[int]]]),
    ("Any", Any),
    ("list[Literal['x', 'y']]", list[Literal["x", "y"]]),
]


@pytest.mark.parametrize(("text", "kind"), TYPES, ids=[text for text, _ in TYPES])
def test_types_in_a_string(text: str, kind: Any) -> None:
    signature = dspy.Signature(f"given -> wanted: {text}")
    assert signature.output_fields["wanted"].annotation == kind
    assert dspy.Signature(f"given: {text} -> wanted").input_fields["given"].annotation == kind


def test_a_type_left_out_is_text() -> None:
    assert dspy.Signature("a -> b").fields["a"].annotation is str


def test_own_types_by_name() -> None:
    signature = dspy.Signature("text -> who: Person", custom_types={"Person": Person})
    assert signature.fields["who"].annotation is Person


def test_own_types_in_containers() -> None:
    signature = dspy.Signature("text -> all: list[Person]", custom_types={"Person": Person})
    assert signature.fields["all"].annotation == list[Person]


def test_own_enum() -> None:
    signature = dspy.Signature("text -> colour: Colour", custom_types={"Colour": Colour})
    assert signature.fields["colour"].annotation is Colour


def test_dspy_types_in_a_string() -> None:
    assert dspy.Signature("picture: dspy.Image -> caption").fields["picture"].annotation is dspy.Image
    assert dspy.Signature("history: dspy.History -> caption").fields["history"].annotation is dspy.History


@pytest.mark.parametrize(
    "text", ["question", "question answer", "", "a -> b -> c", "a -> b: Nonsense", "1a -> b"]
)
def test_bad_strings_are_refused(text: str) -> None:
    with pytest.raises((ValueError, TypeError, SyntaxError, NameError)):
        dspy.Signature(text)


def test_default_instructions_name_the_fields() -> None:
    instructions = dspy.Signature("question, context -> answer").instructions
    assert instructions == "Given the fields `question`, `context`, produce the fields `answer`."


def test_instructions_of_a_string() -> None:
    assert dspy.Signature("question -> answer", "Say it in French.").instructions == "Say it in French."
    signature = dspy.make_signature("question -> answer", instructions="Say it in German.")
    assert signature.instructions == "Say it in German."


def test_the_name_of_a_made_signature() -> None:
    assert dspy.make_signature("a -> b").__name__ == "StringSignature"
    assert dspy.make_signature("a -> b", signature_name="Mine").__name__ == "Mine"


def test_from_a_dict_of_fields() -> None:
    signature = dspy.make_signature({"question": dspy.InputField(desc="asked"), "answer": dspy.OutputField()})
    assert list(signature.input_fields) == ["question"]
    assert list(signature.output_fields) == ["answer"]
    assert signature.fields["question"].json_schema_extra["desc"] == "asked"


def test_from_a_dict_of_typed_fields() -> None:
    signature = dspy.make_signature(
        {"n": (int, dspy.InputField()), "halves": (list[float], dspy.OutputField())}
    )
    assert signature.fields["n"].annotation is int
    assert signature.fields["halves"].annotation == list[float]


def test_a_signature_class_may_be_made_of_a_dict() -> None:
    signature = dspy.Signature({"a": (int, dspy.InputField()), "b": (str, dspy.OutputField())}, "Do it.")
    assert signature.instructions == "Do it."
    assert list(signature.fields) == ["a", "b"]


# Classes.


def test_a_class_has_its_docstring_for_instructions() -> None:
    assert QA.instructions == "Answer briefly."


def test_a_class_has_fields_by_role() -> None:
    assert list(QA.input_fields) == ["context", "question"]
    assert list(QA.output_fields) == ["answer"]
    assert QA.fields["context"].annotation == list[str]


def test_the_signature_as_text() -> None:
    assert QA.signature == "context, question -> answer"
    assert dspy.Signature("a, b -> c").signature == "a, b -> c"


def test_a_class_without_docstring_gets_default_instructions() -> None:
    class Plain(dspy.Signature):
        question: str = dspy.InputField()
        answer: str = dspy.OutputField()

    assert Plain.instructions == "Given the fields `question`, produce the fields `answer`."


def test_a_docstring_over_lines_is_dedented() -> None:
    class Long(dspy.Signature):
        """First line.

        Second paragraph.
            Indented.
        """

        question: str = dspy.InputField()
        answer: str = dspy.OutputField()

    assert Long.instructions == "First line.\n\nSecond paragraph.\n    Indented."


def test_outputs_may_stand_before_inputs() -> None:
    class Mixed(dspy.Signature):
        answer: str = dspy.OutputField()
        question: str = dspy.InputField()

    assert list(Mixed.input_fields) == ["question"]
    assert list(Mixed.output_fields) == ["answer"]


def test_a_field_without_annotation_is_text() -> None:
    class Bare(dspy.Signature):
        question = dspy.InputField()
        answer = dspy.OutputField()

    assert Bare.fields["question"].annotation is str
    assert Bare.signature == "question -> answer"


def test_a_subclass_adds_fields() -> None:
    class Reasoned(QA):
        """Answer with a reason."""

        reason: str = dspy.OutputField()

    assert list(Reasoned.input_fields) == ["context", "question"]
    assert list(Reasoned.output_fields) == ["answer", "reason"]
    assert Reasoned.instructions == "Answer with a reason."


def test_a_class_is_a_signature() -> None:
    assert issubclass(QA, dspy.Signature)
    assert isinstance(QA, dspy.SignatureMeta)
    assert isinstance(dspy.Signature("a -> b"), dspy.SignatureMeta)


def test_a_typed_name_must_be_a_field() -> None:
    with pytest.raises(TypeError):

        class Bad(dspy.Signature):
            question: str = dspy.InputField()
            answer: str = "no field"


# ensure_signature.


def test_ensure_signature_of_a_string() -> None:
    assert list(dspy.ensure_signature("a -> b").fields) == ["a", "b"]
    assert dspy.ensure_signature("a -> b", "Do it.").instructions == "Do it."


def test_ensure_signature_of_a_signature() -> None:
    assert dspy.ensure_signature(QA) is QA
    with pytest.raises(ValueError):
        dspy.ensure_signature(QA, "Do it.")


def test_ensure_signature_of_nothing() -> None:
    assert dspy.ensure_signature(None) is None


def test_signature_of_a_signature() -> None:
    assert dspy.Predict(QA).signature.equals(QA)


def test_old_fields() -> None:
    field = dspy.OldInputField(desc="d")
    field.finalize("my_key", "My Key")
    assert (field.prefix, field.desc) == ("My Key:", "d")
    output = dspy.OldOutputField(prefix="P:")
    output.finalize("k", "K")
    assert (output.prefix, output.desc) == ("P:", "${k}")
    assert isinstance(output, dspy.OldField)
