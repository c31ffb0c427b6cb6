"""Arrays of samples as WAV files, with the standard library."""

from __future__ import annotations

import io
import wave
from array import array as typed_array
from collections.abc import Iterable, Sequence
from typing import Any

from telic.errors import InputError


def wav_of_array(samples: Any, sampling_rate: int) -> bytes:
    """Write samples as 16-bit WAV.

    Args:
        samples: a numpy array or nested lists of shape (n,) or (n, channels): floats from -1 to 1 (what lies
            outside is clipped), or whole numbers of 16 bits.
        sampling_rate: samples a second.

    Raises:
        InputError: it has another shape or other numbers.
    """
    frames = samples.tolist() if hasattr(samples, "tolist") else list(samples)
    channels = len(frames[0]) if frames and isinstance(frames[0], Sequence) else 1
    flat = _flat(frames, channels)
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(int(sampling_rate))
        file.writeframes(_little_endian(_sixteen_bits(flat)))
    return buffer.getvalue()


def _flat(frames: list[Any], channels: int) -> list[float]:
    if not frames or channels == 0:
        raise InputError("Audio: an array without samples is no sound.")
    if not isinstance(frames[0], Sequence):
        flat = frames
    elif all(isinstance(frame, Sequence) and len(frame) == channels for frame in frames):
        flat = [sample for frame in frames for sample in frame]
    else:
        raise InputError("Audio: an array must be of shape (n,) or (n, channels).")
    if not all(isinstance(sample, (int, float)) for sample in flat):
        raise InputError("Audio: an array must hold numbers, in the shape (n,) or (n, channels).")
    return flat


def _sixteen_bits(samples: list[float]) -> Iterable[int]:
    if all(isinstance(sample, int) for sample in samples):
        if min(samples) < -32768 or max(samples) > 32767:
            raise InputError(
                "Audio: whole numbers must fit 16 bits (-32768 to 32767); floats go from -1 to 1."
            )
        return (int(sample) for sample in samples)
    if any(sample != sample for sample in samples):
        raise InputError("Audio: the array has samples that are not numbers (NaN).")
    return (round(max(-1.0, min(1.0, sample)) * 32767) for sample in samples)


def _little_endian(values: Iterable[int]) -> bytes:
    import sys

    data = typed_array("h", values)
    if sys.byteorder == "big":
        data.byteswap()
    return data.tobytes()
