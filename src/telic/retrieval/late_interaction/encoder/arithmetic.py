"""The parts of a transformer that are not matrix products: compiled, one pass over memory each, float32.

numpy would take ten passes for each of them, and it has no error function. All work in place and let other
threads run meanwhile. The first use in a fresh installation compiles (some seconds); the machine code is
kept beside this file, or in the user's cache where that cannot be written.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

F = TypeVar("F", bound=Callable[..., Any])

# Sums may be taken in any order, so that they run in the processor's wide registers.
_compiled: Callable[[F], F] = numba.njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
_inlined: Callable[[F], F] = numba.njit(inline="always", fastmath=True, error_model="numpy")
_emitted: Callable[[Callable[..., Any]], Callable[..., Any]] = intrinsic


@_emitted
def _float_of_bits(typing_context: Any, bits: Any) -> Any:
    """The float32 that has these 32 bits."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.FloatType())

    return types.float32(types.int32), generate


_ONE, _HALF = np.float32(1.0), np.float32(0.5)
_PER_LN2 = np.float32(1.4426950408889634)
_LOWEST = np.float32(-126.0)

# 2**f for f in [-1/2, 1/2]: interpolated at Chebyshev points; relative error 1e-7.
_E1, _E2, _E3 = np.float32(0.6931471824645996), np.float32(0.24022650718688965), np.float32(0.05550327152)
_E4, _E5, _E6 = np.float32(0.009618056938), np.float32(0.00134004279977), np.float32(0.000154614448547)


@_inlined
def _exp(x: Any) -> Any:
    """e**x for x of at most 0."""
    exponent = max(x * _PER_LN2, _LOWEST)
    whole = np.int32(exponent - _HALF)
    f = exponent - np.float32(whole)
    value = _ONE + f * (_E1 + f * (_E2 + f * (_E3 + f * (_E4 + f * (_E5 + f * _E6)))))
    return value * _float_of_bits((whole + np.int32(127)) << np.int32(23))


@_compiled
def softmax(scores: np.ndarray) -> None:
    """Each row of `scores` (rows, n) becomes its softmax."""
    for row in range(scores.shape[0]):
        values = scores[row]
        highest = values[0]
        for i in range(values.shape[0]):
            highest = max(highest, values[i])
        total = np.float32(0.0)
        for i in range(values.shape[0]):
            value = _exp(values[i] - highest)
            values[i] = value
            total += value
        scale = _ONE / total
        for i in range(values.shape[0]):
            values[i] *= scale


# (Phi(x) - 1/2) / x as P(x*x) / Q(x*x), least maximal error on [-5.5, 5.5]: 7e-9, below float32's own.
_REACH = np.float32(5.5)
_P0, _P1, _P2 = np.float32(0.398942232131958), np.float32(0.033852286636829), np.float32(0.004677236545831)
_P3, _P4, _P5 = np.float32(1.688216725597e-4), np.float32(6.352058790e-6), np.float32(2.274950361e-8)
_Q1, _Q2, _Q3 = np.float32(0.251521021127701), np.float32(0.028645660728217), np.float32(0.001884422730654)
_Q4, _Q5 = np.float32(7.36460424378e-5), np.float32(1.1975034795e-6)


@_compiled
def gelu(hidden: np.ndarray, bias: np.ndarray) -> None:
    """`hidden` (rows, n) becomes gelu(hidden + bias), where gelu(x) = x Phi(x), Phi the normal's."""
    for row in range(hidden.shape[0]):
        values = hidden[row]
        for i in range(values.shape[0]):
            x = values[i] + bias[i]
            near = min(max(x, -_REACH), _REACH)
            t = near * near
            p = _P0 + t * (_P1 + t * (_P2 + t * (_P3 + t * (_P4 + t * _P5))))
            q = _ONE + t * (_Q1 + t * (_Q2 + t * (_Q3 + t * (_Q4 + t * _Q5))))
            values[i] = x * (_HALF + near * p / q)


@_compiled
def add_and_normalise(
    hidden: np.ndarray,
    change: np.ndarray,
    bias: np.ndarray,
    weight: np.ndarray,
    shift: np.ndarray,
    epsilon: float,
) -> None:
    """`hidden` (rows, n) becomes LayerNorm(hidden + change + bias) with `weight` and `shift`."""
    width = hidden.shape[1]
    share = _ONE / np.float32(width)
    for row in range(hidden.shape[0]):
        values, changes = hidden[row], change[row]
        total = np.float32(0.0)
        for i in range(width):
            value = values[i] + changes[i] + bias[i]
            values[i] = value
            total += value
        mean = total * share
        squares = np.float32(0.0)
        for i in range(width):
            value = values[i] - mean
            squares += value * value
        scale = _ONE / np.sqrt(squares * share + np.float32(epsilon))
        for i in range(width):
            values[i] = (values[i] - mean) * scale * weight[i] + shift[i]


@_compiled
def to_unit_length(rows: np.ndarray) -> None:
    """Each row of `rows` (n, dim) is scaled to length 1; a row of zeros stays."""
    for row in range(rows.shape[0]):
        values = rows[row]
        squares = np.float32(0.0)
        for i in range(values.shape[0]):
            squares += values[i] * values[i]
        scale = _ONE / max(np.sqrt(squares), np.float32(1e-12))
        for i in range(values.shape[0]):
            values[i] *= scale
