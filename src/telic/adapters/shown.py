"""The demos that were shown last, as messages: they stay the same from call to call, and need not be written
anew each time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_TEXT = {str, type(None)}
_PLAIN = _TEXT | {bool, int}
"""Types whose values cannot change, and are written alike where they are equal and of one type."""


class Shown:
    """What some demos were written as.

    Args:
        demos: as they were given.
        messages: what was made of them; never changed.
    """

    __slots__ = ("_contents", "_messages", "_types")

    def __init__(self, demos: Sequence[Mapping[str, Any]], messages: Sequence[Mapping[str, Any]]) -> None:
        contents = [dict(getattr(demo, "_store", demo)) for demo in demos]
        types = [{type(value) for value in content.values()} for content in contents]
        plain = all(kinds <= _PLAIN for kinds in types)
        self._contents = contents if plain else None
        # Equal texts are equal; of other values the types are compared too (`True == 1`).
        self._types = [
            None if kinds <= _TEXT else _types_of(c) for kinds, c in zip(types, contents, strict=True)
        ]
        self._messages = messages

    def of(self, demos: Sequence[Mapping[str, Any]]) -> bool:
        """Whether these demos would be written as the same messages."""
        known = self._contents
        if known is None or len(known) != len(demos):
            return False
        for content, types, demo in zip(known, self._types, demos, strict=True):
            now = getattr(demo, "_store", demo)
            if now != content or (types is not None and _types_of(now) != types):
                return False
        return True

    def messages(self) -> list[dict[str, Any]]:
        """The messages, as copies that may be changed."""
        return [dict(message) for message in self._messages]


def _types_of(content: Mapping[str, Any]) -> list[type]:
    return [type(content[name]) for name in sorted(content)]
