"""Patterns: what both GBNF and JSON schemas become, and what is written out for the engine.

llama.cpp has two engines for grammars. Its own takes GBNF; the other, llguidance, takes a dialect of Lark,
and is much the quicker (one of seven labels, on Gemma-3-270M with its vocabulary of 262,144 tokens: 146 ms
of processor time against 526), because it writes what is certain in the tokens the model itself would use.
It has one trap: a grammar it cannot read is ignored without a word. So answers are checked against the
pattern too.

A pattern has no recursion, so all of it is one terminal, that is, a regular expression.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Text:
    """Exactly this text."""

    text: str


@dataclass(frozen=True, slots=True)
class Chars:
    """One character of (or, `negated`, outside) some ranges of code points, both ends included."""

    ranges: tuple[tuple[int, int], ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Chain:
    """One after the other."""

    parts: tuple[Pattern, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of these."""

    options: tuple[Pattern, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """From `low` to `high` times; `None` for no end."""

    part: Pattern
    low: int
    high: int | None


@dataclass(frozen=True, slots=True)
class Ref:
    """What a name stands for."""

    name: str


@dataclass(frozen=True, slots=True)
class Both:
    """A regular expression, and within it only what the other pattern allows too."""

    regex: str
    other: Pattern


Pattern: TypeAlias = Text | Chars | Chain | Choice | Repeat | Ref | Both


def chain(*parts: Pattern) -> Pattern:
    """`Chain`, where one part needs none."""
    return parts[0] if len(parts) == 1 else Chain(parts)


def choice(*options: Pattern) -> Pattern:
    """`Choice`, where one option needs none."""
    return options[0] if len(options) == 1 else Choice(options)


def lark(rules: Mapping[str, Pattern], root: str) -> str:
    """The rules as a grammar for llguidance. They must not be recursive."""
    names = {name: f"T{number}" for number, name in enumerate(rules)}
    lines = [f"{names[name]}: {_lark(pattern, names)}" for name, pattern in rules.items()]
    return "\n".join(["%llguidance {}", f"start: {names[root]}", *lines]) + "\n"


def _lark(pattern: Pattern, names: Mapping[str, str]) -> str:
    match pattern:
        case Text(text):
            return '"' + "".join(_lark_char(char) for char in text) + '"'
        case Chars(ranges, negated):
            inside = "".join(f"\\x{{{low:x}}}-\\x{{{high:x}}}" for low, high in ranges)
            return f"/[{'^' if negated else ''}{inside}]/"
        case Chain(parts):
            return "(" + " ".join(_lark(part, names) for part in parts) + ")" if parts else '""'
        case Choice(options):
            return "(" + " | ".join(_lark(option, names) for option in options) + ")"
        case Repeat(_, _, 0):
            return '""'
        case Repeat(part, low, high):
            times = {(0, None): "*", (1, None): "+", (0, 1): "?"}.get((low, high))
            return f"({_lark(part, names)}){times or _times(low, high)}"
        case Ref(name):
            return names[name]
        case Both(regex, other):
            return f"(/{regex}/ & {_lark(other, names)})"


def _times(low: int, high: int | None) -> str:
    return f"{{{low},{'' if high is None else high}}}"


def _lark_char(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    return char if char.isprintable() else f"\\u{ord(char):04x}"


def expression(rules: Mapping[str, Pattern], root: str) -> re.Pattern[str]:
    """The rules as an expression of Python's, to check an answer with."""
    return re.compile(_regex(rules[root], rules), re.DOTALL)


def _regex(pattern: Pattern, rules: Mapping[str, Pattern]) -> str:
    match pattern:
        case Text(text):
            return re.escape(text)
        case Chars(ranges, negated):
            inside = "".join(f"\\U{low:08x}-\\U{high:08x}" for low, high in ranges)
            return f"[{'^' if negated else ''}{inside}]"
        case Chain(parts):
            return "".join(_regex(part, rules) for part in parts)
        case Choice(options):
            return "(?:" + "|".join(_regex(option, rules) for option in options) + ")"
        case Repeat(part, low, high):
            return f"(?:{_regex(part, rules)}){_times(low, high)}"
        case Ref(name):
            return f"(?:{_regex(rules[name], rules)})"
        case Both(regex, _):
            return f"(?:{regex})"


def beginning(rules: Mapping[str, Pattern], root: str) -> re.Pattern[str]:
    """An expression for everything that an answer can begin with, to check one with that was cut."""
    return re.compile(_begun(rules[root], rules), re.DOTALL)


def _begun(pattern: Pattern, rules: Mapping[str, Pattern]) -> str:
    match pattern:
        case Text(text):
            return "".join(f"(?:{re.escape(char)}" for char in text) + ")?" * len(text)
        case Chars():
            return _regex(pattern, rules) + "?"
        case Chain(parts):
            whole = [_regex(part, rules) for part in parts]
            cut = [f"{''.join(whole[:at])}{_begun(part, rules)}" for at, part in enumerate(parts)]
            return "(?:" + "|".join(reversed(cut)) + ")"
        case Choice(options):
            return "(?:" + "|".join(_begun(option, rules) for option in options) + ")"
        case Repeat(part, _, high):
            most = "" if high is None else high
            return f"(?:{_regex(part, rules)}){{0,{most}}}(?:{_begun(part, rules)})?"
        case Ref(name):
            return _begun(rules[name], rules)
        case Both(_, other):
            return _begun(other, rules)


def recursive(rules: Mapping[str, Pattern]) -> bool:
    """Whether a rule leads back to itself."""
    done: set[str] = set()
    open_: set[str] = set()

    def enter(name: str) -> bool:
        if name in done:
            return False
        if name in open_:
            return True
        open_.add(name)
        found = any(enter(inner) for inner in _names(rules[name]))
        open_.discard(name)
        done.add(name)
        return found

    return any(enter(name) for name in rules)


def _names(pattern: Pattern) -> set[str]:
    match pattern:
        case Ref(name):
            return {name}
        case Chain(parts) | Choice(parts):
            return set().union(*(_names(part) for part in parts))
        case Repeat(part, _, _) | Both(_, part):
            return _names(part)
        case _:
            return set()
