"""From a text to the token numbers that the model reads, and to the rows of its output that are kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from telic.errors import InputError, ModelWeightsError
from telic.retrieval.late_interaction.encoder.settings import EncoderSettings

_PROBE = "Née in 1984: don’t re-visit O'Hare's café, 北京 — the naïve coöperation's $1,234.56… ẞ ﬁ Αθήνα!"
"""A text that tokenizers with other rules cut otherwise."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One sequence for the model.

    Attributes:
        ids: its token numbers.
        seen: how many of them, from the first, the others attend to.
        kept: which of them give rows.
    """

    ids: np.ndarray
    seen: int
    kept: np.ndarray


class Tokens:
    """Cuts texts into pieces.

    Args:
        tokenizer: of the `tokenizers` library.
        settings: lengths, markers, what is left out.
        mask: the mask token; needed where queries are filled up.
        where: named in errors.

    Raises:
        ModelWeightsError: the tokenizer lacks a marker or the mask token.
    """

    def __init__(self, tokenizer: Any, settings: EncoderSettings, mask: str | None, where: str) -> None:
        self.tokenizer = tokenizer
        self.mask = mask
        self._settings = settings
        self._where = where
        tokenizer.no_truncation()
        tokenizer.no_padding()
        around = tokenizer.encode("a").special_tokens_mask
        self._before, self._after = _around(tokenizer.encode("a").ids, around)
        self._markers = {name: self._number(name) for name in self._marker_names()}
        self._mask_number = self._number(mask or "[MASK]") if settings.augment else 0
        skipped = (tokenizer.token_to_id(token) for token in settings.skipped)
        self._skipped = np.array(sorted({number for number in skipped if number is not None}), np.int32)

    def facts(self) -> list[Any]:
        """What tells this tokenizer from others: its vocabulary and what it makes of a probe."""
        return [sorted(self.tokenizer.get_vocab().items()), self.tokenizer.encode(_PROBE).ids]

    def queries(self, texts: Sequence[str]) -> Iterator[Piece]:
        """One piece for each query."""
        settings = self._settings
        for content in self._contents(texts):
            head, room = self._head(settings.query_marker, settings.query_length)
            content = content[:room]
            ids = np.array([*head, *content, *self._after], np.int32)
            seen = len(ids)
            if settings.augment:
                masks: np.ndarray = np.full(settings.query_length - seen, self._mask_number, np.int32)
                ids = np.concatenate([ids, masks])
                seen = len(ids) if settings.attend_to_masks else seen
            keep: np.ndarray = np.ones(len(ids), bool)
            if not settings.special_in_queries:
                keep[: len(head)] = False
                keep[len(head) + len(content) : len(head) + len(content) + len(self._after)] = False
            if settings.skip_in_queries:
                keep[len(head) :][: len(content)] &= ~np.isin(np.array(content, np.int32), self._skipped)
            yield Piece(ids, seen, _some(keep))

    def passages(self, texts: Sequence[str]) -> Iterator[list[Piece]]:
        """The pieces of each passage: one, or more where long passages are read to their end."""
        for content in self._contents(texts):
            yield list(self._pieces(content))

    def _pieces(self, content: Sequence[int]) -> Iterator[Piece]:
        settings = self._settings
        head, room = self._head(settings.passage_marker, settings.passage_length)
        overlap = settings.overlap
        if overlap is None:
            content = content[:room]
        start, first = 0, 0
        while True:
            taken = content[start : start + room]
            last = start + room >= len(content)
            # Where pieces share tokens, each gives the rows of its own half.
            end = len(taken) if last else room - (overlap or 0) + (overlap or 0) // 2
            yield self._passage(head, taken, first, end)
            if last:
                return
            start += room - (overlap or 0)
            first = (overlap or 0) // 2

    def _passage(self, head: list[int], content: Sequence[int], first: int, end: int) -> Piece:
        ids = np.array([*head, *content, *self._after], np.int32)
        keep: np.ndarray = np.full(len(ids), self._settings.special_in_passages)
        inside = slice(len(head), len(head) + len(content))
        keep[inside] = False
        keep[len(head) + first : len(head) + end] = True
        keep[inside] &= ~np.isin(ids[inside], self._skipped)
        return Piece(ids, len(ids), _some(keep))

    def names(self, pieces: Sequence[Piece]) -> list[str]:
        """The token of each row that the pieces give."""
        numbers = [number for piece in pieces for number in piece.ids[piece.kept].tolist()]
        return [self.tokenizer.id_to_token(number) for number in numbers]

    def _contents(self, texts: Sequence[str]) -> Iterator[list[int]]:
        for text in texts:
            if not isinstance(text, str):
                raise InputError(f"Encoder: texts are needed, not {type(text).__name__} ({text!r:.80}).")
        # Half of a surrogate pair has no UTF-8, which the tokenizer reads.
        clean = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
        for encoding in self.tokenizer.encode_batch_fast(clean, add_special_tokens=False):
            yield encoding.ids

    def _head(self, marker: str | None, length: int) -> tuple[list[int], int]:
        """What stands before the content, and how much content fits."""
        head = list(self._before)
        if marker is not None:
            head.insert(1, self._markers[marker])
        return head, length - len(head) - len(self._after)

    def _marker_names(self) -> set[str]:
        return {m for m in (self._settings.query_marker, self._settings.passage_marker) if m is not None}

    def _number(self, token: str) -> int:
        number = self.tokenizer.token_to_id(token)
        if number is None:
            raise ModelWeightsError(f"{self._where}: the tokenizer has no token '{token}'.")
        return int(number)


def _around(ids: list[int], special: list[int]) -> tuple[list[int], list[int]]:
    first = special.index(0) if 0 in special else len(ids)
    last = len(special) - special[::-1].index(0) if 0 in special else len(ids)
    return ids[:first], ids[last:]


def _some(keep: np.ndarray) -> np.ndarray:
    """The places that are kept; the first where none is, so that no text is without a row."""
    places: np.ndarray = np.flatnonzero(keep)
    return places if len(places) else np.zeros(1, np.intp)
