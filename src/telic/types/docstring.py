"""What a docstring says about a function and each of its arguments: Google, NumPy and Sphinx styles."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable

_GOOGLE = re.compile(r"(?:Args|Arguments|Parameters|Params)\s*:\s*\Z")
_NUMPY = re.compile(r"(?:Parameters|Other Parameters)\s*\Z")
_SPHINX = re.compile(r":(?:param|parameter|arg|argument)\s+(?:[^:]*\s)?\*{0,2}(\w+)\s*:\s*(.*)")
_FIELD = re.compile(r":\w+")
_GOOGLE_ENTRY = re.compile(r"\*{0,2}(\w+)\s*(?:\([^)]*\))?\s*:(?:\s+(.*)|\s*\Z)")
_NUMPY_ENTRY = re.compile(r"\*{0,2}(\w+)(?:\s*,\s*\w+)*\s*(?::.*)?\Z")


def split_docstring(doc: str | None) -> tuple[str | None, dict[str, str]]:
    """Part a docstring into what it says about the function and about its arguments.

    Returns:
        The text without the section on arguments (`None` if there is none), and a description by name.
    """
    if not doc or not doc.strip():
        return None, {}
    lines = inspect.cleandoc(doc).split("\n")
    kept: list[str] = []
    told: dict[str, str] = {}
    place = 0
    while place < len(lines):
        end, entries = _section(lines, place)
        if entries:
            told.update(entries)
            place = end
        else:
            kept.append(lines[place])
            place += 1
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()
    return text or None, told


def _section(lines: list[str], start: int) -> tuple[int, dict[str, str]]:
    """The section on arguments that begins at a line: where it ends, and its entries, if it is one."""
    line = lines[start]
    if _GOOGLE.match(line):
        end = _block_end(lines, start + 1, lambda text: text.startswith((" ", "\t")))
        return end, _entries(lines[start + 1 : end], _GOOGLE_ENTRY)
    if _NUMPY.match(line) and start + 1 < len(lines) and re.match(r"-{3,}\s*\Z", lines[start + 1]):
        end = start + 2
        while end < len(lines) and not (end + 1 < len(lines) and re.match(r"-{3,}\s*\Z", lines[end + 1])):
            end += 1
        return end, _entries(lines[start + 2 : end], _NUMPY_ENTRY)
    found = _SPHINX.match(line)
    if found is None:
        return start, {}
    end = _block_end(
        lines, start + 1, lambda text: text.startswith((" ", "\t")) and not _FIELD.match(text.strip())
    )
    return end, {found.group(1): _joined([found.group(2), *lines[start + 1 : end]])}


def _block_end(lines: list[str], place: int, belongs: Callable[[str], bool]) -> int:
    end = place
    while place < len(lines) and (not lines[place].strip() or belongs(lines[place])):
        place += 1
        if lines[place - 1].strip():
            end = place
    return end


def _entries(lines: list[str], entry: re.Pattern[str]) -> dict[str, str]:
    """Entries of a section: a line at its margin that names an argument, then what is indented deeper."""
    filled = [line for line in lines if line.strip()]
    if not filled:
        return {}
    margin = min(len(line) - len(line.lstrip()) for line in filled)
    found: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in filled:
        named = entry.match(line[margin:]) if len(line) - len(line.lstrip()) == margin else None
        if named is not None:
            first = named.group(2) if entry is _GOOGLE_ENTRY else ""
            current = found.setdefault(named.group(1), [first or ""])
        elif current is not None:
            current.append(line)
    return {name: text for name, texts in found.items() if (text := _joined(texts))}


def _joined(lines: list[str]) -> str:
    return " ".join(line.strip() for line in lines if line and line.strip())
