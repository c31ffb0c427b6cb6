"""Out and back: signatures as text and as state, values as JSON."""

from __future__ import annotations

import datetime
import decimal
import json
import uuid
from typing import Any, Literal, get_origin

import pytest
from hypothesis import given, settings, strategies as st

from telic.errors import SignatureError
from telic.signatures import (
    Field,
    InputField,
    OutputField,
    Signature,
    ValidationFailure,
    make_signature,
    to_jsonable,
    type_name,
    validate,
)
from tests.signatures.shapes import Mood, Pair, Person, Point, Rank, Row

quick = settings(max_examples=100, deadline=None)
CUSTOM = {"Person": Person, "Mood": Mood, "Point": Point}

names = st.from_regex(r"[a-z][a-z0-9]{0,4}(_[a-z0-9]{1,3})?", fullmatch=True).filter(
    lambda name: (
        name not in {"self", "lm", "in", "is", "as", "if", "or", "and", "not", "def", "del", "for", "try"}
    )
)
choices = st.lists(
    st.text(max_size=6) | st.integers(-3, 3) | st.booleans() | st.none(),
    min_size=1,
    max_size=3,
    unique_by=repr,
)
leaves = st.sampled_from([str, int, float, bool, datetime.date, Person, Mood, Any]) | choices.map(
    lambda values: Literal[tuple(sorted(values, key=repr))]
)
types = st.recursive(
    leaves,
    lambda inner: (
        inner.map(lambda kind: list[kind])
        | inner.map(lambda kind: dict[str, kind])
        | inner.map(lambda kind: kind | None if kind is not Any else Any)
        | st.tuples(inner, inner).map(lambda kinds: tuple[kinds])
        | inner.map(lambda kind: tuple[kind, ...])
    ),
    max_leaves=4,
)


@st.composite
def signatures(draw: st.DrawFn) -> type[Signature]:
    fields = draw(st.lists(st.tuples(names, types), min_size=1, max_size=5, unique_by=lambda pair: pair[0]))
    outputs = draw(st.integers(1, len(fields)))
    rows = {}
    for position, (name, kind) in enumerate(fields):
        maker = OutputField if position < outputs else InputField
        rows[name] = (kind, maker(desc=draw(st.text(max_size=8).filter(lambda text: "$" not in text))))
    return make_signature(rows, draw(st.sampled_from([None, "Do it.", "Do:\n  - this\n  - that"])))


@given(signatures())
@quick
def test_a_signature_as_a_string(signature: type[Signature]) -> None:
    text = signature.typed_signature
    again = make_signature(text, custom_types={**CUSTOM, "date": datetime.date})
    assert again.typed_signature == text
    assert [field.role for field in again.fields.values()] == [
        field.role for field in signature.fields.values()
    ]
    for name, field in signature.fields.items():
        assert again.fields[name].annotation == field.annotation


@given(signatures())
@quick
def test_a_signature_as_state(signature: type[Signature]) -> None:
    state = json.loads(json.dumps(signature.dump_state()))
    blank = make_signature({name: field.replace(desc="") for name, field in signature.fields.items()})
    loaded = blank.load_state(state)
    assert loaded.equals(signature)
    assert loaded.signature_key == signature.signature_key
    other = signature.delete(next(iter(signature.output_fields))).append("another", OutputField())
    with pytest.raises(SignatureError, match="was saved, but is not in the signature"):
        other.load_state(state)


@given(st.text(alphabet="ab:,->[]()'\" \n|.=Listr1", max_size=24))
@settings(max_examples=300, deadline=None)
def test_any_text_is_a_signature_or_a_signature_error(text: str) -> None:
    try:
        made = Signature(text)
    except SignatureError:
        return
    assert make_signature(made.typed_signature).equals(made)


finite = st.floats(allow_nan=False, allow_infinity=False)
people = st.builds(
    Person, name=st.text(max_size=5), age=st.integers(0, 200), mood=st.sampled_from(["good", "bad"])
)
TYPED: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (str, st.text()),
    (int, st.integers()),
    (float, finite),
    (bool, st.booleans()),
    (int | None, st.none() | st.integers()),
    (Literal["a", "B", "b c", 3, -3, True, None], st.sampled_from(["a", "B", "b c", 3, -3, True, None])),
    (Mood, st.sampled_from(Mood)),
    (Rank, st.sampled_from(Rank)),
    (list[str], st.lists(st.text())),
    (list[float | None], st.lists(finite | st.none())),
    (set[int], st.sets(st.integers())),
    (frozenset[str], st.frozensets(st.text())),
    (tuple[int, str], st.tuples(st.integers(), st.text())),
    (tuple[bool, ...], st.lists(st.booleans()).map(tuple)),
    (dict[str, list[int]], st.dictionaries(st.text(), st.lists(st.integers()))),
    (dict[int, Mood], st.dictionaries(st.integers(), st.sampled_from(Mood))),
    (dict[bool, int], st.dictionaries(st.booleans(), st.integers())),
    (Point, st.builds(Point, x=st.integers(), y=finite, tags=st.lists(st.text()))),
    (Row, st.fixed_dictionaries({"name": st.text()}, optional={"size": st.integers()})),
    (Pair, st.builds(Pair, left=st.integers(), right=st.text())),
    (Person, st.builds(Person, name=st.text(), age=st.integers(0, 9), friend=st.none() | people)),
    (list[Person | Point], st.lists(people | st.builds(Point, x=st.integers()))),
    (datetime.datetime, st.datetimes()),
    (datetime.date, st.dates()),
    (datetime.time, st.times()),
    (datetime.timedelta, st.timedeltas(datetime.timedelta(days=-9000), datetime.timedelta(days=9000))),
    (uuid.UUID, st.uuids()),
    (decimal.Decimal, st.decimals(allow_nan=False, allow_infinity=False)),
    (bytes, st.text().map(str.encode)),
]


@pytest.mark.parametrize(("kind", "values"), TYPED, ids=lambda part: type_name(part)[:30])
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_values_as_json(kind: Any, values: st.SearchStrategy[Any], data: st.DataObject) -> None:
    value = data.draw(values)
    field = Field("output", "x", kind)
    plain = to_jsonable(value)
    text = json.dumps(plain)
    assert validate(field, value) == value
    assert validate(field, json.loads(text)) == value
    if not isinstance(plain, str):
        assert validate(field, text) == value


@given(st.text(max_size=40), st.sampled_from([kind for kind, _ in TYPED]))
@settings(max_examples=300, deadline=None)
def test_any_text_is_read_or_refused(text: str, kind: Any) -> None:
    try:
        read = validate(Field("output", "x", kind), text)
    except ValidationFailure:
        return
    expected = get_origin(kind) or kind
    if expected in (list, set, dict, tuple, frozenset, str, int, float, bool, Mood, Person, Point):
        assert type(read) is expected


def test_odd_values_become_text() -> None:
    class Odd:
        def __str__(self) -> str:
            return "odd"

    assert to_jsonable({1: Odd(), None: {2.5: (b"x", Mood)}}) == {
        "1": "odd",
        "null": {"2.5": ["x", "tests.signatures.shapes.Mood"]},
    }
