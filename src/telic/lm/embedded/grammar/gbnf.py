"""Reads GBNF, llama.cpp's own notation for grammars."""

from __future__ import annotations

import re

from telic.lm.embedded.grammar.pattern import Chars, Choice, Pattern, Ref, Repeat, Text, chain, choice

_TOKEN = re.compile(
    r"""\s+ | \#[^\n]*
    | (?P<name>[A-Za-z][A-Za-z0-9-]*) (?P<defined>\s*::=)?
    | (?P<text>"(?:[^"\\]|\\.)*")
    | (?P<chars>\[(?:[^\]\\]|\\.)*\])
    | (?P<times>\{\s*\d+\s*(?:,\s*\d*\s*)?\})
    | (?P<sign>[()|*+?.])""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)", re.DOTALL)
_NAMED = {"n": "\n", "r": "\r", "t": "\t"}
_ANY = Chars(((0, 0x10FFFF),))
_Token = tuple[str, str]


class NotReadError(ValueError):
    """The text is not GBNF, or uses what is not known here."""


def read_gbnf(text: str) -> dict[str, Pattern]:
    """The rules of a grammar, by name; `root` is where it starts.

    Raises:
        NotReadError: see there.
    """
    return _Reader(_tokens(text)).rules()


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise NotReadError(f"not understood at character {at}")
        at = match.end()
        if match["defined"]:
            tokens.append(("rule", match["name"]))
        elif match.lastgroup is not None:
            tokens.append((match.lastgroup, match[match.lastgroup]))
    return tokens


class _Reader:
    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens = tokens
        self.at = 0

    def peek(self) -> _Token:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("rule", "")

    def take(self) -> _Token:
        token = self.peek()
        self.at += 1
        return token

    def rules(self) -> dict[str, Pattern]:
        rules: dict[str, Pattern] = {}
        while self.at < len(self.tokens):
            kind, name = self.take()
            if kind != "rule":
                raise NotReadError(f"a rule was expected, not {name!r}")
            rules[name] = self.options()
        if "root" not in rules:
            raise NotReadError("there is no rule 'root'")
        return rules

    def options(self) -> Pattern:
        options = [self.sequence()]
        while self.peek() == ("sign", "|"):
            self.take()
            options.append(self.sequence())
        return choice(*options)

    def sequence(self) -> Pattern:
        parts: list[Pattern] = []
        while self.peek()[0] != "rule" and self.peek() not in (("sign", "|"), ("sign", ")")):
            kind, word = self.take()
            if kind == "times" or word in ("*", "+", "?"):
                if not parts:
                    raise NotReadError(f"nothing to repeat before {word!r}")
                parts[-1] = Repeat(parts[-1], *_times(word))
            else:
                parts.append(self.item(kind, word))
        return chain(*parts) if parts else Text("")

    def item(self, kind: str, word: str) -> Pattern:
        if kind == "text":
            return Text(_plain(word[1:-1]))
        if kind == "chars":
            return _chars(word[1:-1])
        if kind == "name":
            return Ref(word)
        if word == ".":
            return _ANY
        inside = self.options()  # what is left is an opening bracket
        if self.take() != ("sign", ")"):
            raise NotReadError("a bracket is not closed")
        return inside if isinstance(inside, Choice) else chain(inside)


def _times(word: str) -> tuple[int, int | None]:
    if word in ("*", "+", "?"):
        return {"*": (0, None), "+": (1, None), "?": (0, 1)}[word]
    low, comma, high = word.strip("{}").partition(",")
    return int(low), (int(high) if high.strip() else None) if comma else int(low)


def _plain(text: str) -> str:
    return _ESCAPE.sub(lambda match: _unescaped(match[1]), text)


def _unescaped(code: str) -> str:
    if code[0] in "xuU" and len(code) > 1:
        return chr(int(code[1:], 16))
    return _NAMED.get(code, code)


def _chars(text: str) -> Chars:
    negated = text.startswith("^")
    points = [
        (_unescaped(match[1]), True) if match[1] else (match[0], False)
        for match in re.finditer(_ESCAPE.pattern + r"|.", text[negated:], re.DOTALL)
    ]
    ranges: list[tuple[int, int]] = []
    at = 0
    while at < len(points):
        low = ord(points[at][0])
        if at + 2 < len(points) and points[at + 1] == ("-", False):
            ranges.append((low, ord(points[at + 2][0])))
            at += 3
        else:
            ranges.append((low, low))
            at += 1
    return Chars(tuple(ranges), negated)
