"""Reads a GBNF grammar as llama.cpp does, and derives random texts from it."""

import random
import re

_NAME = re.compile(r"[a-zA-Z0-9-]+")
_POOL = "aZ 09_-.:,;!?'\"\\/(){}[]<>|«é√🙂\t#*`"
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "[": "[", "]": "]"}


class Grammar:
    """A parsed grammar. Raises ValueError where llama.cpp would refuse it."""

    def __init__(self, text: str) -> None:
        self.rules = {}
        for line in text.strip().splitlines():
            name, separator, body = line.partition(" ::= ")
            if not separator or not _NAME.fullmatch(name):
                raise ValueError(f"not a rule: {line!r}")
            if name in self.rules:
                raise ValueError(f"defined twice: {name}")
            parser = _Parser(body)
            self.rules[name] = parser.alternatives()
            parser.end()
        for name in {name for body in self.rules.values() for name in _names(body)}:
            if name not in self.rules:
                raise ValueError(f"not defined: {name}")

    def sample(self, chance: random.Random) -> str:
        """A text of the language; recursion and repetition fade out with depth."""
        return self._derive(("rule", "root"), chance, 0)

    def _derive(self, node, chance, depth):
        kind = node[0]
        if kind == "text":
            return node[1]
        if kind == "class":
            return chance.choice([c for c in _POOL + _members(node[1]) if _in_class(c, node[1], node[2])])
        if kind == "rule":
            return self._derive(self.rules[node[1]], chance, depth + 1)
        if kind == "any":
            options = node[1]
            if depth > 24:  # the shallowest way out
                options = [min(options, key=lambda option: len(set(_names(option))))]
            return self._derive(chance.choice(options), chance, depth)
        if kind == "all":
            return "".join(self._derive(part, chance, depth) for part in node[1])
        _, item, low, high = node
        most = low if depth > 20 else low + 3 if high is None else min(high, low + 3)
        return "".join(self._derive(item, chance, depth) for _ in range(chance.randint(low, max(low, most))))


class _Parser:
    def __init__(self, text):
        self.text, self.at = text, 0

    def end(self):
        if self.at < len(self.text):
            raise ValueError(f"left over: {self.text[self.at :]!r}")

    def space(self):
        while self.at < len(self.text) and self.text[self.at] in " \t":
            self.at += 1

    def alternatives(self):
        options = [self.sequence()]
        while self.at < len(self.text) and self.text[self.at] == "|":
            self.at += 1
            options.append(self.sequence())
        return options[0] if len(options) == 1 else ("any", options)

    def sequence(self):
        parts = []
        while True:
            self.space()
            if self.at >= len(self.text) or self.text[self.at] in "|)":
                return ("all", parts)
            parts.append(self.repeated(self.item()))

    def item(self):
        char = self.text[self.at]
        if char == '"':
            self.at += 1
            return ("text", self.until('"'))
        if char == "[":
            self.at += 1
            negated = self.text[self.at] == "^"
            self.at += negated
            return ("class", self.members(), negated)
        if char == "(":
            self.at += 1
            inside = self.alternatives()
            if self.text[self.at : self.at + 1] != ")":
                raise ValueError("bracket not closed")
            self.at += 1
            return inside
        match = _NAME.match(self.text, self.at)
        if match is None:
            raise ValueError(f"unexpected {self.text[self.at :]!r}")
        self.at = match.end()
        return ("rule", match.group())

    def char(self):
        char = self.text[self.at]
        self.at += 1
        if char != "\\":
            return char
        code = self.text[self.at]
        self.at += 1
        digits = {"x": 2, "u": 4, "U": 8}.get(code)
        if digits is None:
            return _ESCAPES[code]
        value = chr(int(self.text[self.at : self.at + digits], 16))
        self.at += digits
        return value

    def until(self, end):
        read = []
        while self.text[self.at] != end:
            read.append(self.char())
        self.at += 1
        return "".join(read)

    def members(self):
        ranges = []
        while self.text[self.at] != "]":
            first = self.char()
            if self.text[self.at] == "-" and self.text[self.at + 1] != "]":
                self.at += 1
                ranges.append((first, self.char()))
            else:
                ranges.append((first, first))
        self.at += 1
        return ranges

    def repeated(self, item):
        match = re.compile(r"[*+?]|\{(\d+)(,?)(\d*)\}").match(self.text, self.at)
        if match is None:
            return item
        self.at = match.end()
        simple = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(match[0])
        if simple is not None:
            return ("repeat", item, *simple)
        low = int(match[1])
        high = (int(match[3]) if match[3] else None) if match[2] else low
        if high is not None and not low <= high <= 2000:
            raise ValueError(f"repetition out of bounds: {match[0]}")
        return ("repeat", item, low, high)


def _names(node):
    kind = node[0]
    if kind == "rule":
        yield node[1]
    elif kind in ("any", "all"):
        for part in node[1]:
            yield from _names(part)
    elif kind == "repeat":
        yield from _names(node[1])


def _members(ranges):
    return "".join(first + last for first, last in ranges if first.isprintable())


def _in_class(char, ranges, negated):
    return any(first <= char <= last for first, last in ranges) is not negated
