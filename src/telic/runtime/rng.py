"""Randomness that is a function of its purpose, never of what ran before."""

from __future__ import annotations

import random
from typing import Any

from telic._json import stable_hash


def rng(seed: int, *purpose: Any) -> random.Random:
    """A generator of its own for a purpose; the same arguments give the same stream in every process.

    Args:
        seed: the user's.
        purpose: anything JSON can tell apart, e.g. `"bootstrap", step, "order"`.
    """
    return random.Random(int(stable_hash([seed, *purpose]), 16))
