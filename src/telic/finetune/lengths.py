"""How long training examples are, in tokens: exactly where the model's tokenizer is at hand, else estimated
on the high side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from telic.budget import estimate
from telic.finetune.data import TrainingExample, TrainingSet


@dataclass(frozen=True, slots=True)
class Lengths:
    """Tokens of each row, prompt and completion together.

    Attributes:
        tokens: by row.
        exact: counted by the model's own tokenizer.
    """

    tokens: tuple[int, ...]
    exact: bool

    @property
    def total(self) -> int:
        """Of all rows."""
        return sum(self.tokens)

    @property
    def longest(self) -> int:
        """Of the longest row; 0 of none."""
        return max(self.tokens, default=0)


def lengths_of(rows: Sequence[TrainingExample], lm: Any) -> Lengths:
    """Count the tokens of rows as `lm` reads them."""
    counted = [_tokens(row, lm) for row in rows]
    return Lengths(tuple(tokens for tokens, _ in counted), all(exact for _, exact in counted))


def fitting(data: TrainingSet, lm: Any) -> tuple[TrainingSet, str | None]:
    """The rows that fit the model's window, and a sentence on those left out, if any."""
    window = lm.context_window
    if window is None or not data.rows:
        return data, None
    lengths = lengths_of(data.rows, lm)
    kept = tuple(row for row, tokens in zip(data.rows, lengths.tokens, strict=True) if tokens <= window)
    if len(kept) == len(data.rows):
        return data, None
    said = (
        f"{len(data.rows) - len(kept)} of {len(data.rows)} training examples are longer than the {window:,} "
        f"tokens that {lm.model} reads (the longest has {lengths.longest:,}), and were left out."
    )
    return replace(data, rows=kept), said


def _tokens(row: TrainingExample, lm: Any) -> tuple[int, bool]:
    if lm.capabilities.chat and not row.from_text:
        answer = {"role": "assistant", "content": row.completion}
        request = lm.request(messages=[*map(dict, row.prompt), answer])
    elif lm.capabilities.completion:
        request = lm.request(prompt=row.prompt_text + row.completion)
    else:
        request = lm.request(messages=[{"role": "user", "content": row.prompt_text + row.completion}])
    exact = lm.count_tokens(request)
    return (estimate.prompt_tokens(request), False) if exact is None else (exact, True)
