"""The code in what a model wrote."""

from __future__ import annotations

import re

_BLOCK = re.compile(
    r"^[ \t]*```[ \t]*(?P<tag>[\w+.#-]*)[^\n]*\n(?P<code>.*?)(?:^[ \t]*```|\Z)", re.DOTALL | re.MULTILINE
)
_INLINE = re.compile(r"\A```(?P<code>[^`\n]+)```\Z")
_PYTHON = ("python", "py", "python3", "repl", "tool_code")
_ASSIGNS = re.compile(r"(?P<name>[^\W\d]\w*)[ \t]*(?::[^=\n]+)?(?:[-+*/%&|^@]|//|\*\*|<<|>>)?=(?!=)")


def python_code(text: str) -> str:
    """The Python in an answer: the first block of it, fenced or not, without the word `python` before it.

    A fence that is not closed, as where the answer was cut, is taken off too.
    """
    text = text.strip()
    blocks = [(found["tag"].lower(), found["code"]) for found in _BLOCK.finditer(text)]
    chosen = next((code for tag, code in blocks if tag in _PYTHON), None)
    if chosen is None:
        inline = _INLINE.match(text)
        chosen = blocks[0][1] if blocks else inline["code"] if inline else text
    first, newline, rest = chosen.partition("\n")
    if newline and first.strip().lower() in _PYTHON:
        chosen = rest
    return chosen.strip("\n").rstrip()


def showing_its_end(code: str) -> str:
    """`code` so that, where it ends in an assignment, it gives the value that was assigned.

    It is not parsed here: what a model wrote is kept from this process, even from its parser.
    """
    last = code.rpartition("\n")[2]
    found = _ASSIGNS.match(last)
    return f"{code}\n{found['name']}" if found and ";" not in last else code
