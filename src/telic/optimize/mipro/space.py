"""What there is to choose from: instructions and demo sets, predictor by predictor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from telic.program.state import ProgramState

Combination: TypeAlias = tuple[int, ...]
"""The number of the option taken, for each choice in turn."""
Demos: TypeAlias = Sequence[Mapping[str, Any]]


class Choices(Protocol):
    """What a search chooses from."""

    @property
    def options(self) -> dict[str, int]:
        """Name of a choice to the number of its options."""

    @property
    def given(self) -> Combination:
        """The combination that is the program as given."""

    def combination(self, chosen: Mapping[str, int]) -> Combination:
        """A combination by the names of the choices."""

    def parameters(self, combination: Combination) -> dict[str, int]:
        """The inverse of `combination`."""

    def state(self, combination: Combination) -> ProgramState:
        """The candidate that a combination is."""

    def label(self, combination: Combination) -> str:
        """A combination in a few words, without commas."""


class Named:
    """Combinations by the names of their choices."""

    @property
    def options(self) -> dict[str, int]:
        """Name of a choice to the number of its options."""
        raise NotImplementedError

    @property
    def given(self) -> Combination:
        """The start itself: the first option everywhere."""
        return (0,) * len(self.options)

    def combination(self, chosen: Mapping[str, int]) -> Combination:
        """A combination by the names of the choices."""
        return tuple(chosen[name] for name in self.options)

    def parameters(self, combination: Combination) -> dict[str, int]:
        """The inverse of `combination`."""
        return dict(zip(self.options, combination, strict=True))


@dataclass(frozen=True)
class Space(Named):
    """Instructions and demo sets.

    Attributes:
        start: the state that combinations change.
        instructions: predictor path to its options, the given instruction first.
        demos: predictor path to its options, the given demos first; empty where demos are not chosen.
    """

    start: ProgramState
    instructions: Mapping[str, Sequence[str]]
    demos: Mapping[str, Sequence[Demos]]

    @property
    def options(self) -> dict[str, int]:
        """Name of a choice to the number of its options."""
        counts = {f"instruction of {path}": len(texts) for path, texts in self.instructions.items()}
        return counts | {f"demos of {path}": len(sets) for path, sets in self.demos.items()}

    def state(self, combination: Combination) -> ProgramState:
        """The candidate that a combination is."""
        count = len(self.instructions)
        texts = {
            path: options[number]
            for (path, options), number in zip(self.instructions.items(), combination[:count], strict=True)
        }
        sets = {
            path: options[number]
            for (path, options), number in zip(self.demos.items(), combination[count:], strict=True)
        }
        return self.start.with_instructions(texts).with_demos(sets)

    def label(self, combination: Combination) -> str:
        """A combination in a few words, without commas."""
        if combination == self.given:
            return "as given"
        count = len(self.instructions)
        texts = "instruction " + "/".join(map(str, combination[:count]))
        sets = "/".join(map(str, combination[count:]))
        return f"{texts} + demos {sets}" if sets else texts
