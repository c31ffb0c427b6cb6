"""How long the parts of a JSON answer may be, so that the whole fits into the tokens there are.

A small model held to a schema often does not find the end of a text or a list: it repeats itself until
`max_tokens` cuts the answer, which then is not JSON. So texts, lists and maps without a length of their own
get one: the largest from the ladder below with which the expected size of a full answer fits.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from telic.lm.embedded.grammar.pattern import Both, Chain, Chars, Choice, Pattern, Ref, Repeat, Text


@dataclass(frozen=True, slots=True)
class Limits:
    """Most characters of a text, of a text inside a list or map, and most members of a list or map."""

    text: int
    inner: int
    members: int


LADDER = tuple(
    Limits(*row)
    for row in (
        (1600, 400, 64),
        (1000, 250, 40),
        (600, 160, 24),
        (400, 100, 16),
        (300, 80, 12),
        (240, 64, 10),
        (200, 56, 8),
        (160, 48, 6),
        (120, 40, 5),
        (100, 32, 4),
        (80, 28, 3),
        (60, 24, 2),
        (40, 20, 1),
        (24, 16, 1),
    )
)

_CHARACTERS_A_TOKEN = 3.5
_BYTES_A_CHARACTER = 4


def expected_tokens(pattern: Pattern, rules: Mapping[str, Pattern]) -> float:
    """Tokens of the longest answer, if they hold as many characters as in ordinary text (digits: one)."""
    return _tokens(pattern, rules, 1 / _CHARACTERS_A_TOKEN)


def most_tokens(pattern: Pattern, rules: Mapping[str, Pattern]) -> int:
    """Tokens of the longest answer, if each byte of it takes one."""
    return math.ceil(_tokens(pattern, rules, _BYTES_A_CHARACTER))


def _tokens(pattern: Pattern, rules: Mapping[str, Pattern], each: float) -> float:
    match pattern:
        case Text(text):
            return len(text) * min(1, each)
        case Chars(ranges, negated):
            return (
                1
                if not negated and all(ord("0") <= low and high <= ord("9") for low, high in ranges)
                else each
            )
        case Chain(parts):
            return sum(_tokens(part, rules, each) for part in parts)
        case Choice(options):
            return max(_tokens(option, rules, each) for option in options)
        case Repeat(part, _, high):
            return _tokens(part, rules, each) * (high or 1)
        case Ref(name):
            return _tokens(rules[name], rules, each)
        case Both(_, other):
            return _tokens(other, rules, each)
