"""ModernBERT, forward only (arXiv:2412.13663): turned positions, gates, a short reach in most layers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from telic.retrieval.late_interaction.encoder.arithmetic import add_and_normalise, gelu
from telic.retrieval.late_interaction.encoder.attention import attend, by_heads


@dataclass(frozen=True, slots=True)
class ModernLayer:
    """One block; matrices as checkpoints hold them (out, in), without biases.

    Attributes:
        before_attention: weight of the normalisation; `None` in the first layer, which has none.
        qkv: with the scale of the scores in the part of the queries.
        out: after attention.
        before_feed_forward: weight of the normalisation.
        up: to the inner values and their gates.
        down: back.
        reach: tokens to either side that are attended to; all where it is `None`.
        theta: base of the angles of positions.
    """

    before_attention: np.ndarray | None
    qkv: np.ndarray
    out: np.ndarray
    before_feed_forward: np.ndarray
    up: np.ndarray
    down: np.ndarray
    reach: int | None
    theta: float


@dataclass(frozen=True, slots=True)
class ModernBert:
    """The weights of a model, ready to run.

    Attributes:
        words: vectors of the vocabulary (vocabulary, width).
        norm: weight of the normalisation of these.
        layers: from the first to the last.
        last_norm: weight of the normalisation at the end.
        heads: attention heads of each layer.
        epsilon: of the normalisations.
        longest: tokens that one sequence may have.
    """

    words: np.ndarray
    norm: np.ndarray
    layers: tuple[ModernLayer, ...]
    last_norm: np.ndarray
    heads: int
    epsilon: float
    longest: int

    @property
    def width(self) -> int:
        """Length of a token's vector."""
        return int(self.words.shape[1])

    def facts(self) -> list[Any]:
        """What decides the vectors beside the weights."""
        return ["modernbert", self.heads, self.epsilon, [(one.reach, one.theta) for one in self.layers]]

    def tensors(self) -> Iterator[np.ndarray]:
        """Every weight, in a fixed order."""
        yield from (self.words, self.norm, self.last_norm)
        for layer in self.layers:
            if layer.before_attention is not None:
                yield layer.before_attention
            yield from (layer.qkv, layer.out, layer.before_feed_forward, layer.up, layer.down)

    def __call__(self, sequences: Sequence[np.ndarray], seen: Sequence[int]) -> list[np.ndarray]:
        """Last hidden states; see `Bert`."""
        bounds = np.cumsum([0, *(len(one) for one in sequences)])
        places = np.concatenate([np.arange(len(one)) for one in sequences])
        hidden = self._normalised(self.words[np.concatenate(sequences)], self.norm)
        for layer in self.layers:
            rows = hidden
            if layer.before_attention is not None:
                rows = self._normalised(hidden, layer.before_attention)
            parts = by_heads(rows @ layer.qkv.T, self.heads)
            _turn(parts[:2], places, layer.theta)
            hidden += attend(parts, bounds, seen, layer.reach) @ layer.out.T
            inner = self._normalised(hidden, layer.before_feed_forward) @ layer.up.T
            hidden += _gated(inner) @ layer.down.T
        hidden = self._normalised(hidden, self.last_norm)
        return [hidden[start:end] for start, end in pairwise(bounds)]

    def _normalised(self, hidden: np.ndarray, weight: np.ndarray) -> np.ndarray:
        rows: np.ndarray = np.array(hidden, np.float32, order="C")
        none: np.ndarray = np.zeros(self.width, np.float32)
        add_and_normalise(rows, np.zeros_like(rows), none, weight, none, self.epsilon)
        return rows


def _gated(inner: np.ndarray) -> np.ndarray:
    half = inner.shape[1] // 2
    values: np.ndarray = np.ascontiguousarray(inner[:, :half])
    gelu(values, np.zeros(half, np.float32))
    values *= inner[:, half:]
    return values


def _turn(parts: np.ndarray, places: np.ndarray, theta: float) -> None:
    """Turn pairs of numbers of queries and keys (2, heads, tokens, size) by place (arXiv:2104.09864)."""
    half = parts.shape[-1] // 2
    angles = np.outer(places, theta ** (-np.arange(half) / half))
    cosine, sine = np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)
    first, second = parts[..., :half].copy(), parts[..., half:].copy()
    parts[..., :half] = first * cosine - second * sine
    parts[..., half:] = second * cosine + first * sine
