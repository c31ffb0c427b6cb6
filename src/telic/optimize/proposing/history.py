"""Earlier instructions and how they scored: what a proposing model can learn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from telic.program.state import ProgramState

_MOST = 5


@dataclass(frozen=True, slots=True)
class Attempt:
    """An instruction that was tried.

    Attributes:
        instruction: its text, or several texts by name.
        score: mean score, where 1 is a full one.
    """

    instruction: str
    score: float


def history_text(attempts: Sequence[Attempt], most: int = _MOST) -> str:
    """The best attempts as text, the best one last, where models heed it most (Yang et al., 2023,
    arXiv:2309.03409).
    """
    best = sorted(attempts, key=lambda attempt: attempt.score)[-most:]
    return "\n\n".join(f"Score {100 * attempt.score:.1f}:\n{attempt.instruction}" for attempt in best)


def earlier_attempts(program: Any, path: str) -> list[Attempt]:
    """The instructions of a predictor that an earlier compile of the program tried, each with its best score.

    They are read off `program.candidate_programs`.
    """
    best: dict[str, float] = {}
    for candidate in getattr(program, "candidate_programs", None) or ():
        state = ProgramState.of(candidate["program"])
        if path in state.paths:
            text = state.instructions(path)
            best[text] = max(best.get(text, 0.0), candidate["score"] / 100)
    return [Attempt(text, score) for text, score in best.items()]
