"""Server-sent events out of bytes, as they come. Pure: nothing here knows about connections."""

from __future__ import annotations

import re

_LINE_END = re.compile(rb"\r\n|\n|\r(?!\Z)")
"""A carriage return that is the last byte so far may be half of a line's end."""


class Events:
    """Takes bytes in any pieces, and gives the data of each event that is complete.

    Comments, names and ids of events are passed over; several `data` lines of one event are joined.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []

    def feed(self, piece: bytes) -> list[bytes]:
        """The data of the events that `piece` completes."""
        *lines, self._rest = _LINE_END.split(self._rest + piece)
        found: list[bytes] = []
        for line in lines:
            self._take(line, found)
        return found

    def end(self) -> list[bytes]:
        """The data of a last event that no empty line follows; many servers leave it out."""
        found: list[bytes] = []
        for line in (self._rest.rstrip(b"\r"), b""):
            self._take(line, found)
        self._rest = b""
        return found

    def _take(self, line: bytes, found: list[bytes]) -> None:
        if not line:
            if self._data:
                found.append(b"\n".join(self._data))
                self._data = []
            return
        name, _, value = line.removeprefix(b"\xef\xbb\xbf").partition(b":")
        if name == b"data":
            self._data.append(value.removeprefix(b" "))
