"""Which passages a search may find."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set as AbstractSet
from typing import Any, TypeAlias

from telic.errors import InputError

Filter: TypeAlias = Mapping[str, Any] | Callable[[Mapping[str, Any]], bool]
"""Metadata by name with the value it must have (a list or set: one of them), or a test of the metadata."""


def admits(wanted: Filter) -> Callable[[Mapping[str, Any]], bool]:
    """The filter as a test of a passage's metadata.

    Raises:
        InputError: it is neither a mapping nor a function.
    """
    if callable(wanted):
        return wanted
    if not isinstance(wanted, Mapping):
        raise InputError(f"filter: a mapping of metadata or a function is needed, not {wanted!r:.100}.")
    fields = [
        (name, value if isinstance(value, (list, tuple, AbstractSet)) else (value,))
        for name, value in wanted.items()
    ]
    return lambda metadata: all(name in metadata and metadata[name] in values for name, values in fields)
