"""The ready-made metrics, by hand-worked cases."""

from __future__ import annotations

from functools import partial

import pytest

from telic.data import Example, Prediction
from telic.errors import MetricError
from telic.evaluate.metrics import (
    EM,
    F1,
    HotPotF1,
    answer_exact_match,
    answer_passage_match,
    normalize_text,
    precision_score,
)


def match(expected: object, given: object, **options: float) -> bool:
    return answer_exact_match(Example(answer=expected), Prediction(answer=given), **options)


@pytest.mark.parametrize(
    ("expected", "given", "same"),
    [
        ("cat", "The cat!", True),
        ("cat", "category", False),
        (["cat", "dog"], "a dog", True),
        (("cat",), "cat", True),
        (72, "72", True),
        (72, 72.0, True),
        (7.5, "7.5", True),
        (True, "true", True),
        ("Café", "Cafe\u0301", True),
        ("cat", None, False),
        ("", "the", True),
    ],
)
def test_exact_match(expected: object, given: object, same: bool) -> None:
    assert match(expected, given) is same


def test_exact_match_by_a_share_of_tokens() -> None:
    assert match("big cat sat", "big cat", frac=0.8)
    assert not match("big cat sat", "big cat", frac=0.81)
    assert partial(answer_exact_match, frac=0.5)(Example(answer="a b"), Prediction(answer="b c"))


@pytest.mark.parametrize(
    ("answer", "context", "found"),
    [
        ("cat", ["a big cat."], True),
        ("cat", ["category"], False),
        (["cat", "dog"], ["x", "dogs dog"], True),
        ("big cat", ["the BIG, cat sat"], True),
        ("big cat", ["big fat cat"], False),
        ("cat", "one text is one passage: cat", True),
        ("cat", [], False),
        ("the", ["nothing is left of the answer"], False),
        (3, ["3 of them"], True),
    ],
)
def test_passage_match(answer: object, context: object, found: bool) -> None:
    assert answer_passage_match(Example(answer=answer), Prediction(context=context)) is found


def test_token_scores() -> None:
    assert F1("the cat sat", ["cat sat on mat"]) == pytest.approx(2 * 2 / (2 + 4))
    assert F1("a b", ["c", "b a"]) == 1.0
    assert F1("cat cat", ["cat"]) == pytest.approx(2 / 3)
    assert F1("x", [""]) == F1("", ["x"]) == 0.0
    assert F1("", ["the"]) == 1.0
    assert precision_score("yes it is", "yes") == pytest.approx(1 / 3)
    assert HotPotF1("yes it is", ["yes"]) == 0.0
    assert HotPotF1("yes", ["no", "Yes."]) == 1.0
    assert HotPotF1("the cat sat", ["cat sat on mat"]) == F1("the cat sat", ["cat sat on mat"])
    assert EM("The Cat", ["dog", "cat"])
    assert normalize_text("  The  Cat's, hat! ") == "cats hat"


@pytest.mark.parametrize("score", [EM, F1, HotPotF1])
def test_accepted_answers_are_a_list(score: object) -> None:
    for wrong in ("x", []):
        with pytest.raises(MetricError, match="list of at least one text"):
            score("x", wrong)  # type: ignore[operator]
