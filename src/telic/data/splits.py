"""Dividing a data set, the same way every time."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from telic.errors import DataError

T = TypeVar("T")
Key = str | Callable[[Any], Any]


def split(
    rows: Sequence[T], sizes: Sequence[int | float], seed: int = 0, *, stratify: Key | None = None
) -> list[list[T]]:
    """Draw disjoint parts of `rows` at random; what is left over is in none of them.

    Args:
        rows: the data; not changed. The same row object is never in two parts.
        sizes: of each part, either a count (`int`) or a share of all rows (`float` between 0 and 1). A last
            `-1` takes everything that is left.
        seed: equal seeds and equal rows give equal parts.
        stratify: a field name, or a function of a row; each part then has its values in the proportions of
            the whole, as nearly as whole rows allow.

    Returns:
        One list per size, in random order.

    Raises:
        DataError: a size is negative or not a number, or the parts do not fit into the rows.
    """
    counts = _counts(len(rows), sizes)
    order = list(range(len(rows)))
    random.Random(f"split:{seed}").shuffle(order)
    if stratify is not None:
        order = _interleaved(rows, order, stratify)
    parts, start = [], 0
    for part, count in enumerate(counts):
        chosen = order[start : start + count]
        if stratify is not None:
            # Interleaving put the values in a regular pattern, which a minibatch must not inherit.
            random.Random(f"split:{seed}:{part}").shuffle(chosen)
        parts.append([rows[index] for index in chosen])
        start += count
    return parts


def _counts(total: int, sizes: Sequence[int | float]) -> list[int]:
    counts: list[int] = []
    shared = 0.0
    for position, size in enumerate(sizes):
        if isinstance(size, bool) or not isinstance(size, (int, float)):
            raise DataError(f"split: a size is a count or a share, not {size!r}.")
        if size == -1 and position == len(sizes) - 1:
            counts.append(max(total - sum(counts), 0))
        elif size < 0 or (isinstance(size, float) and size > 1):
            raise DataError(f"split: the size {size!r} is neither a count nor a share between 0.0 and 1.0.")
        elif isinstance(size, int):
            counts.append(size)
        else:
            # Rounding the running sum, not each share: shares that make the whole then lose no row.
            counts.append(round((shared + size) * total) - round(shared * total))
            shared += size
    if sum(counts) > total:
        raise DataError(f"split: parts of {counts} rows do not fit into {total} rows.")
    return counts


def _interleaved(rows: Sequence[Any], order: list[int], key: Key) -> list[int]:
    """Order rows so that every stretch has each value about as often as the whole does."""
    groups: dict[Any, list[int]] = {}
    for index in order:
        groups.setdefault(_value(rows[index], key), []).append(index)
    placed = [
        ((position + 0.5) / len(group), number, index)
        for number, group in enumerate(groups.values())
        for position, index in enumerate(group)
    ]
    return [index for _, _, index in sorted(placed)]


def _value(row: Any, key: Key) -> Any:
    if callable(key):
        return key(row)
    try:
        return row[key]
    except (KeyError, TypeError, IndexError):
        raise DataError(f"split: stratify={key!r}, but there is a row without it: {row!r:.200}") from None
