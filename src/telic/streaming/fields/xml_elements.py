"""Fields that are elements named after them, as the XML adapter's answers have them."""

from __future__ import annotations

import re
from collections.abc import Collection

from telic.adapters.xml_values import unescape
from telic.streaming.fields.base import Emitter, Piece

_LONGEST_TAG = 300
_ENTITY_BEGUN = re.compile(r"&[#\w]{0,6}\Z")
_TAG_BEGUN = re.compile(r"<[ \t]*/?[ \t]*([^\s<>/]*)(\s[^<>]*)?/?\Z")


class XmlReader:
    """A field is what stands between its tags, whatever their case. Text is given unescaped, nested elements
    as they are written. Where an end tag is missing, the tag of another field at the start of a line ends it.

    Args:
        names: the output fields.
        structured: those whose value may be nested elements.
    """

    def __init__(self, names: Collection[str], structured: Collection[str] = ()) -> None:
        self._by_tag = {name.casefold(): name for name in names}
        self._structured = frozenset(structured)
        words = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
        self._tag = re.compile(
            rf"<[ \t]*(/?)[ \t]*({words})(?:\s[^<>]*?)?[ \t]*(/?)>" if words else r"(?!)", re.IGNORECASE
        )
        self._rest = ""
        self._before = "\n"
        self._depth = 0
        self._nested: bool | None = None
        self._done: set[str] = set()
        self._emitter = Emitter()

    def feed(self, text: str) -> list[Piece]:
        """See `FieldReader.feed`."""
        self._rest += text
        at = 0
        while (tag := self._tag.search(self._rest, at)) is not None:
            at = self._cross(tag, at)
        held = self._held(at)
        self._say(self._rest[at:held])
        self._rest = self._rest[held:]
        return self._emitter.take()

    def end(self) -> list[Piece]:
        """See `FieldReader.end`."""
        self._say(self._rest)
        self._rest = ""
        self._close()
        return self._emitter.take()

    def _cross(self, tag: re.Match[str], at: int) -> int:
        """Deal with a tag; returns where to go on."""
        name, closing, empty = self._by_tag[tag[2].casefold()], bool(tag[1]), bool(tag[3])
        field = self._emitter.field
        own = name == field
        if own and not empty:
            self._depth += -1 if closing else 1
        if own and self._depth == 0:
            self._say(self._rest[at : tag.start()])
            self._close()
        elif not closing and name not in self._done and (field is None or self._missing_end(tag, own, at)):
            self._say(self._rest[at : tag.start()])
            self._close()
            self._emitter.open(name)
            self._nested = None
            self._depth = 1
            if empty:
                self._close()
        else:
            self._say(self._rest[at : tag.end()])
        self._before = ">"
        return tag.end()

    def _missing_end(self, tag: re.Match[str], own: bool, at: int) -> bool:
        before = (self._before + self._rest[at : tag.start()]).rstrip(" \t")
        return not own and not self._nested and before.endswith("\n")

    def _close(self) -> None:
        if self._emitter.field is not None:
            self._done.add(self._emitter.field)
        self._emitter.close()

    def _say(self, text: str) -> None:
        if not text:
            return
        self._before = text[-1]
        field = self._emitter.field
        if field is None:
            return
        if self._nested is None and text.strip():
            self._nested = field in self._structured and text.lstrip().startswith("<")
        self._emitter.push(text if self._nested else unescape(text))

    def _held(self, at: int) -> int:
        """Where the end of the rest begins to look like a tag of ours or an entity."""
        entity = _ENTITY_BEGUN.search(self._rest, at)
        until = len(self._rest) if entity is None else entity.start()
        opening = self._rest.rfind("<", at)
        if opening < 0 or len(self._rest) - opening > _LONGEST_TAG:
            return until
        begun = _TAG_BEGUN.match(self._rest, opening)
        if begun is None:
            return until
        word = begun[1].casefold()
        ours = word in self._by_tag if begun[2] else any(name.startswith(word) for name in self._by_tag)
        return min(until, opening) if ours else until
