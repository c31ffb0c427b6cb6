"""Dicts read by attribute, and lists without repetition."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from telic.compat.dspy.choices import CHOICES
from telic.runtime.settings import DEFAULTS


class dotdict(dict[Any, Any]):
    """A dict whose items are attributes too."""

    def __getattr__(self, key: str) -> Any:
        if key.startswith("__") and key.endswith("__"):
            raise AttributeError(key)
        try:
            return self[key]
        except KeyError:
            raise AttributeError(f"'{type(self).__name__}' object has no attribute '{key}'") from None

    def __setattr__(self, key: str, value: Any) -> None:
        self[key] = value

    def __delattr__(self, key: str) -> None:
        try:
            del self[key]
        except KeyError:
            raise AttributeError(key) from None

    def __deepcopy__(self, memo: dict[int, Any]) -> dotdict:
        return type(self)(copy.deepcopy(dict(self), memo))


class dotdict_lax(dict[Any, Any]):
    """A dict whose items are attributes too; what is not there is `None`."""

    def __getattr__(self, key: str) -> Any:
        if key.startswith("__") and key.endswith("__"):
            raise AttributeError(key)
        return self.get(key)

    __setattr__ = dict.__setitem__
    __delattr__ = dict.__delitem__


def deduplicate(seq: Iterable[Any]) -> list[Any]:
    """The items in order, each where it stands first."""
    return list(dict.fromkeys(seq))


def flatten(lists: Iterable[Iterable[Any]]) -> list[Any]:
    """The items of all lists."""
    return [item for inner in lists for item in inner]


def _defaults() -> Mapping[str, Any]:
    return dotdict({**DEFAULTS, **CHOICES})


DEFAULT_CONFIG = _defaults()
"""Settings of a fresh process."""
