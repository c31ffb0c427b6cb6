"""What decides, beside the weights, which vectors a text has."""

from __future__ import annotations

import string
from dataclasses import asdict, dataclass, replace
from typing import Any

from telic.errors import InputError

PUNCTUATION = tuple(string.punctuation)
"""The marks that ColBERT leaves out of passages."""


@dataclass(frozen=True, slots=True)
class EncoderSettings:
    """How texts become tokens, and which tokens become rows. Lengths are in tokens, special ones counted.

    A folder's own settings hold where it has some. For a plain model (MiniLM) rows are those of words only,
    in queries and passages, without markers or mask tokens: the first hit of 863 questions among 520
    passages (SQuAD) is right in 87.7 % so, in 86.3 % with special tokens and queries' punctuation, in 72.0 %
    with queries filled up with masks.

    Attributes:
        query_length: tokens of a query that are read; with `augment`, the length of every query.
        passage_length: tokens of a passage that are read in one piece; what is beyond is left out, or read
            in further pieces where `overlap` is set.
        overlap: where given, a longer passage is read in pieces of `passage_length` that share so many
            tokens; each token's row comes from the piece in which it stands further from the edge.
        query_marker: token put after the first of a query, as `"[unused0]"`; none for a plain encoder.
        passage_marker: the same for passages.
        augment: queries are filled up with mask tokens to `query_length`, whose rows count (ColBERT).
        attend_to_masks: the other tokens see those mask tokens.
        skipped: tokens whose rows are left out of passages.
        skip_in_queries: they are left out of queries too.
        special_in_queries: rows of the tokens around a query, such as `[CLS]` and `[SEP]`, are kept.
        special_in_passages: the same for passages. Markers are kept with them.
    """

    query_length: int = 64
    passage_length: int = 256
    overlap: int | None = None
    query_marker: str | None = None
    passage_marker: str | None = None
    augment: bool = False
    attend_to_masks: bool = False
    skipped: tuple[str, ...] = PUNCTUATION
    skip_in_queries: bool = False
    special_in_queries: bool = True
    special_in_passages: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "skipped", tuple(self.skipped))
        for name in ("query_length", "passage_length"):
            if getattr(self, name) < 4:
                raise InputError(f"EncoderSettings: {name}={getattr(self, name)!r} must be at least 4.")
        if self.overlap is not None and not 0 <= self.overlap <= (self.passage_length - 4) // 2:
            raise InputError(
                f"EncoderSettings: overlap={self.overlap!r} must lie between 0 and half of the "
                f"{self.passage_length - 4} tokens that passage_length={self.passage_length} has room for."
            )

    def but(self, **changes: Any) -> EncoderSettings:
        """The same settings with some changed.

        Raises:
            InputError: there is no such setting, or its value is not allowed.
        """
        unknown = sorted(set(changes) - set(asdict(self)))
        if unknown:
            raise InputError(
                f"EncoderSettings has no {', '.join(unknown)}; it has: {', '.join(asdict(self))}."
            )
        return replace(self, **changes)
