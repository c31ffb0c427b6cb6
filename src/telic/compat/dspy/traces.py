"""What a traced run is made of, for optimizers written against DSPy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypedDict


@dataclass
class FailedPrediction:
    """An answer that could not be read.

    Attributes:
        completion_text: what the model wrote.
        format_reward: the score of its form.
    """

    completion_text: str
    format_reward: float | None = None


class TraceData(TypedDict):
    """One example, what the program made of it, and how."""

    example_ind: int
    example: Any
    prediction: Any
    trace: list[tuple[Any, dict[str, Any], Any]]
    score: float | None
