"""What is read off a ranking."""

from __future__ import annotations

import pytest

from telic.errors import InputError
from telic.retrieval.passage import Passage
from telic.systems.colbert_qa.matching import AnswerMatcher
from telic.systems.colbert_qa.supervision import Question, Supervision, supervise


def ranking(*texts: str) -> list[Passage]:
    return [Passage(str(rank), text) for rank, text in enumerate(texts)]


@pytest.mark.parametrize(
    ("passage", "answers", "holds"),
    [
        ("Rome was not built in a day.", ("rome",), True),
        ("the Roman road", ("Rom",), False),
        ("It cost $1,234 then", ("1234",), True),
        ("Beyoncé sang", ("the Beyonce\u0301",), True),
        ("nothing", ("the", "."), False),
        ("U.S. troops", ("us",), True),
        ("he met A. Lincoln", ("Lincoln", "x"), True),
    ],
)
def test_answers_are_found_as_whole_words(passage: str, answers: tuple[str, ...], holds: bool) -> None:
    assert AnswerMatcher().holds(passage, answers) is holds


def test_positives_are_the_highest_that_hold_the_answer_and_negatives_the_rest() -> None:
    found = ranking("no", "yes one", "no more", "yes two", "yes three", "none", "yes four")
    settings = Supervision(depth=6, positive_depth=4, positives=2, negatives=2)
    made = supervise([Question("q", ("yes",))], [found], settings)
    (example,) = made.examples
    assert example.positives == ("yes one", "yes two")
    assert example.negatives == ("no", "no more")
    assert (made.left_out, made.deep) == (0, 0)


def test_where_none_is_high_the_first_further_down_counts() -> None:
    found = ranking("a", "b", "yes one", "yes two")
    made = supervise(
        [Question("q", ("yes",))], [found], Supervision(depth=4, positive_depth=2, positives=3, negatives=5)
    )
    assert made.examples[0].positives == ("yes one",)
    assert made.examples[0].negatives == ("a", "b")
    assert made.deep == 1


def test_a_question_without_an_answer_in_reach_is_left_out() -> None:
    settings = Supervision(depth=2, positive_depth=1)
    questions = [Question("q", ("yes",)), Question("r", ("b",))]
    made = supervise(questions, [ranking("a", "b", "yes"), ranking("b")], settings)
    assert [example.query for example in made.examples] == ["r"]
    assert made.left_out == 1


def test_a_passage_with_the_answer_is_never_a_negative_even_if_it_is_no_positive() -> None:
    found = ranking("yes one", "yes two", "yes, ONE", "no")
    made = supervise([Question("q", ("yes",))], [found], Supervision(positives=1))
    assert made.examples[0].negatives == ("no",)


@pytest.mark.parametrize("wrong", [{"depth": 0}, {"positives": 0}, {"depth": 5, "positive_depth": 6}])
def test_numbers_that_make_no_sense_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(InputError, match="must"):
        Supervision(**wrong)
