"""Strings that are signatures, strings that are not, and what is said about those."""

from __future__ import annotations

import datetime
from typing import Any, Literal, Optional, Union

import pytest

from telic.errors import SignatureError, SignatureSyntaxError
from telic.signatures import Signature, make_signature
from tests.signatures import shapes
from tests.signatures.shapes import Mood, Person


def types(text: str, **options: Any) -> dict[str, Any]:
    return {name: field.annotation for name, field in make_signature(text, **options).fields.items()}


def test_names_and_types() -> None:
    signature = Signature("question, context: list[str] -> answer: int, confidence: float")
    assert list(signature.input_fields) == ["question", "context"]
    assert list(signature.output_fields) == ["answer", "confidence"]
    assert signature.signature == "question, context -> answer, confidence"
    assert signature.instructions == (
        "Given the fields `question`, `context`, produce the fields `answer`, `confidence`."
    )
    assert signature.__name__ == "StringSignature"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dict[str, list[int]]", dict[str, list[int]]),
        ("Literal['a, b', \"c: d\", 'x->y', '[']", Literal["a, b", "c: d", "x->y", "["]),
        ("Literal[1, -2, True, None, b'x']", Literal[1, -2, True, None, b"x"]),
        ("Optional[int]", Optional[int]),  # noqa: UP045
        ("str | None", Union[str, None]),  # noqa: UP007
        ("Union[int, list[str]]", Union[int, list[str]]),  # noqa: UP007
        ("tuple[int, ...]", tuple[int, ...]),
        ("tuple[()]", tuple[()]),
        ("List[Dict[str, Any]]", list[dict[str, Any]]),
        ("'list[int]'", list[int]),
        ("list['int']", list[int]),
        ("datetime.date", datetime.date),
        ("Mood", Mood),
        ("shapes.Person | None", Union[Person, None]),  # noqa: UP007
        ("Literal[Mood.GOOD]", Literal[Mood.GOOD]),
        ("Annotated[int, 'ignored']", int),
        ("\n  dict[\n    str,\n    int\n  ]\n", dict[str, int]),
        ("None", None),
    ],
)
def test_type_expressions(text: str, expected: object) -> None:
    assert shapes.Person is Person
    assert types(f"a -> b: {text}")["b"] == expected


def test_white_space_trailing_commas_and_no_inputs() -> None:
    assert list(types("  a ,\n b:int,\n ->\n c ,")) == ["a", "b", "c"]
    assert Signature("-> poem").instructions == "Produce the fields `poem`."


def test_types_of_the_caller_and_of_its_callers() -> None:
    class Local:
        pass

    def deeper() -> Any:
        return types("a: Local -> b: dict[str, Local]")

    found = deeper()
    assert found == {"a": Local, "b": dict[str, Local]}


def test_the_same_name_may_mean_another_type_elsewhere() -> None:
    def one() -> Any:
        Thing = int
        assert Thing
        return types("a -> b: Thing")["b"]

    def other() -> Any:
        Thing = float
        assert Thing
        return types("a -> b: Thing")["b"]

    assert (one(), other(), one()) == (int, float, int)


def test_custom_types_come_first() -> None:
    assert types("a: int -> b: Zed", custom_types={"int": Person, "Zed": bool}) == {"a": Person, "b": bool}
    assert types("a: int -> b")["a"] is int


def test_a_variable_does_not_hide_a_type_further_out() -> None:
    def inner() -> Any:
        Mood = "happy"
        assert Mood
        return types("a -> b: Mood")["b"]

    assert inner() is Mood


def test_equal_signatures_are_made_once() -> None:
    assert Signature("a -> b: int") is Signature("a -> b: int")
    assert Signature("a -> b: int", "Do it.") is not Signature("a -> b: int")


