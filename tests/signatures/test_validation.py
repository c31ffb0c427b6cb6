"""What a model wrote, read into the field's type, or refused with a reason."""

from __future__ import annotations

import datetime
import decimal
import pathlib
import pickle
import subprocess
import sys
import uuid
from typing import Annotated, Any, Literal, NewType

import pytest
from pydantic import BaseModel, BeforeValidator, Field as Bound

from telic.errors import SignatureError
from telic.signatures import Field, OutputField, ValidationFailure, validate, validator
from tests.signatures.shapes import Mood, Pair, Person, Point, Rank, Row

Label = Literal["positive", "negative", "not sure"]
Lang = Literal["C", "C++", "C#"]
Intent = Literal["BookRestaurant", "PlayMusic"]


def field(kind: Any, **options: Any) -> Field:
    made: Field = OutputField(**options)
    return made.replace(name="x", annotation=kind)


ACCEPTED: list[tuple[Any, Any, Any]] = [
    (str, "as it is ", "as it is "),
    (str, 42, "42"),
    (str, True, "true"),
    (str, {"a": [1, "ü"]}, '{"a": [1, "ü"]}'),
    (str, datetime.date(2024, 1, 2), "2024-01-02"),
    (int, "42", 42),
    (int, " 42.\n", 42),
    (int, "1,234", 1234),
    (int, "$12.00", 12),
    (int, "-$5", -5),
    (int, "− 5", -5),
    (int, "**7**", 7),
    (int, "= 42", 42),
    (int, "1e3", 1000),
    (int, 3.0, 3),
    (int, "007", 7),
    (float, "$12.50", 12.5),
    (float, "1,234.5", 1234.5),
    (float, ".5", 0.5),
    (float, "5.", 5.0),
    (float, 3, 3.0),
    (bool, "True", True),
    (bool, "No.", False),
    (bool, "yes, because it is so", True),
    (bool, "False\nThe text says so.", False),
    (bool, 0, False),
    (decimal.Decimal, "1,234.50", decimal.Decimal("1234.50")),
    (decimal.Decimal, 2, decimal.Decimal(2)),
    (None, "null", None),
    (Label, "positive", "positive"),
    (Label, "'POSITIVE'.", "positive"),
    (Label, "**Negative**", "negative"),
    (Label, "not_sure", "not sure"),
    (Label, "Positive, since it praises.", "positive"),
    (Label, "negative\n\nThe customer is angry.", "negative"),
    (Lang, "C++.", "C++"),
    (Lang, "c", "C"),
    (Lang, "C. It is old.", "C"),
    (Intent, "book restaurant", "BookRestaurant"),
    (Intent, "play-music", "PlayMusic"),
    (Literal[1, -1], "-1.", -1),
    (Literal[1, 2], 2.0, 2),
    (Literal["a", None, True], "None", None),
    (Literal["a", None, True], "true", True),
    (Literal[Mood.GOOD], "Good", Mood.GOOD),
    (Mood, "Quite-Bad", Mood.QUITE_BAD),
    (Mood, "GOOD", Mood.GOOD),
    (Rank, "2", Rank.SECOND),
    (Rank, 1, Rank.FIRST),
    (Rank, "first", Rank.FIRST),
    (int | None, "N/A", None),
    (int | None, "", None),
    (int | None, "7.", 7),
    (str | None, "None", None),
    (str | None, "", ""),
    (Literal["none", "some"] | None, "none", "none"),
    (Literal["none", "some"] | None, "null", None),
    (int | str, "42", 42),
    (int | str, "forty-two", "forty-two"),
    (int | float, "3", 3),
    (float | int, "3", 3.0),
    (bool | int, "1", 1),
    (bool | int, "true", True),
    (list[int] | str, "[1, 2]", [1, 2]),
    (list[int] | str, "none of these", "none of these"),
    (Point | list[Point], '[{"x": 1}]', [Point(1)]),
    (list[str], '["a", "b"]', ["a", "b"]),
    (list[str], "['a', 'it\\'s']", ["a", "it's"]),
    (list[str], "- a\n- b c\n", ["a", "b c"]),
    (list[int], "1. 10\n2. 20", [10, 20]),
    (list[str], '```json\n["a"]\n```', ["a"]),
    (list[str], 'Here it is: ["a", "b"]', ["a", "b"]),
    (list[int], "[1, 2", [1, 2]),
    (list[str], ["a", 1], ["a", "1"]),
    (list[Label], ["Positive", "NOT SURE"], ["positive", "not sure"]),
    (dict[str, int], "{'a': '1,000'}", {"a": 1000}),
    (dict[Rank, Mood], {"1": "GOOD"}, {Rank.FIRST: Mood.GOOD}),
    (tuple[int, str], "(1, 'a')", (1, "a")),
    (tuple[int, ...], ["1,000", 2], (1000, 2)),
    (set[int], "[1, 1, 2]", {1, 2}),
    (list, "[1]", [1]),
    (dict, '{"a": 1}', {"a": 1}),
    (Any, '{"a": 1}', {"a": 1}),
    (Any, "text", "text"),
    (Point, '{"x": "1,000", "Y": 2}', Point(1000, 2.0)),
    (Row, {"Name": "a", "size": "3."}, {"name": "a", "size": 3}),
    (list[Row], '[{"name": "a"}]', [{"name": "a"}]),
    (Pair, [1, "a"], Pair(1, "a")),
    (Person, "{'name': 'A', 'age': '3', 'mood': 'Good'}", Person(name="A", age=3)),
    (Person, '{"name": "A", "age": 3, "friend": {"name": 5, "age": "4."}}',
     Person(name="A", age=3, friend=Person(name="5", age=4))),
    (datetime.date, "'2024-03-05'.", datetime.date(2024, 3, 5)),
    (uuid.UUID, "12345678-1234-5678-1234-567812345678", uuid.UUID("12345678-1234-5678-1234-567812345678")),
    (pathlib.Path, "/a/b", pathlib.Path("/a/b")),
    (NewType("Cents", int), "$3", 3),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "value", "expected"), ACCEPTED, ids=lambda value: repr(value)[:40])
