"""Finding the one choice that a text means."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any

from telic.signatures.failure import Unfit

_DECORATION = " \t\r\n\"'`*_~“”‘’.,;:!?()[]{}<>"
_SEPARATOR = re.compile(r"(?<=\w)[\s_-]+(?=\w)|_+")
_AMBIGUOUS = object()


class Choices:
    """A fixed set of values, each under one or more names.

    A text means a choice if it is its name; or is so without quotes and punctuation around it; or without
    regard to case; or to the separators between words. Failing that, if it begins with a name and goes on
    after punctuation, and no other choice is named in the rest. At every step it must mean exactly one.

    Args:
        named: name to value.
        leading: the names that may be followed by more text; all by default.
        wanted: the choices in words, for errors; by default the names.
    """

    def __init__(
        self, named: Mapping[str, Any], *, leading: Iterable[str] | None = None, wanted: str = ""
    ) -> None:
        self._exact = dict(named)
        self._steps = [(step, _table(named, step)) for step in (_bare, _folded, _joined)]
        self._wanted = wanted or "one of " + ", ".join(map(repr, named))
        self._may_lead = tuple(named if leading is None else leading)

    @cached_property
    def _patterns(self) -> tuple[re.Pattern[str], re.Pattern[str]]:
        """A name with something after it, and a name anywhere. Seldom needed, slow to make."""
        names = sorted(filter(None, map(_folded, self._may_lead)), key=len, reverse=True)
        anyone = "|".join(map(re.escape, names)) or r"(?!)"
        ending = r"\s*(?:[.,;:!?)\]](?=\s|$)|\n|\s[-–—]+\s|\s?\(|—)"
        return (
            re.compile(rf"({anyone})(?={ending})", re.IGNORECASE),
            re.compile(rf"(?<!\w)(?:{anyone})(?!\w)", re.IGNORECASE),
        )

    def find(self, text: str) -> Any:
        """The value that `text` means.

        Raises:
            Unfit: it means none of them, or more than one.
        """
        if text in self._exact:
            return self._exact[text]
        for step, table in self._steps:
            found = table.get(step(text), _AMBIGUOUS)
            if found is not _AMBIGUOUS:
                return found
        folded = self._steps[1][1]
        bare = text.lstrip(_DECORATION)
        leading, named = self._patterns
        first = leading.match(bare)
        if first is not None:
            value = folded.get(_folded(first.group()), _AMBIGUOUS)
            others = (folded.get(_folded(other.group())) for other in named.finditer(bare, first.end()))
            if value is not _AMBIGUOUS and all(_same(other, value) for other in others):
                return value
        raise Unfit(f"must be {self._wanted}")


def _table(named: Mapping[str, Any], step: Callable[[str], str]) -> dict[str, Any]:
    """Names after a step to values; a name that two choices come to means neither."""
    table: dict[str, Any] = {}
    for name, value in named.items():
        key = step(name)
        if key and key in table and not _same(table[key], value):
            table[key] = _AMBIGUOUS
        elif key:
            table[key] = value
    return table


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def _bare(text: str) -> str:
    return text.strip(_DECORATION)


def _folded(text: str) -> str:
    return text.strip(_DECORATION).casefold()


def _joined(text: str) -> str:
    return _SEPARATOR.sub("", text.strip(_DECORATION)).casefold()
