from __future__ import annotations

import copy
import pickle

import pytest
from hypothesis import given, settings, strategies as st

from telic.data import Example, Prediction
from telic.errors import DataError

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
rows = st.dictionaries(st.text(min_size=1, max_size=6), values, max_size=5)


def test_fields_are_attributes_and_items() -> None:
    example = Example(question="why?", answer=42)
    example["note"] = "a"
    example.other = "b"
    assert (example.question, example["answer"], example.note, example["other"]) == ("why?", 42, "a", "b")
    assert list(example) == example.keys() == ["question", "answer", "note", "other"]
    assert example.items() == list(zip(example.keys(), example.values(), strict=True))
    del example["note"], example.other
    assert len(example) == 2
    assert "note" not in example
    assert example.get("note", "none") == "none"
    with pytest.raises(AttributeError, match="no attribute 'note'"):
        _ = example.note
    with pytest.raises(KeyError):
        _ = example["note"]
    with pytest.raises(AttributeError):
        del example.note


def test_a_field_may_have_the_name_of_a_method() -> None:
    example = Example({"self": 1, "base": 2}, labels=["x"], items=3).with_inputs("items")
    assert example["labels"] == ["x"]
    assert example.labels()["labels"] == ["x"]
    assert example.inputs().toDict() == {"items": 3}
    assert Example(self=1)["self"] == 1


def test_inputs_and_labels() -> None:
    example = Example(question="q", answer="a", topic="t")
    with pytest.raises(DataError, match=r"with_inputs.*question, answer, topic"):
        example.inputs()
    known = example.with_inputs("question")
    assert known.inputs().toDict() == {"question": "q"}
    assert known.labels().toDict() == {"answer": "a", "topic": "t"}
    assert known.inputs().inputs() == known.inputs()
    with pytest.raises(DataError):
        example.labels()
    assert known.copy(topic="u").labels().topic == "u"
    assert known.without("topic").labels().toDict() == {"answer": "a"}
    assert Example(known, answer="b").inputs().toDict() == {"question": "q"}


def test_without_an_unknown_field() -> None:
    with pytest.raises(KeyError):
        Example(a=1).without("b")


def test_base_must_have_fields() -> None:
    with pytest.raises(DataError, match="mapping or an example, not int"):
        Example(5)  # type: ignore[arg-type]


def test_copies_are_independent() -> None:
    example = Example(items=[1], answer="a").with_inputs("items")
    shallow, deep = example.copy(), copy.deepcopy(example)
    shallow["answer"] = "b"
    deep["items"].append(2)
    assert example.toDict() == {"items": [1], "answer": "a"}
    assert deep.inputs().toDict() == {"items": [1, 2]}


def test_bookkeeping_fields_are_hidden() -> None:
    example = Example(dspy_uuid="1", question="q")
    assert example.keys() == ["question"]
    assert len(example) == 1
    assert example.keys(include_dspy=True) == ["dspy_uuid", "question"]
    assert example.toDict() == {"dspy_uuid": "1", "question": "q"}


def test_repr_shows_fields_and_inputs() -> None:
    assert repr(Example(a=1).with_inputs("a")) == "Example({'a': 1}) (input_keys={'a'})"
    assert repr(Example(a=1)) == "Example({'a': 1}) (input_keys=None)"


def test_nested_examples_become_dicts() -> None:
    nested = Example(rows=[Example(a=1), {"b": (Example(c=2),)}])
    assert nested.toDict() == {"rows": [{"a": 1}, {"b": [{"c": 2}]}]}


def test_an_empty_example_is_true() -> None:
    assert Example()
    assert Prediction()


@given(rows)
@settings(max_examples=60, deadline=None)
def test_equal_rows_hash_alike_and_survive_copying(row: dict[str, object]) -> None:
    example = Example(row)
    turned = Example(dict(reversed(row.items())))
    assert example == turned
    assert hash(example) == hash(turned)
    for twin in (copy.deepcopy(example), pickle.loads(pickle.dumps(example)), example.copy()):
        assert twin == example
        assert hash(twin) == hash(example)
        assert twin.toDict() == example.toDict()
    assert example != row
