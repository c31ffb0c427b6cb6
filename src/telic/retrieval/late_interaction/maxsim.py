"""What late interaction scores by, written plainly: the reference for everything faster."""

from __future__ import annotations

import numpy as np

from telic.errors import InputError


def maxsim(query: np.ndarray, passage: np.ndarray) -> float:
    """The sum, over the tokens of a query, of the best match among the tokens of a passage.

    Khattab & Zaharia 2020 (arXiv:2004.12832), equation 3.

    Args:
        query: a row for each token, `(query tokens, dim)`.
        passage: a row for each token, `(passage tokens, dim)`.

    Returns:
        The score; 0 for a query without tokens, minus infinity for a passage without tokens.

    Raises:
        InputError: the rows are not of one length.
    """
    return float(token_maxima(query, passage).sum(dtype=np.float64))


def token_maxima(query: np.ndarray, passage: np.ndarray) -> np.ndarray:
    """For each token of a query its product with the best matching token of a passage: `(query tokens,)`.

    Raises:
        InputError: the rows are not of one length.
    """
    if query.ndim != 2 or passage.ndim != 2 or query.shape[1] != passage.shape[1]:
        raise InputError(
            f"maxsim: arrays (tokens, dim) with one dim are needed, not {query.shape} and {passage.shape}."
        )
    products = query.astype(np.float32) @ passage.astype(np.float32).T
    best: np.ndarray = products.max(axis=1, initial=-np.inf)
    return best
