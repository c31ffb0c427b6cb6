"""Voting: the answer most completions agree on (self-consistency; Wang et al., 2022, arXiv:2203.11171)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from telic._text import normalize_text
from telic.data.completions import Completions
from telic.data.prediction import Prediction
from telic.errors import InputError


def default_normalize(value: Any) -> Any:
    """How votes are compared: texts without case, punctuation and articles; an empty text is no vote."""
    return (normalize_text(value) or None) if isinstance(value, str) else value


def majority(
    prediction_or_completions: Prediction | Completions | Sequence[Any],
    normalize: Callable[[Any], Any] | None = default_normalize,
    field: str | None = None,
) -> Prediction:
    """The first completion whose answer is given most often.

    Args:
        prediction_or_completions: a prediction with several completions, its completions, or a list of
            predictions or dicts.
        normalize: makes answers comparable; what it maps to `None` has no vote, unless all do.
        field: the field to vote on; the last output by default.

    Raises:
        InputError: there is nothing to vote on.
    """
    rows = _rows(prediction_or_completions)
    if not rows:
        raise InputError("majority: there are no completions to vote on.")
    field = field or _last_field(prediction_or_completions, rows)
    votes = [_hashable(normalize(row[field]) if normalize else row[field]) for row in rows]
    counted = [vote for vote in votes if vote is not None] or votes
    # The most common one; among equals the one that was given first.
    winner = Counter(counted).most_common(1)[0][0]
    chosen = rows[votes.index(winner)]
    signature = getattr(prediction_or_completions, "signature", None)
    return Prediction.from_completions([dict(chosen)], signature=signature)


def _rows(given: Any) -> list[dict[str, Any]]:
    completions: Any = given.completions if isinstance(given, Prediction) else given
    if isinstance(completions, Completions):
        names = list(completions.keys())
        return [
            dict(zip(names, row, strict=True)) for row in zip(*(completions[n] for n in names), strict=True)
        ]
    return [dict(row.items()) for row in completions]


def _last_field(given: Any, rows: Sequence[dict[str, Any]]) -> str:
    completions: Any = given.completions if isinstance(given, Prediction) else given
    signature = getattr(completions, "signature", None)
    if signature is not None:
        return str(next(reversed(signature.output_fields)))
    return next(reversed(rows[0]))


def _hashable(value: Any) -> Any:
    try:
        hash(value)
    except TypeError:
        return repr(value)
    return value
