"""Arrays of pixels as PNG files, with the standard library."""

from __future__ import annotations

import struct
import zlib
from typing import Any

from telic.errors import InputError

_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
"""PNG's number for grey, grey with alpha, RGB, RGBA, by count of channels."""


def png_of_array(array: Any) -> bytes:
    """Write an array of pixels as PNG.

    Args:
        array: a numpy array or anything that numpy makes one of, of shape (height, width) or (height, width,
            channels) with 1 to 4 channels: whole numbers from 0 to 255, truth values, or floats from 0 to 1.

    Raises:
        InputError: it has another shape or other numbers.
    """
    import numpy as np

    pixels = np.asarray(array)
    if pixels.ndim == 2:
        pixels = pixels[:, :, None]
    if pixels.ndim != 3 or pixels.shape[2] not in _COLOUR_TYPES or 0 in pixels.shape:
        raise InputError(
            f"Image: an array of shape {np.shape(array)} is no picture; it must be (height, width) or"
            " (height, width, channels) with 1 to 4 channels."
        )
    height, width, channels = pixels.shape
    rows = np.ascontiguousarray(_bytes_of(pixels)).reshape(height, width * channels)
    raw = np.concatenate(
        [np.zeros((height, 1), np.uint8), rows], axis=1
    ).tobytes()  # 0: rows are not filtered
    header = struct.pack(">IIBBBBB", width, height, 8, _COLOUR_TYPES[channels], 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(raw)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _bytes_of(pixels: Any) -> Any:
    import numpy as np

    if pixels.dtype == np.uint8:
        return pixels
    if pixels.dtype.kind == "b":
        return pixels.astype(np.uint8) * 255
    low, high = float(pixels.min()), float(pixels.max())
    if pixels.dtype.kind == "f" and low >= 0 and high <= 1:
        return (pixels * 255).round().astype(np.uint8)
    if pixels.dtype.kind in "iu" and low >= 0 and high <= 255:
        return pixels.astype(np.uint8)
    raise InputError(
        f"Image: an array of {pixels.dtype} with values from {low:g} to {high:g} is no picture; use whole"
        " numbers from 0 to 255 or floats from 0 to 1."
    )


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
