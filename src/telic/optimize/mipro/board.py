"""What is known of the combinations tried so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from telic.optimize.mipro.space import Choices, Combination
from telic.optimize.problem import Problem
from telic.optimize.scores import mean
from telic.optimize.strategy import Evaluating, Ranked, Trial
from telic.program.state import ProgramState

Scores = dict[int, float | None]


@dataclass(frozen=True, slots=True)
class Row:
    """One step of a search, for its log.

    Attributes:
        parameters: option taken for each choice.
        state: the candidate.
        score: percent.
        examples: how many the score is the mean of.
        full: whether these are all of them.
        scored: scores made in the search so far.
    """

    parameters: dict[str, int]
    state: ProgramState
    score: float
    examples: int
    full: bool
    scored: int


@dataclass
class Board:
    """Scores of combinations, filled by evaluating them.

    Attributes:
        problem: what is compiled.
        space: what is chosen from.
        scores: by combination and example.
        dropped: combinations that fell behind before they had seen everything.
        log: the steps.
    """

    problem: Problem
    space: Choices
    log: list[Row]
    scores: dict[Combination, Scores] = field(default_factory=dict)
    dropped: set[Combination] = field(default_factory=set)
    _scored: int = 0

    def evaluate(self, combination: Combination, examples: Sequence[int], stage: str) -> Evaluating[float]:
        """Run a combination on examples; the mean of its scores on them."""
        state = self.space.state(combination)
        why = f"{self.space.label(combination)}, {stage}"
        (result,) = yield [Trial(state, tuple(examples), why=why)]
        known = self.scores.setdefault(combination, {})
        self._scored += sum(o.example not in known for o in result.outcomes)
        known.update({o.example: o.score for o in result.outcomes})
        return result.mean

    def note(self, combination: Combination, examples: Sequence[int] | None = None) -> None:
        """Add a step to the log: the combination's score on these examples, or on all it has seen."""
        known = self.scores[combination]
        seen = list(known) if examples is None else list(examples)
        self.log.append(
            Row(
                self.space.parameters(combination),
                self.space.state(combination),
                round(100 * self.mean(combination, seen), 2),
                len(seen),
                self.full(combination) and len(seen) == len(known),
                self._scored,
            )
        )

    def mean(self, combination: Combination, examples: Sequence[int] | None = None) -> float:
        """Mean score on some examples, or on all it has seen; 0 where there is none."""
        known = self.scores[combination]
        some = known.values() if examples is None else (known.get(e) for e in examples)
        return mean(some)

    def full(self, combination: Combination) -> bool:
        """Whether it has seen every validation example."""
        return len(self.scores[combination]) == len(self.problem.valset)

    @property
    def best(self) -> Combination:
        """The best of those that have seen every example; the start is one of them."""
        return max((c for c in self.scores if self.full(c)), key=self.mean)

    def waiting(self) -> list[Combination]:
        """Those that have not seen every example, and were not dropped; best first."""
        open_ = [c for c in self.scores if not self.full(c) and c not in self.dropped]
        return sorted(open_, key=self.mean, reverse=True)

    def ranking(self) -> list[Ranked]:
        """Every combination: first those that have seen every example, best first."""
        rows: list[Any] = [
            Ranked(self.space.state(c), self.space.label(c), dict(known), stopped=not self.full(c))
            for c, known in self.scores.items()
        ]
        return sorted(rows, key=lambda r: (r.stopped, -r.mean))
