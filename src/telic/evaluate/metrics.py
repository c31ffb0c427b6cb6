"""Ready-made metrics for short answers: exact match, token F1, passage match.

Texts are compared after normalisation: case, punctuation, English articles and repeated spaces do not count.
The `*_match` functions are metrics (`metric(example, prediction, trace=None)`); the others compare a text
with a list of accepted texts and are for use inside a metric.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from telic._text import normalize_text
from telic.errors import MetricError

__all__ = [
    "EM",
    "F1",
    "HotPotF1",
    "answer_exact_match",
    "answer_passage_match",
    "normalize_text",
    "precision_score",
]

_CLOSED_ANSWERS = {"yes", "no", "noanswer"}


def answer_exact_match(example: Any, pred: Any, trace: Any = None, frac: float = 1.0) -> bool:
    """Whether `pred.answer` is the expected answer, or one of them.

    Args:
        example: has `.answer`: one accepted answer, or a list of them. Numbers are compared as text.
        pred: has `.answer`.
        trace: not used.
        frac: below 1, a token F1 of at least this much is enough.
    """
    answers, given = _accepted(example.answer), _as_text(pred.answer)
    return EM(given, answers) if frac >= 1.0 else F1(given, answers) >= frac


def answer_passage_match(example: Any, pred: Any, trace: Any = None) -> bool:
    """Whether one of the passages in `pred.context` contains the expected answer, as a run of whole words."""
    passages = [pred.context] if isinstance(pred.context, str) else pred.context
    wanted = [words for words in (normalize_text(a).split() for a in _accepted(example.answer)) if words]
    return any(_contains(normalize_text(p).split(), words) for p in passages for words in wanted)


def EM(prediction: str, answers_list: Sequence[str]) -> bool:
    """Whether the prediction equals one of the accepted answers after normalisation."""
    given = normalize_text(prediction)
    return any(given == normalize_text(answer) for answer in _listed(answers_list))


def F1(prediction: str, answers_list: Sequence[str]) -> float:
    """Best token F1 of the prediction against the accepted answers (Rajpurkar et al. 2016), between 0 and 1.

    Two texts without any token are equal and score 1, as in SQuAD 2.0, where "no answer" is an answer.
    """
    return max(
        _f1(normalize_text(prediction).split(), normalize_text(a).split()) for a in _listed(answers_list)
    )


def HotPotF1(prediction: str, answers_list: Sequence[str]) -> float:
    """`F1`, but "yes", "no" and "noanswer" score only when they are exactly right (Yang et al. 2018)."""
    return max(_hotpot_f1(normalize_text(prediction), normalize_text(a)) for a in _listed(answers_list))


def precision_score(prediction: str, ground_truth: str) -> float:
    """Share of the prediction's tokens that occur in the expected text, between 0 and 1."""
    given, wanted = normalize_text(prediction).split(), normalize_text(ground_truth).split()
    if not given or not wanted:
        return float(given == wanted)
    return sum((Counter(given) & Counter(wanted)).values()) / len(given)


def _f1(given: list[str], wanted: list[str]) -> float:
    if not given or not wanted:
        return float(given == wanted)
    shared = sum((Counter(given) & Counter(wanted)).values())
    # Twice the shared over all tokens is the harmonic mean of precision and recall.
    return 2.0 * shared / (len(given) + len(wanted))


def _hotpot_f1(given: str, wanted: str) -> float:
    if given != wanted and (given in _CLOSED_ANSWERS or wanted in _CLOSED_ANSWERS):
        return 0.0
    return _f1(given.split(), wanted.split())


def _contains(passage: list[str], words: list[str]) -> bool:
    first, length = words[0], len(words)
    return any(word == first and passage[i : i + length] == words for i, word in enumerate(passage))


def _accepted(answer: Any) -> list[str]:
    several = isinstance(answer, Iterable) and not isinstance(answer, (str, bytes))
    return [_as_text(a) for a in answer] if several else [_as_text(answer)]


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    # A whole float is the number people write without a point.
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _listed(answers: Sequence[str]) -> Sequence[str]:
    if isinstance(answers, str) or not answers:
        raise MetricError(f"The accepted answers must be a list of at least one text, not {answers!r}.")
    return answers
