"""Small numbers side by side in bytes, the first in the lowest bits."""

from __future__ import annotations

import numpy as np

from telic.errors import InputError

WIDTHS = (1, 2, 4, 8, 16)
"""Bits a number may take."""


def row_bytes(dim: int, bits: int) -> int:
    """Bytes that a row of `dim` numbers of `bits` bits takes; the last byte is filled up with zeros."""
    return -(-dim * bits // 8)


def pack(numbers: np.ndarray, bits: int) -> np.ndarray:
    """Rows of numbers below `2 ** bits` as bytes, `(rows, dim)` to uint8 `(rows, row_bytes(dim, bits))`.

    16-bit numbers are written as two bytes, the lower first.

    Raises:
        InputError: the width is not one of `WIDTHS`.
    """
    _known(bits)
    rows, dim = numbers.shape
    if bits == 16:
        wide: np.ndarray = np.ascontiguousarray(numbers, "<u2").view(np.uint8).reshape(rows, dim * 2)
        return wide
    each = 8 // bits
    padded = np.zeros((rows, row_bytes(dim, bits) * each), np.uint8)
    padded[:, :dim] = numbers
    packed: np.ndarray = np.zeros((rows, row_bytes(dim, bits)), np.uint8)
    for place in range(each):
        packed |= padded[:, place::each] << np.uint8(place * bits)
    return packed


def unpack(packed: np.ndarray, dim: int, bits: int) -> np.ndarray:
    """What `pack` was given, as uint8 or, for 16 bits, uint16: `(rows, dim)`.

    Raises:
        InputError: the width is not one of `WIDTHS`.
    """
    _known(bits)
    if bits == 16:
        wide: np.ndarray = np.ascontiguousarray(packed).view("<u2").reshape(len(packed), dim)
        return wide
    each = 8 // bits
    numbers: np.ndarray = np.empty((len(packed), packed.shape[1] * each), np.uint8)
    for place in range(each):
        numbers[:, place::each] = (packed >> np.uint8(place * bits)) & np.uint8(2**bits - 1)
    kept: np.ndarray = numbers[:, :dim]
    return kept


def _known(bits: int) -> None:
    if bits not in WIDTHS:
        raise InputError(f"Numbers of {bits!r} bits cannot be packed; the widths are {WIDTHS}.")
