"""Examples, predictions and completions in DSPy's terms."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from tests.compat.target import dspy


def example(**fields: Any) -> Any:
    return dspy.Example(**(fields or {"question": "q", "answer": "a"}))


def test_fields_are_attributes_and_items() -> None:
    row = example()
    assert (row.question, row["answer"]) == ("q", "a")


def test_fields_can_be_set() -> None:
    row = example()
    row.question = "other"
    row["answer"] = "more"
    assert (row["question"], row.answer) == ("other", "more")


def test_fields_can_be_deleted() -> None:
    row = example()
    del row["question"]
    assert "question" not in row


def test_a_missing_attribute() -> None:
    with pytest.raises(AttributeError):
        _ = example().nothing


def test_a_missing_item() -> None:
    with pytest.raises(KeyError):
        _ = example()["nothing"]


def test_from_a_mapping() -> None:
    assert dspy.Example({"a": 1}, b=2).toDict() == {"a": 1, "b": 2}


def test_from_an_example() -> None:
    row = dspy.Example(example(), answer="b")
    assert (row.question, row.answer) == ("q", "b")


def test_the_copied_example_is_not_changed() -> None:
    first = example()
    dspy.Example(first, answer="b")
    assert first.answer == "a"


def test_membership_and_length() -> None:
    row = example()
    assert "question" in row
    assert "nothing" not in row
    assert len(row) == 2


def test_views() -> None:
    row = example()
    assert list(row.keys()) == ["question", "answer"]
    assert list(row.values()) == ["q", "a"]
    assert list(row.items()) == [("question", "q"), ("answer", "a")]


def test_bookkeeping_fields_are_left_out() -> None:
    row = dspy.Example(a=1, dspy_uuid="u")
    assert list(row.keys()) == ["a"]
    assert list(row.keys(include_dspy=True)) == ["a", "dspy_uuid"]
    assert list(row.values(include_dspy=True)) == [1, "u"]
    assert list(row.items(include_dspy=True)) == [("a", 1), ("dspy_uuid", "u")]
    assert len(row) == 1


def test_get() -> None:
    assert example().get("question") == "q"
    assert example().get("nothing") is None
    assert example().get("nothing", 3) == 3


def test_inputs_and_labels() -> None:
    row = example().with_inputs("question")
    assert row.inputs().toDict() == {"question": "q"}
    assert row.labels().toDict() == {"answer": "a"}


def test_with_inputs_makes_a_copy() -> None:
    row = example()
    assert row.with_inputs("question") is not row
    with pytest.raises(ValueError):
        row.inputs()


def test_inputs_may_be_several() -> None:
    row = dspy.Example(a=1, b=2, c=3).with_inputs("a", "c")
    assert row.inputs().toDict() == {"a": 1, "c": 3}
    assert row.labels().toDict() == {"b": 2}


def test_inputs_are_examples_with_inputs() -> None:
    inputs = example().with_inputs("question").inputs()
    assert isinstance(inputs, dspy.Example)
    assert inputs.inputs().toDict() == {"question": "q"}


def test_inputs_unpack_as_keywords() -> None:
    def program(question: str) -> str:
        return question

    assert program(**example().with_inputs("question").inputs()) == "q"


def test_copy_with_changes() -> None:
    row = example().with_inputs("question")
    other = row.copy(answer="b")
    assert (other.answer, row.answer) == ("b", "a")
    assert other.inputs().toDict() == {"question": "q"}


def test_without() -> None:
    row = example().without("answer")
    assert row.toDict() == {"question": "q"}


def test_equality() -> None:
    assert example() == example()
    assert example() != example(question="q", answer="b")
    assert example() != {"question": "q", "answer": "a"}


def test_equality_does_not_look_at_inputs() -> None:
    assert example().with_inputs("question") == example()


def test_hash() -> None:
    assert hash(example()) == hash(example())
    assert len({example(), example()}) == 1


def test_to_dict_goes_inside() -> None:
    row = dspy.Example(inner=dspy.Example(a=1), rows=[dspy.Example(b=2)], plain={"c": 3})
    assert row.toDict() == {"inner": {"a": 1}, "rows": [{"b": 2}], "plain": {"c": 3}}


def test_shown_with_its_inputs() -> None:
    assert repr(example()) == "Example({'question': 'q', 'answer': 'a'}) (input_keys=None)"
    assert repr(example().with_inputs("question")).endswith("(input_keys={'question'})")


def test_pickle_and_deepcopy() -> None:
    row = example().with_inputs("question")
    for made in (pickle.loads(pickle.dumps(row)), copy.deepcopy(row)):
        assert made == row
        assert made.inputs().toDict() == {"question": "q"}


def test_iteration_gives_names() -> None:
    assert list(example()) == ["question", "answer"]


@pytest.mark.parametrize("name", ["items", "keys", "labels"])
def test_a_field_named_like_a_method_is_read_as_an_item(name: str) -> None:
    assert dspy.Example(**{name: 5})[name] == 5


# Predictions.


def test_a_prediction_is_an_example() -> None:
    prediction = dspy.Prediction(answer="a", score=1)
    assert isinstance(prediction, dspy.Example)
    assert (prediction.answer, prediction["score"]) == ("a", 1)


def test_from_completions_of_dicts() -> None:
    prediction = dspy.Prediction.from_completions([{"answer": "a"}, {"answer": "b"}])
    assert prediction.answer == "a"
    assert prediction.completions.answer == ["a", "b"]
    assert len(prediction.completions) == 2


def test_from_completions_of_columns() -> None:
    prediction = dspy.Prediction.from_completions({"answer": ["a", "b"], "why": ["x", "y"]})
    assert (prediction.answer, prediction.why) == ("a", "x")
    assert prediction.completions[1].why == "y"


def test_completions_by_name_and_number() -> None:
    completions = dspy.Prediction.from_completions([{"answer": "a"}, {"answer": "b"}]).completions
    assert completions["answer"] == ["a", "b"]
    assert completions[0].answer == "a"
    assert isinstance(completions[0], dspy.Prediction)
    assert list(completions.items()) == [("answer", ["a", "b"])]


def test_completions_out_of_range() -> None:
    completions = dspy.Prediction.from_completions([{"answer": "a"}]).completions
    with pytest.raises(IndexError):
        _ = completions[3]


def test_completions_know_their_signature() -> None:
    signature = dspy.Signature("question -> answer")
    prediction = dspy.Prediction.from_completions([{"answer": "a"}], signature=signature)
    assert prediction.completions.signature is signature


def test_a_plain_prediction_has_no_completions() -> None:
    assert dspy.Prediction(answer="a").completions is None


def test_completions_of_unequal_length_are_refused() -> None:
    with pytest.raises((AssertionError, ValueError)):
        dspy.Completions({"a": [1, 2], "b": [1]})


def test_completions_have_membership() -> None:
    completions = dspy.Completions([{"a": 1, "b": 2}])
    assert "a" in completions
    assert "c" not in completions


def test_arithmetic_by_score() -> None:
    prediction = dspy.Prediction(score=0.5)
    assert float(prediction) == 0.5
    assert prediction + 1 == 1.5
    assert 1 + prediction == 1.5
    assert prediction / 2 == 0.25
    assert 1 / prediction == 2.0
    assert sum([prediction, prediction]) == 1.0


def test_comparison_by_score() -> None:
    low, high = dspy.Prediction(score=0.2), dspy.Prediction(score=0.8)
    assert low < high
    assert high >= low
    assert low <= 0.2
    assert high > 0.5


def test_no_score_is_no_number() -> None:
    with pytest.raises((ValueError, KeyError)):
        float(dspy.Prediction(answer="a"))


def test_usage_can_be_attached() -> None:
    prediction = dspy.Prediction(answer="a")
    assert prediction.get_lm_usage() is None
    prediction.set_lm_usage({"m": {"total_tokens": 3}})
    assert prediction.get_lm_usage() == {"m": {"total_tokens": 3}}


def test_shown_with_its_fields() -> None:
    assert repr(dspy.Prediction(answer="a", n=1)) == "Prediction(\n    answer='a',\n    n=1\n)"


def test_how_many_completions_are_left_out_is_shown() -> None:
    shown = repr(dspy.Prediction.from_completions([{"answer": "a"}, {"answer": "b"}]))
    assert shown.endswith("(1 completions omitted)")


def test_a_prediction_to_dict() -> None:
    assert dspy.Prediction(answer="a").toDict() == {"answer": "a"}


def test_predictions_compare_by_fields() -> None:
    assert dspy.Prediction(answer="a") == dspy.Prediction(answer="a")
    assert dspy.Prediction(answer="a") != dspy.Prediction(answer="b")


def test_a_prediction_becomes_an_example() -> None:
    row = dspy.Example(dspy.Prediction(answer="a"), question="q").with_inputs("question")
    assert row.inputs().toDict() == {"question": "q"}
    assert row.answer == "a"


def test_a_field_may_have_any_value() -> None:
    row = dspy.Example(a=None, b=[1], c={"d": 1})
    assert (row.a, row.b, row.c) == (None, [1], {"d": 1})
