"""Patterns of single JSON values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from telic.lm.embedded.grammar.gbnf import read_gbnf
from telic.lm.embedded.grammar.pattern import Choice, Pattern, Repeat, Text, chain, choice


def _of(gbnf: str) -> Pattern:
    return read_gbnf(f"root ::= {gbnf}")["root"]


STRING_CHAR = _of(r'[^"\\\x00-\x1F\x7F] | "\\" ["\\/bfnrt]')
_NATURAL = '("0" | [1-9] [0-9]{0,14})'
_NUMBER = _of(f'"-"? {_NATURAL} ("." [0-9]{{1,6}})?')
# Days that exist in every year, so that whatever the pattern lets through is a date.
_DATE = (
    '[12] [0-9] [0-9] [0-9] "-" (("01" | "03" | "05" | "07" | "08" | "10" | "12") "-" '
    '("0" [1-9] | [12] [0-9] | "3" [01]) | ("04" | "06" | "09" | "11") "-" ("0" [1-9] | [12] [0-9] | "30") '
    '| "02-" ("0" [1-9] | "1" [0-9] | "2" [0-8]))'
)
_TIME = '([01] [0-9] | "2" [0-3]) ":" [0-5] [0-9] ":" [0-5] [0-9]'

FORMATS: Mapping[str, Pattern] = {
    "date": _of(_DATE),
    "time": _of(_TIME),
    "date-time": _of(f'{_DATE} "T" {_TIME}'),
    "duration": _of('"P" [0-9]{1,4} "D" | "PT" [0-9]{1,4} [HMS]'),
    "uuid": _of('[0-9a-f]{8} "-" [0-9a-f]{4} "-4" [0-9a-f]{3} "-" [89ab] [0-9a-f]{3} "-" [0-9a-f]{12}'),
}
"""By the `format` of a schema: what stands between the quotes."""

_FRACTION = _of('"." [0-9]{1,6}')
_MOST_LISTED = 1000


def integer(schema: Mapping[str, Any]) -> Pattern:
    """A whole number; a short range is listed, of a long one sign and number of digits are kept to."""
    low, high = _lowest(schema), _highest(schema)
    if low is not None and high is not None and 0 <= high - low < _MOST_LISTED:
        return choice(*(Text(str(number)) for number in range(low, high + 1)))
    digits = min(15, len(str(max(abs(low), abs(high))))) if low is not None and high is not None else 15
    positive = f"[1-9] [0-9]{{0,{digits - 1}}}"
    options = []
    if low is None or low < 0:
        options.append(f'"-" {positive}')
    if (low is None or low <= 0) and (high is None or high >= 0):
        options.append('"0"')
    if high is None or high > 0:
        options.append(positive)
    found = _of(" | ".join(options))
    return found if isinstance(found, Choice) else choice(found)


def number(schema: Mapping[str, Any]) -> Pattern:
    """A number, with up to six digits after the point; short ranges from 0 up are kept to."""
    low, high = _lowest(schema), _highest(schema)
    if low is None or high is None or not 0 <= low <= high < low + _MOST_LISTED:
        return _NUMBER
    below = [chain(Text(str(whole)), Repeat(_FRACTION, 0, 1)) for whole in range(low, high)]
    return choice(*below, Text(str(high)))


def _lowest(schema: Mapping[str, Any]) -> int | None:
    bounds = [math.ceil(schema["minimum"])] if "minimum" in schema else []
    if isinstance(schema.get("exclusiveMinimum"), (int, float)):
        bounds.append(math.floor(schema["exclusiveMinimum"]) + 1)
    return max(bounds, default=None)


def _highest(schema: Mapping[str, Any]) -> int | None:
    bounds = [math.floor(schema["maximum"])] if "maximum" in schema else []
    if isinstance(schema.get("exclusiveMaximum"), (int, float)):
        bounds.append(math.ceil(schema["exclusiveMaximum"]) - 1)
    return min(bounds, default=None)
