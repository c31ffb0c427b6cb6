"""Does a passage hold the answer? The weak sign of relevance that supervision begins with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from telic._text import normalize_text
from telic.errors import DataError

_ANSWERS = ("answers", "answer")


class AnswerMatcher:
    """Finds answers in passages as runs of whole words, after case, punctuation and articles are taken away.

    Each passage is normalised once.
    """

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def holds(self, passage: str, answers: Iterable[str]) -> bool:
        """Whether one of the answers stands in the passage; an answer without any word never does."""
        found = self._known.get(passage)
        if found is None:
            found = self._known[passage] = f" {normalize_text(passage)} "
        return any(words and f" {words} " in found for words in map(normalize_text, answers))


def question_of(example: Any, place: int) -> str:
    """The question of an example.

    Raises:
        DataError: it has none.
    """
    value = _field(example, "question")
    if not isinstance(value, str) or not value.strip():
        raise DataError(f"Example {place} has no 'question': {example!r:.100}.")
    return value


def answers_of(example: Any, place: int) -> tuple[str, ...]:
    """The accepted answers of an example: `answers`, or `answer`, one or a list of them.

    Raises:
        DataError: it has none.
    """
    value = next((found for name in _ANSWERS if (found := _field(example, name)) is not None), None)
    several: Sequence[Any] = [value] if isinstance(value, (str, int, float)) else value or ()
    answers = tuple(str(answer) for answer in several if str(answer).strip())
    if not answers:
        raise DataError(
            f"Example {place} ({_field(example, 'question')!r:.80}) has no 'answer' or 'answers', which "
            "supervision looks for in passages. Leave questions without one out."
        )
    return answers


def _field(example: Any, name: str) -> Any:
    return example.get(name) if hasattr(example, "get") else getattr(example, name, None)
