"""Assertions: a program says what must hold, and what broke it is asked again and told so (DSPy Assertions;
Singhvi et al., 2023, arXiv:2312.13382).
"""

from __future__ import annotations

import logging
from contextvars import ContextVar
from typing import Any

from telic.errors import TelicError
from telic.runtime.settings import settings

logger = logging.getLogger("telic")


class AssertionFailedError(TelicError, AssertionError):
    """Something that must hold does not, after all the backtracking that was allowed.

    Args:
        message: what the model is told.
        target: who is to be asked again.
    """

    def __init__(self, message: str, target: Any = None) -> None:
        super().__init__(message)
        self.target = target


class SuggestionFailedError(AssertionFailedError):
    """The same of something that only should hold. It never leaves a `Backtracking`."""


class Allowance:
    """How often the run under way may still go back, by message.

    Args:
        most: times for each message.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: dict[str, int] = {}

    def take(self, message: str) -> bool:
        """Whether the run may go back for this once more; counts."""
        taken = self._taken[message] = self._taken.get(message, 0) + 1
        return taken <= self._most


allowance: ContextVar[Allowance | None] = ContextVar("telic_backtracking", default=None)
"""Of the innermost `Backtracking`; `None` outside of one."""


def Assert(constraint: Any, message: str = "", target: Any = None) -> bool:
    """Say what must hold at this place of a program.

    Where it does not, and the program runs in a `Backtracking`, the run goes back: the predictor at fault is
    asked again and told `message`. When that has been tried often enough, and outside of a `Backtracking`, it
    raises.

    Args:
        constraint: whether it holds; anything with a truth value.
        message: what is wrong, in words for the model.
        target: who is at fault: a predictor, a module, a signature, or the name of an output; by default the
            predictor that was called last.

    Returns:
        `True`; `False` where it does not hold and `settings.bypass_assert` is on.

    Raises:
        AssertionFailedError: see above (an `AssertionError`).
    """
    if constraint:
        return True
    if settings.bypass_assert:
        logger.warning("An assertion does not hold, and is bypassed: %s", message)
        return False
    allowed = allowance.get()
    if allowed is not None:
        allowed.take(message)
    raise AssertionFailedError(message or "An assertion does not hold.", target)


def Suggest(constraint: Any, message: str = "", target: Any = None) -> bool:
    """Say what should hold; as `Assert`, but where it cannot be had, the program goes on with a warning.

    Returns:
        Whether it holds.
    """
    if constraint:
        return True
    allowed = allowance.get()
    if allowed is not None and not settings.bypass_suggest and allowed.take(message):
        raise SuggestionFailedError(message or "A suggestion does not hold.", target)
    logger.warning("A suggestion does not hold, and the program goes on: %s", message)
    return False
