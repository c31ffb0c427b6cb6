from __future__ import annotations

import copy
import pickle

import pytest

from telic.data import Completions, Example, Prediction
from telic.errors import DataError


def test_the_first_completion_is_the_prediction() -> None:
    prediction = Prediction.from_completions([{"a": 1, "b": 2}, {"a": 3, "b": 4}])
    assert (prediction.a, prediction["b"]) == (1, 2)
    completions = prediction.completions
    assert completions is not None
    assert completions.a == completions["a"] == [1, 3]
    assert [dict(one.items()) for one in completions] == [{"a": 1, "b": 2}, {"a": 3, "b": 4}]
    assert completions[-1].b == 4
    assert len(completions) == 2
    assert "a" in completions
    assert list(completions.items()) == [("a", [1, 3]), ("b", [2, 4])]


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ([], "no answer"),
        ({"a": []}, "at least one"),
        ({"a": [1, 2], "b": [3]}, "as many values"),
        ({"a": 1}, "must be a list"),
        ([{"a": 1}, {"b": 2}], "fields"),
    ],
)
def test_completions_that_do_not_fit_together(given: object, complaint: str) -> None:
    with pytest.raises(DataError, match=complaint):
        Prediction.from_completions(given)  # type: ignore[arg-type]


def test_completions_out_of_range() -> None:
    completions = Completions({"a": [1]})
    with pytest.raises(IndexError, match="completion 1 of 1"):
        _ = completions[1]
    with pytest.raises(AttributeError):
        _ = completions.nothing
    with pytest.raises(TypeError):
        _ = completions[0:1]  # type: ignore[index]


def test_a_score_makes_a_number() -> None:
    low, high = Prediction(score=0.5), Prediction(score=2)
    assert float(low) == 0.5
    assert sum([low, high]) == 2.5
    assert low + 1 == 1 + low == 1.5
    assert (low / 2, 1 / low, high / low) == (0.25, 2.0, 4.0)
    assert low < high
    assert high >= 2
    assert low <= low
    assert max([low, high]) is high
    with pytest.raises(DataError, match=r"no field 'score'.*answer"):
        float(Prediction(answer="x"))
    with pytest.raises(TypeError):
        _ = low < "text"


def test_equality_is_by_fields() -> None:
    assert Prediction(a=1) == Prediction(a=1) == Example(a=1)
    assert Prediction(score=0.5) != 0.5


def test_everything_survives_pickling_and_copying() -> None:
    prediction = Prediction.from_completions({"a": [1, 2]})
    prediction.set_lm_usage({"local/x": {"prompt_tokens": 3}})
    for twin in (pickle.loads(pickle.dumps(prediction)), copy.deepcopy(prediction)):
        assert twin.completions == prediction.completions
        assert twin.get_lm_usage() == {"local/x": {"prompt_tokens": 3}}
    changed = prediction.copy(a=5)
    assert changed.completions is None
    assert prediction.completions is not None


def test_repr() -> None:
    assert repr(Prediction(a=1, b="x")) == "Prediction(\n    a=1,\n    b='x'\n)"
    assert repr(Prediction.from_completions({"a": [1, 2]})).endswith("(1 completions omitted)")
    assert repr(Completions({"a": [1]})) == "Completions(\n    a=[1]\n)"
