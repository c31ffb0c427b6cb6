"""BERT and its relatives, forward only (arXiv:1810.04805): numpy's matrix products, and `arithmetic` between.

Sequences of a batch lie one after the other without padding: nothing is computed for tokens that are not
there, and a text's vectors do not depend on its neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from telic.retrieval.late_interaction.encoder.arithmetic import add_and_normalise, gelu
from telic.retrieval.late_interaction.encoder.attention import attend, by_heads


@dataclass(frozen=True, slots=True)
class Dense:
    """A linear map as checkpoints hold it: `weight` (out, in), `bias` (out)."""

    weight: np.ndarray
    bias: np.ndarray

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """Rows times weight; the bias is left to what comes next, where adding it costs no pass."""
        product: np.ndarray = rows @ self.weight.T
        return product


@dataclass(frozen=True, slots=True)
class Norm:
    """Layer normalisation: `weight` and `bias` of shape (width,)."""

    weight: np.ndarray
    bias: np.ndarray


@dataclass(frozen=True, slots=True)
class Layer:
    """One block: attention and a feed-forward part, each followed by its normalisation.

    `qkv` makes queries, keys and values side by side; the queries have the scale of the scores in them.
    """

    qkv: Dense
    out: Dense
    after_attention: Norm
    up: Dense
    down: Dense
    after_feed_forward: Norm


@dataclass(frozen=True, slots=True)
class Bert:
    """The weights of a model, ready to run.

    Attributes:
        words: vectors of the vocabulary (vocabulary, width).
        positions: vectors of places, with that of the segment added (longest, width).
        first_position: row of `positions` for the first token.
        norm: after the sum of both.
        layers: from the first to the last.
        heads: attention heads of each layer.
        epsilon: of the normalisations.
    """

    words: np.ndarray
    positions: np.ndarray
    first_position: int
    norm: Norm
    layers: tuple[Layer, ...]
    heads: int
    epsilon: float

    @property
    def width(self) -> int:
        """Length of a token's vector."""
        return int(self.words.shape[1])

    @property
    def longest(self) -> int:
        """Tokens that one sequence may have."""
        return int(self.positions.shape[0]) - self.first_position

    def facts(self) -> list[Any]:
        """What decides the vectors beside the weights."""
        return ["bert", self.heads, self.epsilon]

    def tensors(self) -> Iterator[np.ndarray]:
        """Every weight, in a fixed order."""
        yield from (self.words, self.positions[self.first_position :], self.norm.weight, self.norm.bias)
        for layer in self.layers:
            for part in (getattr(layer, name) for name in layer.__slots__):
                yield from (part.weight, part.bias)

    def __call__(self, sequences: Sequence[np.ndarray], seen: Sequence[int]) -> list[np.ndarray]:
        """Last hidden states.

        Args:
            sequences: token numbers of each text, at most `longest`.
            seen: how many tokens of each, from its beginning, the others attend to.

        Returns:
            For each text a float32 array (tokens, width).
        """
        bounds = np.cumsum([0, *(len(one) for one in sequences)])
        hidden = self._embedded(sequences)
        for layer in self.layers:
            qkv = layer.qkv(hidden)
            qkv += layer.qkv.bias
            attended = attend(by_heads(qkv, self.heads), bounds, seen)
            self._normalise(hidden, layer.out(attended), layer.out.bias, layer.after_attention)
            inner = layer.up(hidden)
            gelu(inner, layer.up.bias)
            self._normalise(hidden, layer.down(inner), layer.down.bias, layer.after_feed_forward)
        return [hidden[start:end] for start, end in pairwise(bounds)]

    def _embedded(self, sequences: Sequence[np.ndarray]) -> np.ndarray:
        first = self.first_position
        hidden: np.ndarray = np.asarray(self.words[np.concatenate(sequences)], np.float32)
        places = np.concatenate([self.positions[first : first + len(one)] for one in sequences])
        self._normalise(hidden, places, np.zeros(self.width, np.float32), self.norm)
        return hidden

    def _normalise(self, hidden: np.ndarray, change: np.ndarray, bias: np.ndarray, norm: Norm) -> None:
        add_and_normalise(hidden, change, bias, norm.weight, norm.bias, self.epsilon)
