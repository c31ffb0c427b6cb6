"""Which examples go through the model together: like lengths side by side, so that little is padding."""

from __future__ import annotations

from collections.abc import Sequence

from telic.runtime.rng import rng

WINDOW = 8
"""Batches' worth of shuffled examples that are sorted by length together: enough to save most of the padding,
and few enough that a batch is still a random one."""


def epoch_batches(lengths: Sequence[int], size: int, seed: int, epoch: int) -> list[list[int]]:
    """The batches of an epoch, by the examples' numbers; each example in exactly one.

    Args:
        lengths: tokens of each example.
        size: examples to a batch; the last one of an epoch may have fewer.
        seed: of the order.
        epoch: counted from 0.
    """
    chance = rng(seed, "training order", epoch)
    order = list(range(len(lengths)))
    chance.shuffle(order)
    batches: list[list[int]] = []
    for start in range(0, len(order), size * WINDOW):
        near = sorted(order[start : start + size * WINDOW], key=lambda at: (lengths[at], at))
        batches.extend(near[at : at + size] for at in range(0, len(near), size))
    chance.shuffle(batches)
    return batches


def split(batch: Sequence[int], lengths: Sequence[int], most: int) -> list[list[int]]:
    """A batch in parts of at most `most` tokens, padding included (or one example, where that is longer)."""
    parts: list[list[int]] = []
    longest = 0
    for at in sorted(batch, key=lambda at: (-lengths[at], at)):
        # Sorted downwards, the first of a part is its longest.
        if parts and (len(parts[-1]) + 1) * longest <= most:
            parts[-1].append(at)
        else:
            parts.append([at])
            longest = lengths[at]
    return parts
