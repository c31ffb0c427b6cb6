"""`HashEncoder`: token vectors without a model, for tests of what is built on an encoder."""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING

from telic._json import stable_hash
from telic.errors import InputError

if TYPE_CHECKING:
    import numpy as np

_TOKEN = re.compile(r"\w+|[^\w\s]")
_START = "[CLS]"


class HashEncoder:
    """A token's vector is drawn from its hash: the same word has the same vector in every text and process.

    So a query finds the passages that share its words; different words are nearly orthogonal. It has the
    members of `TokenEncoder`. A text is its words and punctuation marks in lower case, after a first token
    `[CLS]`; passages lose their punctuation marks.

    Args:
        dim: length of a row.
        seed: encoders with different seeds have nothing in common.
        passage_length: tokens of a passage that are read.
    """

    def __init__(self, dim: int = 32, seed: int = 0, passage_length: int = 256) -> None:
        if dim < 1 or passage_length < 1:
            raise InputError(f"HashEncoder: dim={dim}, passage_length={passage_length} must be at least 1.")
        self.dim = dim
        self.seed = seed
        self.passage_length = passage_length
        self.fingerprint = stable_hash(["hash", dim, seed, passage_length])
        self._known: dict[str, np.ndarray] = {}

    def encode_queries(self, texts: Sequence[str]) -> list[np.ndarray]:
        """A float32 array `(tokens, dim)` of unit rows for each text."""
        return [self._rows(self.query_tokens(text)) for text in texts]

    def encode_passages(self, texts: Sequence[str]) -> list[np.ndarray]:
        """As for queries, without punctuation marks."""
        return [self._rows(self.passage_tokens(text)) for text in texts]

    def query_tokens(self, text: str) -> list[str]:
        """The token of each row of a query."""
        return [_START, *_TOKEN.findall(text.lower())]

    def passage_tokens(self, text: str) -> list[str]:
        """The token of each row of a passage."""
        tokens = self.query_tokens(text)[: self.passage_length]
        return [token for token in tokens if token == _START or token[0].isalnum() or token[0] == "_"]

    def pooled(self, texts: Sequence[str]) -> np.ndarray:
        """One unit vector for each text, the mean of its rows: `(n, dim)`."""
        import numpy as np

        means = [rows.mean(axis=0) for rows in self.encode_passages(texts)]
        stacked = np.stack(means) if means else np.zeros((0, self.dim), np.float32)
        lengths = np.linalg.norm(stacked, axis=1, keepdims=True)
        unit: np.ndarray = np.asarray(stacked / np.maximum(lengths, 1e-12), np.float32)
        return unit

    def _rows(self, tokens: list[str]) -> np.ndarray:
        import numpy as np

        rows: np.ndarray = np.stack([self._row(token) for token in tokens])
        return rows

    def _row(self, token: str) -> np.ndarray:
        import numpy as np

        row = self._known.get(token)
        if row is None:
            digest = blake2b(f"{self.seed} {token}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
            drawn = np.random.default_rng(int.from_bytes(digest)).standard_normal(self.dim)
            row = np.asarray(drawn / np.linalg.norm(drawn), np.float32)
            self._known[token] = row
        return row
