"""JSON out of what a model wrote: inside prose or fences, damaged, or cut off."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

_FENCE = re.compile(r"```[\w+-]*[ \t]*\n?(.*?)(?:```|\Z)", re.DOTALL)
_MAX_STARTS = 64  # Each opening brace is a place to try; a bound keeps hostile nesting from costing n².


class _Absent:
    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent()
"""No value was found; `None` is a value."""


def _first_wins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        # A model that repeats itself tends to be right the first time.
        found = dict(reversed(pairs))
        found = {key: found[key] for key, _ in pairs}
    return found


_decoder = json.JSONDecoder(
    strict=False, object_pairs_hook=_first_wins
)  # `strict` would refuse raw line breaks.


def unfenced(text: str) -> str:
    """The inside of the first code fence, or the text; without surrounding space."""
    if "```" in text:
        match = _FENCE.search(text)
        if match is not None:
            return match[1].strip()
    return text.strip()


def decode(text: str) -> Any:
    """The JSON value that is the whole of `text`, or `ABSENT`."""
    try:
        return _decoder.decode(text)
    except (ValueError, RecursionError):
        return ABSENT


def complete_part(text: str, *, open_string: bool = False) -> Any:
    """What is complete in JSON that was cut off; `ABSENT` if it is not cut, or damaged in another way.

    Args:
        text: starts with the value.
        open_string: keep a last string that has no end.
    """
    try:
        _decoder.raw_decode(text)
    except json.JSONDecodeError as error:
        # The partial mode of jiter stops at any error, so that damage would be taken for the end.
        if error.pos < len(text.rstrip()) and not error.msg.startswith("Unterminated string"):
            return ABSENT
    except RecursionError:
        return ABSENT
    else:
        return ABSENT
    import jiter

    try:
        return jiter.from_json(
            text.encode("utf-8", "surrogatepass"),
            partial_mode="trailing-strings" if open_string else True,
        )
    except ValueError:  # raw line breaks in a string, which jiter refuses
        return ABSENT


def repair(text: str) -> Any:
    """The array or object that damaged JSON most likely meant; `ABSENT` if none can be made out."""
    import json_repair

    try:
        value = json_repair.loads(text, skip_json_loads=True)
    except (ValueError, RecursionError):  # it gives up on deep nesting
        return ABSENT
    return value if isinstance(value, (dict, list)) and value else ABSENT


def whole_object(text: str) -> dict[str, Any] | None:
    """The object that is the whole of `text`, damaged or in a fence as it may be; `None` if it is not one."""
    text = unfenced(text)
    if not (text.startswith("{") and text.endswith("}")):
        return None
    value = decode(text)
    if value is ABSENT:
        value = repair(text)
    return value if isinstance(value, dict) else None


def objects(text: str) -> Iterator[dict[str, Any]]:
    """The JSON objects in `text`: first those that are whole, then a cut one, then what can be repaired."""
    start = text.find("{")
    first = start
    for _ in range(_MAX_STARTS):
        if start < 0:
            break
        try:
            value, end = _decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            end = start + 1
        else:
            yield value
        start = text.find("{", end)
    if first < 0:
        return
    rest = text[first:]
    for value in (complete_part(rest), repair(rest)):
        for item in value if isinstance(value, list) else (value,):
            if isinstance(item, dict):
                yield item