def test_accepted(kind: Any, value: Any, expected: Any) -> None:
    read = validate(field(kind), value)
    assert read == expected
    assert type(read) is type(expected)


REFUSED: list[tuple[Any, Any, str]] = [
    (str, None, "null is not text"),
    (int, "12,34", "not a plain number"),
    (int, "42 apples", "not a plain number"),
    (int, "3.5", "not a whole number"),
    (int, "1e999", "too large"),
    (int, "9" * 5000, "too long"),
    (int, True, "truth value"),
    (int, "", "not a plain number"),
    (int, [1], "a list is not"),
    (float, "12.5%", "not a plain number"),
    (float, "nan", "not a plain number"),
    (float, float("inf"), "not a finite number"),
    (float, 10**400, "too large"),
    (float, "1/2", "not a plain number"),
    (bool, "maybe", "must be true or false"),
    (bool, "No, it's not true", "must be true or false"),
    (bool, 2, "neither true nor false"),
    (None, "x", "must be null"),
    (Label, "positive or negative", "one of these choices"),
    (Label, "not positive", "one of these choices"),
    (Label, "positively", "one of these choices"),
    (Label, "Positive, not negative", "one of these choices"),
    (Label, "", "one of these choices"),
    (Literal[1, 2], True, "one of these choices"),
    (Literal["a b", "a_b"], "A-B", "one of these choices"),
    (Mood, "bad", "one of 'good', 'quite bad'"),
    (int | None, "x", "not a plain number"),
    (int | float, "x", "as int: not a plain number; as float"),
    (list[str], "a, b", "not valid JSON"),
    (list[str], None, "valid list"),
    (list[int], [1, "x"], r"\[1\]: .*\(got 'x'\)"),
    (list[Person], '[{"name": "A", "age": -3}]', r"\[0\].age: .*greater than or equal to 0"),
    (Person, '{"age": 1}', "name is missing"),
    (Person, "{}", "name is missing; age is missing"),
    (list[Person], [{}, {}, {}], "and 2 more"),
    (Point, "here it comes", "dictionary"),
    (tuple[int, str], [1, "a", 2], "at most 2 items"),
    (datetime.date, "March 5", "valid date"),
]


