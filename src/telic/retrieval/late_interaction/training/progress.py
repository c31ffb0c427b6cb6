"""What is told of a training while it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TrainingProgress:
    """What a callback is told after each step.

    Attributes:
        step: steps that are done.
        steps: of how many.
        loss: of this one.
        rate: its learning rate.
        score: of the validation after it, where there was one: the MRR of an encoder.
        seconds: since this process began to learn.
    """

    step: int
    steps: int
    loss: float
    rate: float
    score: float | None
    seconds: float

    def __str__(self) -> str:
        score = "" if self.score is None else f", validation {self.score:.3f}"
        return f"step {self.step} of {self.steps}: loss {self.loss:.3f}{score}, {self.seconds:.0f} s"


TrainingCallback = Callable[[TrainingProgress], bool | None]
"""Told after each step; if it returns `False`, the training ends there and keeps what it has."""


def progress_lines(to: Callable[[str], object] = print, every: int = 10) -> TrainingCallback:
    """A callback that writes a line for every so many steps, and for each validation.

    Args:
        to: takes a line; `print`, or the method of a logger.
        every: steps between two lines.
    """

    def callback(progress: TrainingProgress) -> None:
        if progress.score is not None or progress.step % every == 0 or progress.step == progress.steps:
            to(str(progress))

    return callback
