"""What an adapter writes into a demo, it reads back as the same values."""

import datetime
import decimal
import uuid
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from telic.adapters import ChatAdapter, CompletionAdapter, JSONAdapter, XMLAdapter

from .declared import (
    INPUTS,
    OUTPUTS,
    Address,
    Cat,
    Color,
    Dog,
    Everything,
    Level,
    Person,
    Point,
    Row,
    Tree,
    signature_of,
)

ADAPTERS = [ChatAdapter(), JSONAdapter(), JSONAdapter(indent=None), XMLAdapter(), CompletionAdapter()]
_CHARS = st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp", "Zs", "Cn"), include_characters=" \n")
_NOTHING = {"", "none", "null", "n/a"}
TEXT = st.text(_CHARS, max_size=40).map(str.strip)
LINE = TEXT.map(lambda text: " ".join(text.split()))
WORDS = TEXT.filter(lambda text: text.strip(" \n\"'`*_“”‘’.").casefold() not in _NOTHING)
DATES = st.dates(datetime.date(1900, 1, 1), datetime.date(2100, 1, 1))
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
ADDRESSES = st.builds(Address, street=LINE, zip=st.text("abc123", min_size=3, max_size=6))
PEOPLE = st.builds(
    Person,
    name=LINE.filter(bool),
    age=st.none() | st.integers(0, 120),
    kind=st.sampled_from(["guest", 'the "boss"']),
    address=st.none() | ADDRESSES,
    tags=st.lists(LINE.filter(bool), max_size=3),
)
TREES = st.recursive(
    st.builds(Tree, value=st.integers(-9, 9)),
    lambda kids: st.builds(Tree, value=st.integers(-9, 9), kids=st.lists(kids, max_size=2)),
    max_leaves=5,
)
KINDS: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (str, TEXT),
    (int, st.integers()),
    (float, NUMBERS),
    (bool, st.booleans()),
    (Literal["yes", "no", "not sure"], st.sampled_from(["yes", "no", "not sure"])),
    (Literal[1, 2, "x"], st.sampled_from([1, 2, "x"])),
    (Color, st.sampled_from(Color)),
    (Level, st.sampled_from(Level)),
    (int | None, st.none() | st.integers()),
    (str | None, st.none() | WORDS),
    (Color | None, st.none() | st.sampled_from(Color)),
    (datetime.date, DATES),
    (datetime.datetime, st.datetimes(datetime.datetime(1900, 1, 1), datetime.datetime(2100, 1, 1))),
    (datetime.time, st.times()),
    (decimal.Decimal, st.decimals(-1000, 1000, places=2)),
    (uuid.UUID, st.uuids()),
    (list[str], st.lists(LINE.filter(bool), max_size=4)),
    (list[int], st.lists(st.integers(), max_size=4)),
    (list[list[int]], st.lists(st.lists(st.integers(), max_size=2), max_size=3)),
    (dict[str, int], st.dictionaries(st.text(_CHARS, max_size=8), st.integers(), max_size=3)),
    (
        dict[str, list[float]],
        st.dictionaries(st.sampled_from("abc"), st.lists(NUMBERS, max_size=3), max_size=3),
    ),
    (tuple[int, str], st.tuples(st.integers(), LINE.filter(bool))),
    (set[int], st.sets(st.integers(), max_size=4)),
    (Row, st.fixed_dictionaries({"a": st.integers(), "b": LINE.filter(bool)})),
    (Point, st.builds(Point, x=NUMBERS, day=DATES)),
    (Person, PEOPLE),
    (list[Person], st.lists(PEOPLE, max_size=3)),
    (Person | None, st.none() | PEOPLE),
    (Tree, TREES),
    (
        Cat | Dog,
        st.builds(Cat, animal=st.just("cat"), lives=st.integers())
        | st.builds(Dog, animal=st.just("dog"), good=st.booleans()),
    ),
]


@pytest.mark.parametrize("adapter", ADAPTERS, ids=repr)
def test_a_signature_with_everything(adapter):
    assert adapter.read(Everything, adapter.format_assistant_message_content(Everything, OUTPUTS)) == OUTPUTS


@pytest.mark.parametrize(("kind", "values"), KINDS, ids=[str(kind) for kind, _ in KINDS])
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
@given(data=st.data())
def test_values_of_each_type(kind, values, data):
    signature = SIGNATURES[str(kind)]
    outputs = {"first": data.draw(values), "between": data.draw(TEXT), "last": data.draw(values)}
    for adapter in ADAPTERS:
        written = adapter.format_assistant_message_content(signature, outputs)
        assert adapter.read(signature, written) == outputs, (adapter, written)


SIGNATURES = {str(kind): signature_of({"first": kind, "between": str, "last": kind}) for kind, _ in KINDS}


@given(answer=TEXT.filter(bool))
def test_a_text_alone_after_its_label_comes_back(answer):
    """As an engine returns it: the prompt ends with the label, the answer starts with a space."""
    signature = SIGNATURES["alone"]
    adapter = CompletionAdapter()
    written = adapter.format_assistant_message_content(signature, {"answer": answer})
    assert adapter.read(signature, written.removeprefix("Answer:")) == {"answer": answer}


SIGNATURES["alone"] = signature_of({"answer": str})


@pytest.mark.parametrize("adapter", ADAPTERS, ids=repr)
def test_demos_that_were_saved_render_as_those_that_were_not(adapter):
    from telic.signatures.validation import to_jsonable

    demo = {**INPUTS, **OUTPUTS}
    saved = {name: to_jsonable(value) for name, value in demo.items()}
    assert adapter.format(Everything, [saved], INPUTS) == adapter.format(Everything, [demo], INPUTS)


def test_code_keeps_its_indentation():
    signature = signature_of({"code": str, "n": int})
    code = "def f(x):\n    if x:\n\n        return '[[ ## ']\n  # <end>\nf(1)  # Code: no label"
    for adapter in ADAPTERS:
        written = adapter.format_assistant_message_content(signature, {"code": code, "n": 1})
        assert adapter.read(signature, written) == {"code": code, "n": 1}
