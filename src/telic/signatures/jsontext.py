"""Reading a value out of text that should be JSON."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

_FENCE = re.compile(r"\s*```[\w-]*[ \t]*\r?\n?(.*?)\r?\n?```\s*", re.DOTALL)
_BULLET = re.compile(r"\s*(?:[-*•]|\d{1,3}[.)])\s+(.*\S)\s*")
_LONGEST_LITERAL = 100_000


def strict_json(text: str) -> Any:
    """Read JSON as the standard has it.

    Raises:
        ValueError: it is not JSON.
    """
    import jiter

    return jiter.from_json(text.strip().encode("utf-8", "surrogatepass"))


def readings(text: str) -> Iterator[Any]:
    """What `text` may say, the likeliest reading first: JSON, Python data, repaired JSON, a bulleted list."""
    fenced = _FENCE.fullmatch(text)
    body = fenced.group(1) if fenced else text.strip()
    try:
        yield strict_json(body)
        return
    except ValueError:
        pass
    literal = _python_literal(body)
    if literal is not None:
        yield literal
    items = _bullets(body)
    if items:
        yield items
    repaired = _repaired(body)
    if isinstance(repaired, (dict, list)) and repaired:
        yield repaired


def _python_literal(text: str) -> Any:
    """Models trained on Python write `{'a': True, 'b': None}`."""
    if text[:1] not in "[{(" or len(text) > _LONGEST_LITERAL:
        return None
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
        return None


def _bullets(text: str) -> list[str] | None:
    """The items of a list written a line each, if every line is one."""
    items = []
    for line in text.splitlines():
        if line.strip():
            match = _BULLET.fullmatch(line)
            if match is None:
                return None
            items.append(match.group(1))
    return items


def _repaired(text: str) -> Any:
    if "{" not in text and "[" not in text:
        return None
    import json_repair

    try:
        return json_repair.loads(text)
    except (ValueError, RecursionError):
        return None