@pytest.mark.parametrize(
    ("text", "problem", "under"),
    [
        ("question", "no '->'", ""),
        ("", "no '->'", ""),
        ("a => b", "not the arrow", "=>"),
        ("a → b", "not the arrow", "→"),
        ("a -> b -> c", "second '->'", "-> c"),
        ("a ->", "no output field", ""),
        ("a: list[ -> b", "not closed before '->'", "[ -> b"),
        ("a -> b: list[int", "not closed", "[int"),
        ("a -> b]", "closes nothing", "]"),
        ("a -> b: (int]", "closes nothing", "]"),
        ("a -> b: Literal['x]", "no partner", "'x]"),
        ("a, a -> b", "stands here twice", "a -> b"),
        ("a -> b, b", "stands here twice", "b"),
        ("a -> a", "both an input and an output", "a"),
        ("a b -> c", "unexpected text after 'a'", "b -> c"),
        ("1a -> b", "cannot name a field", "1a"),
        ("class -> b", "word of Python", "class"),
        ("a,, b -> c", "no field before ','", ", b"),
        (", a -> c", "no field before ','", ", a"),
        ("a: -> b", "no type after 'a:'", ": -> b"),
        (": int -> b", "no field name before ':'", ": int"),
        ("a: int: str -> b", "second ':'", ": str"),
        ("a -> b: int = 5", "has no default", "= 5"),
        ("a -> b: strng", "'strng' is not a type", "strng"),
        ("a -> b: list[strng]", "'strng' is not a type", "strng]"),
        ("a -> é: dict[str, strng]", "'strng' is not a type", "strng]"),
        ("a -> b: 5", "'5' is not a type", "5"),
        ("a -> b: f(3)", "'f(3)' is not a type", "f(3)"),
        ("a -> b: Literal[yes]", "cannot be a choice", "yes]"),
        ("a -> b: Literal[1.5]", "cannot be a choice", "1.5]"),
        ("a -> b: datetime", "is a module", "datetime"),
        ("a -> b: datetime.nothing", "has no 'nothing'", "datetime.nothing"),
        ("a -> b: int or str", "is not a type", "int or str"),
        ("a -> b: int[str]", "is not a type", "int[str]"),
        ("a -> b: list[[int]", "not closed", "[[int]"),
        ("a -> b: int str", "is not a type", ""),
    ],
)
def test_errors_point_at_the_place(text: str, problem: str, under: str) -> None:
    with pytest.raises(SignatureSyntaxError) as caught:
        Signature(text)
    lines = str(caught.value).splitlines()
    assert problem in lines[0]
    assert lines[1][4:] == text
    caret = lines[2].index("^") - 4
    assert text[caret:].startswith(under)


def test_the_caret_stands_under_its_own_line() -> None:
    with pytest.raises(SignatureSyntaxError) as caught:
        Signature("first,\n\tsecond third\n-> answer")
    assert str(caught.value).splitlines()[1:3] == ["        second third", "               ^"]


def test_hints_say_what_to_write() -> None:
    for text, hint in [
        ("a -> b: string", "did you mean 'str'"),
        ("a -> b: flot", "did you mean 'float'"),
        ("a -> b: Thing", r"custom_types=\{"),
        ("a -> b: Literal[x]", r"Literal\['yes', 'no'\]"),
        ("a -> b: datetime", "write 'datetime.datetime'"),
    ]:
        with pytest.raises(SignatureSyntaxError, match=hint):
            Signature(text)


@pytest.mark.parametrize(
    "text",
    [
        "a -> b: __import__('os').system('true')",
        "a -> b: [x for x in ().__class__.__bases__]",
        "a -> b: (lambda: 1)()",
        "a -> b: Person.__init__.__globals__",
        "a -> b: shapes.Person._abc_impl",
        "a -> b: Annotated[(lambda: 1)(), 1]",
        "a -> b: f'{Person}'",
    ],
)
def test_nothing_is_evaluated(text: str) -> None:
    with pytest.raises(SignatureSyntaxError):
        Signature(text)


def test_attributes_of_objects_are_not_read() -> None:
    class Trap:
        @property
        def Kind(self) -> type:
            raise AssertionError("was read")

    trap = Trap()
    assert trap
    with pytest.raises(SignatureSyntaxError, match="neither a module nor a class"):
        Signature("a -> b: trap.Kind")


def test_absurd_nesting_is_an_error_not_a_crash() -> None:
    with pytest.raises(SignatureSyntaxError):
        Signature("a -> b: " + "list[" * 5000 + "int" + "]" * 5000)


@pytest.mark.parametrize("name", ["self", "signature", "demos", "config", "lm"])
def test_names_that_a_call_takes_for_itself(name: str) -> None:
    with pytest.raises(SignatureError, match=f"'{name}' cannot name an input field"):
        Signature(f"{name} -> answer")
    assert name in Signature(f"question -> {name}").output_fields


def test_private_names() -> None:
    with pytest.raises(SignatureError, match="'_store' cannot name a field"):
        Signature("a -> _store")


@pytest.mark.parametrize("name", ["instructions", "fields", "signature", "keys", "copy", "append", "json"])
def test_names_that_only_look_dangerous(name: str) -> None:
    signature = Signature(f"text -> {name}")
    assert signature.signature == f"text -> {name}"
    assert signature.instructions.endswith(f"`{name}`.")
    assert signature.append("more", signature.fields[name]).signature == f"text -> {name}, more"
