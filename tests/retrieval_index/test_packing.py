from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from telic.errors import InputError
from telic.retrieval.late_interaction.lists import build_lists, collect
from telic.retrieval.late_interaction.packing import WIDTHS, pack, row_bytes, unpack


@given(st.sampled_from(WIDTHS), st.integers(1, 40), st.integers(0, 5), st.integers(0, 2**32 - 1))
def test_what_was_packed_comes_back(bits: int, dim: int, rows: int, seed: int) -> None:
    numbers = np.random.default_rng(seed).integers(0, 2**bits, (rows, dim))
    packed = pack(numbers, bits)
    assert packed.dtype == np.uint8
    assert packed.shape == (rows, row_bytes(dim, bits))
    assert (unpack(packed, dim, bits) == numbers).all()


def test_the_first_number_is_in_the_lowest_bits() -> None:
    assert pack(np.array([[1, 2, 3, 0, 1]]), 2).tolist() == [[0b00_11_10_01, 0b01]]
    assert pack(np.array([[0x1234]]), 16).tolist() == [[0x34, 0x12]]


def test_other_widths_are_refused() -> None:
    with pytest.raises(InputError, match="3 bits"):
        pack(np.zeros((1, 1), np.int64), 3)
    with pytest.raises(InputError, match="5 bits"):
        unpack(np.zeros((1, 1), np.uint8), 1, 5)


@settings(deadline=None)  # compiling takes what it takes
@given(st.lists(st.lists(st.integers(0, 6), max_size=8), max_size=400), st.integers(0, 2**32 - 1))
def test_lists_hold_each_passage_once_for_each_of_its_centroids(passages: list[list[int]], seed: int) -> None:
    starts = np.concatenate([[0], np.cumsum([len(tokens) for tokens in passages])]).astype(np.int64)
    centroid_of = np.array([token for tokens in passages for token in tokens], np.uint16)
    lists, ends = build_lists(starts, centroid_of, 7)
    rng = np.random.default_rng(seed)
    admitted = rng.integers(0, 2, len(passages)).astype(np.uint8)
    for probes in ([3], [0, 6, 2], list(range(7))):
        out = np.zeros(len(passages), np.uint32)
        seen = np.zeros(len(passages), np.uint8)
        count = collect(lists, ends, np.array(probes), admitted, seen, out)
        wanted = [p for p, tokens in enumerate(passages) if admitted[p] and set(tokens) & set(probes)]
        assert sorted(out[:count].tolist()) == wanted


def test_steps_of_several_bytes_are_read_back() -> None:
    places = [0, 1, 127, 128, 129, 16_000, 40_000]
    lengths = np.zeros(40_001, np.int64)
    lengths[places] = 1
    starts = np.concatenate([[0], np.cumsum(lengths)])
    lists, ends = build_lists(starts, np.zeros(len(places), np.uint16), 1)
    out = np.zeros(len(lengths), np.uint32)
    everyone = np.ones(len(lengths), np.uint8)
    count = collect(lists, ends, np.array([0]), everyone, np.zeros_like(everyone), out)
    assert out[:count].tolist() == places
    assert len(lists) == 5 + 2 + 3
