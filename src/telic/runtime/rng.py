"""Chance that can be had again: a generator of its own for each purpose, the same in every process."""

from __future__ import annotations

import random
from typing import Any

from telic._json import stable_hash


def rng(seed: int, *purpose: Any) -> random.Random:
    """A random generator derived from a seed and what it is for, such as a step and a name.

    Equal arguments give equal streams in every process and release; other purposes give independent ones.
    """
    return random.Random(int(stable_hash([seed, *purpose]), 16))
