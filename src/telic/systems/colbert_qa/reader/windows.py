"""Question and passage as tokens: in pieces that fit, with the places of answers and the way to the text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from telic.errors import ModelWeightsError


@dataclass(frozen=True, slots=True)
class Window:
    """`[CLS] question [SEP] piece of passage [SEP]`.

    Attributes:
        ids: token numbers.
        first: place of the piece's first token in `ids`.
        text: the passage.
        offsets: characters of `text` that each token of the piece stands for, begin and end.
        source: whatever tells which passage it is.
    """

    ids: tuple[int, ...]
    first: int
    text: str
    offsets: tuple[tuple[int, int], ...]
    source: int = 0

    def spans(self, answers: Iterable[str]) -> list[tuple[int, int]]:
        """First and last token (places in `ids`) of each occurrence of an answer, as whole words."""
        found = {
            (begin, end)
            for answer in answers
            for match in _occurrences(answer, self.text)
            if (begin := self._token_at(match.start())) is not None
            and (end := self._token_at(match.end() - 1)) is not None
        }
        return sorted(found)

    def words(self, begin: int, end: int) -> str:
        """The text from token `begin` to token `end` (places in `ids`), both included."""
        return self.text[self.offsets[begin - self.first][0] : self.offsets[end - self.first][1]]

    def _token_at(self, character: int) -> int | None:
        return next(
            (
                self.first + place
                for place, (begin, end) in enumerate(self.offsets)
                if begin <= character < end
            ),
            None,
        )


class Windows:
    """Cuts passages into windows.

    Args:
        tokenizer: of the `tokenizers` library, of the model's vocabulary.
        question: tokens of a question that are kept.
        piece: tokens of a passage in a window.
        stride: tokens from one window of a passage to the next.

    Raises:
        ModelWeightsError: the tokenizer has no tokens for begin and end.
    """

    def __init__(self, tokenizer: Any, *, question: int = 40, piece: int = 160, stride: int = 96) -> None:
        self._tokenizer = tokenizer
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._start, self._end = self._known("[CLS]"), self._known("[SEP]")
        self._question, self._piece, self._stride = question, piece, stride

    def of(self, question: str, passage: str, source: int = 0) -> Iterator[Window]:
        """All windows of a passage, from its beginning; one of an empty passage."""
        head = self._tokens(question).ids[: self._question]
        whole = self._tokens(passage)
        ids, offsets = whole.ids, whole.offsets
        for begin in range(0, max(1, len(ids)), self._stride):
            end = begin + self._piece
            yield Window(
                (self._start, *head, self._end, *ids[begin:end], self._end),
                len(head) + 2,
                passage,
                tuple(offsets[begin:end]),
                source,
            )
            if end >= len(ids):
                return

    def _tokens(self, text: str) -> Any:
        return self._tokenizer.encode(text, add_special_tokens=False)

    def _known(self, token: str) -> int:
        number = self._tokenizer.token_to_id(token)
        if number is None:
            raise ModelWeightsError(f"The tokenizer does not know {token}, which a reader needs.")
        return int(number)


def padded(windows: Sequence[Window]) -> tuple[list[list[int]], list[list[int]], list[int]]:
    """Rows of equal length: token numbers, segments (1 in the passage), and each window's own length."""
    longest = max(len(window.ids) for window in windows)
    ids = [[*window.ids, *[0] * (longest - len(window.ids))] for window in windows]
    segments = [[int(place >= window.first) for place in range(longest)] for window in windows]
    return ids, segments, [len(window.ids) for window in windows]


def _occurrences(answer: str, text: str) -> Iterator[re.Match[str]]:
    words = answer.split()
    if not words:
        return iter(())
    pattern = r"\s+".join(re.escape(word) for word in words)
    return re.finditer(rf"(?<!\w){pattern}(?!\w)", text, re.IGNORECASE)
