"""What a run of rounds may be told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from telic.errors import InputError
from telic.retrieval.late_interaction.training.settings import RetrievalSettings
from telic.systems.colbert_qa.reader.training import ReaderSettings
from telic.systems.colbert_qa.supervision import Supervision


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundSettings:
    """How rounds of relevance-guided supervision go.

    Attributes:
        rounds: how many times the retriever is trained.
        supervision: where in a ranking positives and negatives are taken from.
        training: how a round is trained.
        held_out: so many training questions are not learnt from in any round; their labels validate each
            round, which keeps the weights that rank them best: those it began with, if nothing is better.
        continued: a round trains the model of the round before; otherwise always the one it began with.
        reading: how an extractive reader is trained.
        read_depth: passages that are read.
        depths: the k of success@k that the report's table shows.
        index: options for `LateInteraction.build`, such as `bits`.
    """

    rounds: int = 2
    supervision: Supervision = field(default_factory=Supervision)
    training: RetrievalSettings = field(default_factory=RetrievalSettings)
    held_out: int = 0
    continued: bool = True
    reading: ReaderSettings = field(default_factory=ReaderSettings)
    read_depth: int = 5
    depths: tuple[int, ...] = (1, 5, 20)
    index: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "depths", tuple(self.depths))
        if self.held_out < 0:
            raise InputError(f"held_out={self.held_out} must be at least 0.")
        if min(self.rounds, self.read_depth, *self.depths, len(self.depths)) < 1:
            raise InputError(
                f"rounds={self.rounds}, read_depth={self.read_depth} and each of depths={self.depths} must "
                "be at least 1."
            )

    @property
    def search_depth(self) -> int:
        """Passages that are retrieved for a question held back."""
        return max(self.read_depth, *self.depths)
