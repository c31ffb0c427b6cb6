"""Content parts inside text: how a message comes to be text with images and files in it.

with collecting() as collector:
    text = …                     # anything that serialises values: each list of parts leaves a token
content = collector.weave(text)  # str, or parts where there were tokens
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeAlias

Part: TypeAlias = dict[str, Any]
"""A piece of a message's content in OpenAI's shape: `{"type": "text", "text": …}`, `image_url`, …"""

MARK_START = "<<CUSTOM-TYPE-START-IDENTIFIER>>"
MARK_END = "<<CUSTOM-TYPE-END-IDENTIFIER>>"
"""Around a list of parts, as JSON, in saved programs; the spelling is DSPy's, whose files are read too."""

_MARKED = re.compile(f"{re.escape(MARK_START)}(.*?){re.escape(MARK_END)}", re.DOTALL)


class PartCollector:
    """Keeps content parts while the text around them is written.

    The tokens that stand for them in the text cannot be guessed, so no text from outside becomes a part.
    """

    def __init__(self) -> None:
        self._nonce = os.urandom(8).hex()
        self._kept: list[list[Part]] = []

    def keep(self, parts: list[Part]) -> str:
        """Put parts aside; the token marks their place in the text."""
        self._kept.append(parts)
        return f"[[telic-part-{self._nonce}-{len(self._kept) - 1}]]"

    def weave(self, text: str) -> str | list[Part]:
        """Put the parts back: the text alone if there were none, else parts with the text between them."""
        if not self._kept:
            return text
        pieces = re.split(rf"\[\[telic-part-{self._nonce}-(\d+)\]\]", text)
        content: list[Part] = []
        for place, piece in enumerate(pieces):
            if place % 2:
                content += self._kept[int(piece)]
            elif piece:
                content.append(text_part(piece))
        return merge_text(content)


_collector: ContextVar[PartCollector | None] = ContextVar("telic_part_collector", default=None)


def current_collector() -> PartCollector | None:
    """The collector of the block that is running, if any."""
    return _collector.get()


@contextmanager
def collecting() -> Iterator[PartCollector]:
    """While the block runs, values that format as content parts serialise as tokens of a new collector."""
    collector = PartCollector()
    token = _collector.set(collector)
    try:
        yield collector
    finally:
        _collector.reset(token)


def text_part(text: str) -> Part:
    """A part of plain text."""
    return {"type": "text", "text": text}


def merge_text(parts: list[Part]) -> list[Part]:
    """The same parts, neighbouring texts made one."""
    merged: list[Part] = []
    for part in parts:
        if part.get("type") == "text" and merged and merged[-1].get("type") == "text":
            merged[-1] = text_part(merged[-1]["text"] + part["text"])
        else:
            merged.append(part)
    return merged


def split_parts(text: str) -> str | list[Part]:
    """Take apart a text that holds serialised content parts between marks.

    Only for texts out of a saved program: in text from elsewhere the marks are nobody's to write.

    Returns:
        The text itself where there is no readable list of parts in it.
    """
    if MARK_START not in text:
        return text
    content: list[Part] = []
    end = 0
    for found in _MARKED.finditer(text):
        parts = _read(found.group(1))
        if parts is None:
            continue
        if found.start() > end:
            content.append(text_part(text[end : found.start()]))
        content += parts
        end = found.end()
    if not content:
        return text
    if end < len(text):
        content.append(text_part(text[end:]))
    return merge_text(content)


def replace_parts(text: str, replacement: Callable[[list[Part]], str]) -> str:
    """The text with each serialised list of content parts, marks and all, replaced."""

    def replaced(found: re.Match[str]) -> str:
        parts = _read(found.group(1))
        return found.group() if parts is None else replacement(parts)

    return _MARKED.sub(replaced, text)


def _read(marked: str) -> list[Part] | None:
    try:
        parts = json.loads(marked)
    except ValueError:
        try:  # inside a JSON text the quotes were escaped once more
            parts = json.loads(json.loads(f'"{marked}"'))
        except ValueError:
            return None
    if isinstance(parts, list) and all(isinstance(part, dict) and "type" in part for part in parts):
        return parts
    return None
