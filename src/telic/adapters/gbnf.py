"""Pieces of GBNF, the grammar notation of llama.cpp."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}

NATURAL: Final = '("0" | [1-9] [0-9]{0,14})'
SIGNED: Final = f'"-"? {NATURAL}'
DECIMAL: Final = f'"-"? {NATURAL} ("." [0-9]{{1,12}})?'
# Days that exist in every year, so that whatever the grammar lets through is a date.
DATE: Final = (
    '[12] [0-9] [0-9] [0-9] "-" (("01" | "03" | "05" | "07" | "08" | "10" | "12") "-" '
    '("0" [1-9] | [12] [0-9] | "3" [01]) | ("04" | "06" | "09" | "11") "-" ("0" [1-9] | [12] [0-9] | "30") '
    '| "02-" ("0" [1-9] | "1" [0-9] | "2" [0-8]))'
)
TIME: Final = '([01] [0-9] | "2" [0-3]) ":" [0-5] [0-9] ":" [0-5] [0-9]'
DATE_TIME: Final = f'{DATE} "T" {TIME}'
DURATION: Final = '"P" [0-9]{1,4} "D" | "PT" [0-9]{1,4} [HMS]'
UUID: Final = '[0-9a-f]{8} "-" [0-9a-f]{4} "-4" [0-9a-f]{3} "-" [89ab] [0-9a-f]{3} "-" [0-9a-f]{12}'
STRING_CHAR: Final = r'[^"\\\x00-\x1F\x7F] | "\\" ["\\/bfnrt]'

FORMATS: Final = {"date": DATE, "time": TIME, "date-time": DATE_TIME, "duration": DURATION, "uuid": UUID}
"""By the `format` of a JSON schema: what stands between the quotes."""

_MOST_LISTED = 64
_MOST_REPEATED = 2000  # llama.cpp writes each repetition out


def literal(text: str) -> str:
    """Exactly this text."""
    return '"' + "".join(_ESCAPES.get(char, _spelt(char)) for char in text) + '"'


def _spelt(char: str) -> str:
    return char if char.isprintable() else f"\\U{ord(char):08X}"


def one_of(texts: Iterable[str]) -> str:
    """One of these texts, in brackets."""
    return "(" + " | ".join(literal(text) for text in texts) + ")"


def integer(low: int | None = None, high: int | None = None) -> str:
    """A whole number; a short range is listed, of a long one only the sign is kept to.

    Args:
        low, high: smallest and largest number, both included; `None` for no bound.
    """
    if low is not None and high is not None and 0 <= high - low < _MOST_LISTED:
        return one_of(str(number) for number in range(low, high + 1))
    if low is not None and low >= 0:
        return NATURAL if low == 0 else "[1-9] [0-9]{0,14}"
    return SIGNED


def repeated(item: str, low: int = 0, high: int | None = None) -> str:
    """`item` from `low` to `high` times; a bound that the engine would refuse as too high is left open."""
    low = min(low, _MOST_REPEATED)
    if high is None or high > _MOST_REPEATED:
        return f"{item}*" if low == 0 else f"{item}{{{low},}}"
    return f"{item}{{{low},{high}}}"
