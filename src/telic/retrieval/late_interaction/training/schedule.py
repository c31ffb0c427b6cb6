"""How large a step is: learning rates with warm-up."""

from __future__ import annotations

from math import cos, pi
from typing import Literal

Schedule = Literal["linear", "cosine", "constant"]


def rate(step: int, steps: int, warmup: float, schedule: Schedule) -> float:
    """Share of the full learning rate at `step`, of 0 to `steps - 1`.

    It rises in equal parts over the warm-up, then falls to 0 after the last step (linear, cosine) or stays.

    Args:
        step: which.
        steps: how many there are.
        warmup: how many of them the rise takes; below 1, which share of them.
        schedule: the way down.
    """
    rise = round(warmup * steps) if warmup < 1 else min(int(warmup), steps)
    if step < rise:
        return (step + 1) / (rise + 1)
    if schedule == "constant":
        return 1.0
    left = (steps - step) / max(1, steps - rise)
    return left if schedule == "linear" else 0.5 * (1.0 - cos(pi * left))
