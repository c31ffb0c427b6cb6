"""Fields under markers `[[ ## name ## ]]`, as the chat adapter's answers have them."""

from __future__ import annotations

import re
from collections.abc import Collection

from telic.streaming.fields.base import Emitter, Piece, longest_overlap

END = "[[ ## completed ## ]]"
_MARKER = r"[ \t]*\[\[ ## (\w+) ## \]\]"
_ATOMS = (r"\[", r"\[", " ", "#", "#", " ", r"\w+", " ", "#", "#", " ", r"\]")


def _beginning_of(atoms: tuple[str, ...]) -> str:
    """A pattern of everything that may become the sequence of `atoms`."""
    pattern = ""
    for atom in reversed(atoms):
        pattern = f"(?:{atom}{pattern})?"
    return pattern


_AT_LINE_START = r"(?:(?<=\n)|\A)"
_AFTER_LINE_END = r"(?<=\n)"
_FULL = {start: re.compile(start + _MARKER) for start in (_AT_LINE_START, _AFTER_LINE_END)}
_PARTIAL = {
    start: re.compile(rf"{start}[ \t]*{_beginning_of(_ATOMS)}\Z")
    for start in (_AT_LINE_START, _AFTER_LINE_END)
}


class ChatReader:
    """A field begins after its marker at the start of a line. It ends before any other such marker, and at
    the end marker wherever that is. White space around a value is not part of it.

    Args:
        names: the output fields.
    """

    def __init__(self, names: Collection[str]) -> None:
        self._names = frozenset(names)
        self._rest = ""
        self._at_line_start = True
        self._emitter = Emitter()

    def feed(self, text: str) -> list[Piece]:
        """See `FieldReader.feed`."""
        self._rest += text
        while self._cross_marker():
            pass
        held = self._may_be_marker()
        self._emitter.push(self._advance(held))
        return self._emitter.take()

    def end(self) -> list[Piece]:
        """See `FieldReader.end`."""
        self._emitter.push(self._advance(len(self._rest)))
        self._emitter.close()
        return self._emitter.take()

    def _cross_marker(self) -> bool:
        """Go past the next complete marker, if there is one."""
        marker = _FULL[self._start].search(self._rest)
        ending = self._rest.find(END) if self._emitter.field is not None else -1
        if ending >= 0 and (marker is None or ending < marker.start()):
            self._emitter.push(self._advance(ending))
            self._emitter.close()
            self._advance(len(END))
            return True
        if marker is None:
            return False
        name = marker[1]
        end = marker.end()
        self._emitter.push(self._advance(marker.start()))
        self._emitter.open(name if name in self._names else None)
        self._advance(end - marker.start())
        return True

    def _may_be_marker(self) -> int:
        """Where the end of the text begins to look like the beginning of a marker."""
        partial = _PARTIAL[self._start].search(self._rest)
        inline = len(self._rest) - longest_overlap(self._rest, END)
        return inline if partial is None else min(inline, partial.start())

    @property
    def _start(self) -> str:
        return _AT_LINE_START if self._at_line_start else _AFTER_LINE_END

    def _advance(self, size: int) -> str:
        """Take so many characters off the front."""
        taken, self._rest = self._rest[:size], self._rest[size:]
        if taken:
            self._at_line_start = taken.endswith("\n")
        return taken
