"""What a reader of fields is, and what all of them need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Piece:
    """What a field grew by.

    Attributes:
        field: name of the output field.
        text: to be appended; all pieces of a text field together are the field's value.
        last: the field is complete.
    """

    field: str
    text: str
    last: bool


class FieldReader(Protocol):
    """Reads one answer, in whatever pieces it arrives, and holds back only what may not belong to a field."""

    def feed(self, text: str) -> list[Piece]:
        """Take the next text of the answer."""
        ...

    def end(self) -> list[Piece]:
        """The answer is over: what was held back, if a field was open."""
        ...


class Trimmer:
    """Takes the white space off both ends of a text that comes in pieces."""

    __slots__ = ("_begun", "_held")

    def __init__(self) -> None:
        self._begun = False
        self._held = ""

    def push(self, text: str) -> str:
        """What of the text so far is certain to be inside."""
        text = self._held + text
        if not self._begun:
            text = text.lstrip()
            self._begun = bool(text)
        inside = text.rstrip()
        self._held = text[len(inside) :]
        return inside


class Emitter:
    """Collects the pieces of the field that is open. Each field counts once, the first time.

    Attributes:
        field: the open field, or `None`.
    """

    __slots__ = ("_done", "_out", "_trimmer", "field")

    def __init__(self) -> None:
        self.field: str | None = None
        self._done: set[str] = set()
        self._out: list[Piece] = []
        self._trimmer: Trimmer | None = None

    def open(self, field: str | None, *, trim: bool = True) -> None:
        """Close the field that is open, and begin this one, unless it was there before."""
        self.close()
        if field is not None and field not in self._done:
            self.field = field
            self._trimmer = Trimmer() if trim else None

    def push(self, text: str) -> None:
        """Add text to the open field."""
        if self.field is not None and text:
            inside = self._trimmer.push(text) if self._trimmer is not None else text
            if inside:
                self._out.append(Piece(self.field, inside, False))

    def close(self) -> None:
        """The open field is complete."""
        if self.field is not None:
            self._out.append(Piece(self.field, "", True))
            self._done.add(self.field)
            self.field = None

    def take(self) -> list[Piece]:
        """What was collected, pieces of one field joined."""
        joined: list[Piece] = []
        for piece in self._out:
            if joined and joined[-1].field == piece.field and not joined[-1].last:
                before = joined.pop()
                piece = Piece(piece.field, before.text + piece.text, piece.last)
            joined.append(piece)
        self._out = []
        return joined


def longest_overlap(text: str, mark: str) -> int:
    """How many characters at the end of `text` may be the beginning of `mark`, short of all of it."""
    for size in range(min(len(text), len(mark) - 1), 0, -1):
        if text.endswith(mark[:size]):
            return size
    return 0
