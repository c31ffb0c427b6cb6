"""A failure as a value: for what a model wrote or chose, whose errors go back to the model.

This is the one door: who calls something on a model's behalf calls it through here, and no room needs a broad
`except` of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from telic.errors import BudgetExceededError, LMConfigurationError

_HOPELESS = (BudgetExceededError, LMConfigurationError)
"""What no model can mend: these are raised whoever caused them."""


def attempt(function: Callable[..., Any], *args: Any, **kwargs: Any) -> tuple[Any, Exception | None]:
    """Call `function`; returns its value and `None`, or `None` and what it raised.

    Raises:
        BudgetExceededError: nothing is left to spend, so asking the model again is no use.
        LMConfigurationError: no model is set up, likewise.
    """
    try:
        return function(*args, **kwargs), None
    except _HOPELESS:
        raise
    except Exception as error:  # noqa: BLE001 - handed to the caller, who shows it to the model
        return None, error


def attempt_anything(function: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    """`attempt` for a process that runs nothing but what a model wrote: `SystemExit` and all comes back."""
    try:
        return function(), None
    except BaseException as error:  # noqa: BLE001 - handed to the caller, who tells the host
        return None, error
