from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings, strategies as st

from telic.data import Example, split
from telic.errors import DataError

ROWS = [Example(text=str(n), label="rare" if n % 10 == 0 else "common") for n in range(100)]


@given(st.integers(0, 60), st.lists(st.integers(0, 20), max_size=4), st.integers(0, 5), st.booleans())
@settings(max_examples=80, deadline=None)
def test_parts_are_disjoint_and_repeatable(total: int, sizes: list[int], seed: int, stratified: bool) -> None:
    rows = list(range(total))
    by = (lambda row: row % 3) if stratified else None
    if sum(sizes) > total:
        with pytest.raises(DataError, match="do not fit"):
            split(rows, sizes, seed, stratify=by)
        return
    parts = split(rows, sizes, seed, stratify=by)
    assert [len(part) for part in parts] == sizes
    drawn = [row for part in parts for row in part]
    assert len(set(drawn)) == len(drawn)
    assert parts == split(rows, sizes, seed, stratify=by)
    assert rows == list(range(total))


def test_seeds_differ() -> None:
    assert split(ROWS, [50], 1) != split(ROWS, [50], 2)


def test_shares_and_the_rest() -> None:
    train, dev, test = split(ROWS, [0.2, 10, -1], 0)
    assert (len(train), len(dev), len(test)) == (20, 10, 70)
    for total in range(20):
        parts = split(list(range(total)), [0.3, 0.3, 0.4], 0)
        assert sorted(row for part in parts for row in part) == list(range(total))


def test_stratified_parts_have_the_proportions_of_the_whole() -> None:
    for part in split(ROWS, [20, 30, 50], 3, stratify="label"):
        share = Counter(row.label for row in part)["rare"] / len(part)
        assert abs(share - 0.1) <= 0.051
    few, _ = split(ROWS, [10, 90], 3, stratify=lambda row: row.label)
    assert {row.label for row in few} == {"rare", "common"}


@pytest.mark.parametrize("size", [-2, 1.5, "ten", True, -0.5])
def test_sizes_that_are_none(size: object) -> None:
    with pytest.raises(DataError):
        split(ROWS, [size])  # type: ignore[list-item]


def test_stratifying_by_what_is_not_there() -> None:
    with pytest.raises(DataError, match="stratify='topic'"):
        split(ROWS, [10], stratify="topic")
