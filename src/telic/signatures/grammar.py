"""The grammar of signature strings: `question, context: list[str] -> answer: int`.

    signature := fields? "->" fields
    fields    := field ("," field)* ","?
    field     := name (":" type)?

A type is a Python type expression; it is read by `types_in_text`. Here a string is only cut into its fields.
Commas, colons and arrows inside brackets or quotes belong to the type they stand in.
"""

from __future__ import annotations

import re
from functools import lru_cache
from keyword import iskeyword
from typing import NamedTuple, NoReturn

from telic.errors import SignatureSyntaxError

_TOKEN = re.compile(r"""->|=>|→|[\[\](){},:=]|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|['"]""")
_CLOSES = {"]": "[", ")": "(", "}": "{"}
_NAME = re.compile(r"\w+")


class ParsedField(NamedTuple):
    """A field as written: its name, its type (`None` where none is given), and the columns of both."""

    name: str
    type_text: str | None
    column: int
    type_column: int


class Parsed(NamedTuple):
    """A signature string, cut into fields."""

    inputs: tuple[ParsedField, ...]
    outputs: tuple[ParsedField, ...]


def fail(text: str, column: int, problem: str, hint: str = "") -> NoReturn:
    """Raise the error that shows `text` with a caret under `column`."""
    start = text.rfind("\n", 0, column) + 1
    end = text.find("\n", column)
    line = text[start : end if end >= 0 else len(text)]
    expanded = line[: column - start].expandtabs(4)
    message = (
        f"The signature does not parse: {problem}.\n    {line.expandtabs(4)}\n    {' ' * len(expanded)}^"
    )
    raise SignatureSyntaxError(message + (f"\nHint: {hint}" if hint else ""))


@lru_cache(maxsize=1024)
def parse(text: str) -> Parsed:
    """Cut a signature string into its fields.

    Raises:
        SignatureSyntaxError: it does not follow the grammar; the message shows the column and a remedy.
    """
    sides: list[list[ParsedField]] = [[]]
    stack: list[tuple[str, int]] = []  # brackets that are open, with their columns
    start, colon = 0, -1  # of the field being read
    for token in _TOKEN.finditer(text):
        mark, column = token.group(), token.start()
        if mark in ("[", "(", "{"):
            stack.append((mark, column))
        elif mark in _CLOSES:
            if not stack or stack[-1][0] != _CLOSES[mark]:
                fail(text, column, f"'{mark}' closes nothing", "check that every bracket has its partner")
            stack.pop()
        elif mark in ("'", '"'):
            fail(text, column, "this quotation mark has no partner")
        elif stack and mark == "->":
            fail(text, stack[-1][1], f"'{stack[-1][0]}' is not closed before '->'")
        elif stack or mark[0] in "'\"":
            continue
        elif mark in (",", "->"):
            _add_field(text, sides[-1], start, colon, column, mark)
            start, colon = token.end(), -1
            if mark == "->":
                if len(sides) == 2:
                    fail(
                        text,
                        column,
                        "there is a second '->'",
                        "inputs stand left of one '->', outputs right of it",
                    )
                sides.append([])
        elif mark == ":":
            if colon >= 0:
                fail(text, column, "a second ':' in one field", "separate fields by ','")
            colon = column
        else:
            _refuse(text, column, mark)
    if stack:
        fail(text, stack[-1][1], f"'{stack[-1][0]}' is not closed")
    _add_field(text, sides[-1], start, colon, len(text), "end")
    return _checked(text, sides)


def _refuse(text: str, column: int, mark: str) -> NoReturn:
    if mark in ("=>", "→"):
        fail(text, column, f"'{mark}' is not the arrow of a signature", "write '->'")
    fail(
        text,
        column,
        "a field in a signature string has no default",
        "use a class with InputField(default=...) for that",
    )


def _checked(text: str, sides: list[list[ParsedField]]) -> Parsed:
    if len(sides) == 1:
        fail(
            text,
            len(text.rstrip()),
            "there is no '->'",
            'write inputs -> outputs, for example "question -> answer"',
        )
    if not sides[1]:
        fail(text, len(text.rstrip()), "there is no output field after '->'")
    seen: set[str] = set()
    for side in sides:
        for field in side:
            if field.name in seen:
                both = field in sides[1] and any(field.name == other.name for other in sides[0])
                where = "is both an input and an output" if both else "stands here twice"
                fail(
                    text,
                    field.column,
                    f"the field '{field.name}' {where}",
                    "give each field a name of its own",
                )
            seen.add(field.name)
    return Parsed(tuple(sides[0]), tuple(sides[1]))


def _add_field(text: str, side: list[ParsedField], start: int, colon: int, end: int, mark: str) -> None:
    """Add the field in `text[start:end]`. There may be none only where a list begins or ends."""
    raw = text[start : colon if colon >= 0 else end]
    name = raw.strip()
    column = start + len(raw) - len(raw.lstrip())
    if not name:
        if colon >= 0:
            fail(text, colon, "there is a type but no field name before ':'")
        if mark == ",":
            fail(text, end, "there is no field before ','")
        return
    if not name.isidentifier() or iskeyword(name):
        _fail_name(text, name, column)
    if colon < 0:
        side.append(ParsedField(name, None, column, column))
        return
    raw = text[colon + 1 : end]
    type_text = raw.strip()
    if not type_text:
        fail(text, colon, f"there is no type after '{name}:'", "leave out ':' for text, or name a type")
    side.append(ParsedField(name, type_text, column, colon + 1 + len(raw) - len(raw.lstrip())))


def _fail_name(text: str, name: str, column: int) -> NoReturn:
    first = _NAME.match(name)
    if iskeyword(name):
        fail(text, column, f"'{name}' is a word of Python and cannot name a field", f"try '{name}_'")
    if first and first.group() != name and first.group().isidentifier():
        rest = name[first.end() :]
        at = column + first.end() + len(rest) - len(rest.lstrip())
        fail(text, at, f"unexpected text after '{first.group()}'", "separate fields by ',' and types by ':'")
    fail(
        text,
        column,
        f"'{name}' cannot name a field",
        "a name has letters, digits and '_', and no digit first",
    )
