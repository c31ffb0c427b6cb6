"""Fields that are keys of one JSON object, as the JSON adapter's answers have them."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Collection

from telic.adapters.kinds import squeeze
from telic.streaming.fields.base import Emitter, Piece

_SPACE = re.compile(r"\s*")
_OPENING = re.compile(r"\{\s*(.)?", re.DOTALL)
_KEY = re.compile(r'"((?:[^"\\]|\\.)*)"\s*:\s*(?=\S)', re.DOTALL)
_KEY_BEGUN = re.compile(r'"(?:[^"\\]|\\.)*\\?\Z|"(?:[^"\\]|\\.)*"\s*:?\s*\Z', re.DOTALL)
_PLAIN = re.compile(r'[^"\\]+')
_DATA = re.compile(r'[^"\\{}\[\],]+')
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_ESCAPE_BEGUN = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?\Z")
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", '"': '"', "\\": "\\", "/": "/"}


class JsonReader:
    """A text value is given unescaped, any other value as its JSON text.

    A quote that no comma or brace follows is taken for part of the text, as models forget to escape it.

    Args:
        names: the output fields; keys may differ from them in case and punctuation.
    """

    def __init__(self, names: Collection[str]) -> None:
        self._names = frozenset(names)
        counts = Counter(map(squeeze, names))
        self._similar = {key: name for name in names if counts[key := squeeze(name)] == 1}
        self._rest = ""
        self._state: Callable[[], bool] = self._seek
        self._emitter = Emitter()
        self._found = False
        self._depth = 0
        self._in_string = False
        self._high = ""

    def feed(self, text: str) -> list[Piece]:
        """See `FieldReader.feed`."""
        self._rest += text
        while self._rest and self._state():
            pass
        return self._emitter.take()

    def end(self) -> list[Piece]:
        """See `FieldReader.end`."""
        self._emitter.close()
        self._rest = ""
        self._state = self._over
        return self._emitter.take()

    # States: each takes what it can off the rest, and says whether to go on.

    def _seek(self) -> bool:
        """Before an object: prose, or a fence."""
        opening = _OPENING.search(self._rest)
        if opening is None:
            self._rest = ""
            return False
        self._rest = self._rest[opening.start() :]
        if opening[1] is None:
            return False
        self._rest = self._rest[1:]
        if opening[1] == '"':
            self._state = self._key
        return True

    def _key(self) -> bool:
        """Between two values."""
        self._rest = self._rest[_match_end(_SPACE, self._rest) :].removeprefix(",").lstrip()
        if not self._rest:
            return False
        key = _KEY.match(self._rest)
        if key is None:
            if _KEY_BEGUN.match(self._rest):
                return False
            self._state = self._over if self._found else self._seek  # its end, or damage
            return True
        self._rest = self._rest[key.end() :]
        name = self._name(key[1])
        self._found = self._found or name is not None
        text = self._rest.startswith('"')
        self._emitter.open(name, trim=not text)
        self._state = self._text if text else self._data
        self._rest = self._rest[1:] if text else self._rest
        self._depth, self._in_string, self._high = 0, False, ""
        return True

    def _text(self) -> bool:
        """Inside a string that is a value."""
        plain = _PLAIN.match(self._rest)
        if plain is not None:
            self._say(plain[0])
            self._rest = self._rest[plain.end() :]
            return True
        if self._rest.startswith('"'):
            self._state = self._after_text
            return True
        escape = _ESCAPE.match(self._rest)
        if escape is None or _ESCAPE_BEGUN.fullmatch(self._rest):
            return False
        self._rest = self._rest[escape.end() :]
        self._say_escaped(escape)
        return True

    def _after_text(self) -> bool:
        """After a quote that may be the end of a string."""
        after = self._rest[1:].lstrip()
        if not after:
            return False
        if after[0] in ",}":
            self._say("")
            self._emitter.close()
            self._rest = after
            self._state = self._key
        else:
            self._say('"')
            self._rest = self._rest[1:]
            self._state = self._text
        return True

    def _data(self) -> bool:
        """Inside a value that is no string."""
        plain = (_PLAIN if self._in_string else _DATA).match(self._rest)
        if plain is not None:
            self._emitter.push(plain[0])
            self._rest = self._rest[plain.end() :]
            return True
        mark = self._rest[0]
        if mark == "\\" and len(self._rest) < 2:
            return False
        if self._in_string:
            self._in_string = mark != '"'
        elif mark == '"':
            self._in_string = True
        elif mark in "{[":
            self._depth += 1
        elif self._depth == 0 and mark in ",}]":
            self._emitter.close()
            self._state = self._key
            return True
        elif mark in "}]":
            self._depth -= 1
        size = 2 if mark == "\\" else 1
        self._emitter.push(self._rest[:size])
        self._rest = self._rest[size:]
        return True

    def _over(self) -> bool:
        """After the object."""
        self._rest = ""
        return False

    def _name(self, key: str) -> str | None:
        if "\\" in key:
            try:
                key = str(json.loads(f'"{key}"', strict=False))
            except ValueError:
                return None
        return key if key in self._names else self._similar.get(squeeze(key))

    def _say(self, text: str) -> None:
        if self._high:  # half of a pair that has no other half
            text, self._high = f"{self._high}{text}", ""
        self._emitter.push(text)

    def _say_escaped(self, escape: re.Match[str]) -> None:
        if escape[1] is None:
            self._say(_ESCAPED.get(escape[2], escape[0]))
            return
        character = chr(int(escape[1], 16))
        if self._high and "\udc00" <= character <= "\udfff":
            pair = (self._high + character).encode("utf-16", "surrogatepass").decode("utf-16")
            self._high = ""
            self._emitter.push(pair)
        elif "\ud800" <= character <= "\udbff":
            self._say("")
            self._high = character
        else:
            self._say(character)


def _match_end(pattern: re.Pattern[str], text: str) -> int:
    found = pattern.match(text)
    return 0 if found is None else found.end()
