"""The LM calls that were made in a module, kept with it where the setting `module_history` says so."""

from __future__ import annotations

from time import time
from typing import Any

from telic.lm.history import History, HistoryEntry
from telic.runtime.settings import settings
from telic.types import Request, Response

_PLACE = "_calls"


class OwnHistory:
    """Told of the calls made while a module runs.

    Args:
        module: the module.
    """

    __slots__ = ("_module",)

    def __init__(self, module: Any) -> None:
        self._module = module

    def add(self, request: Request, response: Response) -> None:
        """Keep a call."""
        if not settings.disable_history:
            history_of(self._module).append(HistoryEntry(request, response, time()))


def history_of(module: Any) -> History:
    """The calls kept with a module."""
    own: History = module.__dict__.setdefault(_PLACE, History())
    return own


class HistoryAttribute:
    """`module.history`. A program that has an attribute of that name of its own keeps it."""

    def __get__(self, module: Any, owner: type) -> Any:
        return self if module is None else history_of(module)