@pytest.mark.parametrize(("kind", "value", "reason"), REFUSED, ids=lambda value: repr(value)[:40])
def test_refused(kind: Any, value: Any, reason: str) -> None:
    with pytest.raises(ValidationFailure, match=reason) as caught:
        validate(field(kind), value)
    assert caught.value.field == "x"
    assert caught.value.received == value
    assert len(str(caught.value)) < 700


def test_the_message_can_be_shown_to_a_model() -> None:
    with pytest.raises(ValidationFailure) as caught:
        validate(field(int, ge=0, le=10), "50")
    assert str(caught.value) == (
        "'x' must be int (greater than or equal to: 0, less than or equal to: 10), but was '50': "
        "Input should be less than or equal to 10"
    )
    assert isinstance(caught.value, ValueError)
    twin = pickle.loads(pickle.dumps(caught.value))
    assert str(twin) == str(caught.value)


def test_constraints_hold() -> None:
    assert validate(field(int, ge=0, le=10), "5.") == 5
    assert validate(field(str, max_length=4, pattern="^a"), "abc") == "abc"
    assert validate(field(float, allow_inf_nan=True), "inf") == float("inf")
    for kind, options, value in [
        (str, {"max_length": 4}, "abcde"),
        (str, {"pattern": "^a"}, "ba"),
        (list[int], {"min_length": 2}, "[1]"),
        (Annotated[int, Bound(ge=3)], {}, "2."),
    ]:
        with pytest.raises(ValidationFailure):
            validate(field(kind, **options), value)


def test_constraints_that_cannot_hold() -> None:
    with pytest.raises(SignatureError, match=r"list\[str\] cannot be held to ge=3"):
        validate(field(list[str], ge=3), ["a"])


def test_validators_of_the_user_see_the_value_as_it_came() -> None:
    seen: list[Any] = []

    def note(value: Any) -> Any:
        seen.append(value)
        return value

    assert validate(field(Annotated[int, BeforeValidator(note)]), "1,000") == 1000
    assert seen[0] == "1,000"


def test_a_bug_in_a_validator_is_not_a_bad_answer() -> None:
    def broken(value: Any) -> Any:
        raise KeyError("a bug")

    class Holder(BaseModel):
        x: Annotated[int, BeforeValidator(broken)]

    with pytest.raises(KeyError, match="a bug"):
        validate(field(Holder), {"x": 1})


def test_classes_that_pydantic_does_not_know() -> None:
    class Plain:
        pass

    one = Plain()
    assert validate(field(Plain), one) is one
    assert validate(field(list[Plain]), [one]) == [one]
    with pytest.raises(ValidationFailure, match="instance of"):
        validate(field(Plain), "text")


def test_a_type_that_cannot_be_validated() -> None:
    with pytest.raises(SignatureError, match="cannot be validated"):
        validate(field("Nowhere"), "x")
    with pytest.raises(SignatureError, match="cannot be validated"):
        validator(field(list["Nowhere"]))  # type: ignore[type-arg]  # noqa: F821


def test_order_of_a_union_counts() -> None:
    assert [type(validate(field(kind), "3")) for kind in (int | float, float | int, int | float)] == [
        int,
        float,
        int,
    ]


def test_deep_nesting_is_refused_not_a_crash() -> None:
    for text in ("[" * 20_000, "[" * 20_000 + "]" * 20_000, '{"a":' * 20_000):
        with pytest.raises(ValidationFailure):
            validate(field(list[str]), text)


def test_pydantic_waits_for_a_value_that_needs_it() -> None:
    program = (
        "import sys\n"
        "from telic.signatures import *\n"
        "s = Signature('a, b: list[str] -> c: int, d: Literal[\"x\"], e: float | None, f: bool, g: str')\n"
        "values = dict(c='4.', d='X', e='none', f='yes', g='text')\n"
        "print([validate(s.fields[name], value) for name, value in values.items()])\n"
        "object_schema(s.delete('e').output_fields)\n"
        "assert not {'pydantic', 'jiter', 'json_repair'} & set(sys.modules)\n"
        "validate(s.fields['b'], '[\"x\"]')\n"
        "assert 'pydantic' in sys.modules and 'json_repair' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[4, 'x', None, True, 'text']"
