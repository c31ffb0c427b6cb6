"""What everything in late interaction asks of an encoder, and nothing more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np


@runtime_checkable
class TokenEncoder(Protocol):
    """Makes a vector for each token of a text. Implementations are safe to use from several threads.

    Rows are of length 1 (Euclidean), so that a product of two rows is their cosine. Every text has at least
    one row, the empty one too. A text's rows do not depend on which other texts are encoded with it, beyond
    rounding.

    Only vectors of encoders with the same fingerprint may be compared; an index remembers it.
    """

    @property
    def dim(self) -> int:
        """Length of a row."""
        ...

    @property
    def fingerprint(self) -> str:
        """Hash of the weights and of every setting that changes a vector."""
        ...

    def encode_queries(self, texts: Sequence[str]) -> list[np.ndarray]:
        """Vectors of queries: for each text a float32 array `(tokens, dim)`, no padding."""
        ...

    def encode_passages(self, texts: Sequence[str]) -> list[np.ndarray]:
        """Vectors of passages: as of queries, without the tokens that are not indexed (punctuation)."""
        ...

    def query_tokens(self, text: str) -> list[str]:
        """The token of each row that `encode_queries` gives for `text`."""
        ...

    def passage_tokens(self, text: str) -> list[str]:
        """The token of each row that `encode_passages` gives for `text`."""
        ...
