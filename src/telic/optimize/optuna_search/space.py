"""Single demonstrations as choices: which of a pool each predictor shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from telic.optimize.mipro.space import Combination, Named
from telic.program.state import ProgramState


@dataclass(frozen=True)
class DemoSpace(Named):
    """The choices.

    Attributes:
        start: the state that combinations change.
        pool: predictor path to the demos it can show.
        shown: how many each predictor shows at most. Each is a choice of its own; option 0 is none, and a
            predictor for which none is chosen keeps the demos it was given.
    """

    start: ProgramState
    pool: Mapping[str, Sequence[Mapping[str, Any]]]
    shown: int

    @property
    def options(self) -> dict[str, int]:
        """Name of a choice to the number of its options."""
        return {
            f"demo {number} of {path}": len(demos) + 1
            for path, demos in self.pool.items()
            for number in range(self.shown)
        }

    def state(self, combination: Combination) -> ProgramState:
        """The candidate that a combination is."""
        demos = {
            path: [self.pool[path][n] for n in chosen] for path, chosen in self._chosen(combination).items()
        }
        return self.start.with_demos({path: some for path, some in demos.items() if some})

    def label(self, combination: Combination) -> str:
        """A combination in a few words, without commas."""
        if not any(combination):
            return "as given"
        chosen = self._chosen(combination).values()
        return "demos " + "/".join("+".join(str(n + 1) for n in some) or "0" for some in chosen)

    def _chosen(self, combination: Combination) -> dict[str, list[int]]:
        """Positions in the pool by path, each once, in the order of the pool."""
        found = {}
        for number, path in enumerate(self.pool):
            options = combination[number * self.shown : (number + 1) * self.shown]
            found[path] = sorted({option - 1 for option in options if option})
        return found
