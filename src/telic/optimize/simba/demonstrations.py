"""Demos in and out: the steps of a good run are added, chance takes some of the older ones away."""

from __future__ import annotations

import random
from collections.abc import Mapping
from math import exp
from typing import Any

from telic.optimize.strategy import Outcome
from telic.program.state import ProgramState


def with_fewer_demos(state: ProgramState, most: int, random_: random.Random) -> ProgramState:
    """Drop demos at random: the fuller, the more; at least one where there is no room for another.

    The same places are dropped for every predictor, so that demos of one run stay together.
    """
    count = max((len(state.demos(path)) for path in state.paths), default=0)
    if not count:
        return state
    number = max(_poisson(count / max(1, most), random_), count - max(0, most - 1))
    dropped = set(random_.sample(range(count), min(number, count)))
    kept = {
        path: [demo for place, demo in enumerate(state.demos(path)) if place not in dropped]
        for path in state.paths
    }
    return state.with_demos(kept)


def with_demo(
    state: ProgramState, run: Outcome, inputs: Mapping[str, list[str]], longest: int
) -> ProgramState:
    """Add the steps of a run as demos; of a predictor called several times, the last.

    Args:
        state: the program.
        run: with its steps.
        inputs: predictor path to the names of what it is given.
        longest: characters of an input that are shown.
    """
    last = {path: values for path, values in run.steps if path in state.paths}
    demos: dict[str, list[Mapping[str, Any]]] = {}
    for path, values in last.items():
        shown = {
            name: _shortened(value, longest) if name in inputs[path] else value
            for name, value in values.items()
        }
        demos[path] = [*state.demos(path), {"augmented": True, **shown}]
    return state.with_demos(demos)


def _shortened(value: Any, longest: int) -> Any:
    if not isinstance(value, str) or len(value) <= longest:
        return value
    return f"{value[:longest]} … (the rest is left out)"


def _poisson(mean: float, random_: random.Random) -> int:
    """Knuth's way, fit for small means."""
    limit, product, count = exp(-mean), random_.random(), 0
    while product > limit:
        product *= random_.random()
        count += 1
    return count
