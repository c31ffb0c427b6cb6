"""Python blocks of the README and the pages: found, run page by page, and their output compared.

What a hosted model would answer stands in a comment of the page, which a reader does not see:
`<!-- model answers: {"sentiment": "positive"} -->`. A local server gives these fields to whatever asks.

A block after `<!-- not run -->` is only compiled. What a block after `<!-- prints -->` prints is what the
text block under it shows. `python -m tests.project.pages docs/modules/react.md …` writes it there anew.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from telic.testing.server import LocalServer
from tests.project.source import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_BLOCK = re.compile(
    r"(?:<!-- (?P<mark>not run|prints) -->\n+)?^```python\n(?P<code>.*?)^```$"
    r"(?:\n+```text\n(?P<shown>.*?)^```$)?",
    re.MULTILINE | re.DOTALL,
)
_ANSWERS = re.compile(r"<!-- model answers: (.*?) -->", re.DOTALL)
_MODEL = "local/"


@dataclass(frozen=True)
class Block:
    """One fenced block.

    Attributes:
        code: as it stands.
        line: the page's line before its first.
        mark: `"not run"`, `"prints"` or `None`.
        shown: the text block under it, and where it stands in the page.
    """

    code: str
    line: int
    mark: str | None
    shown: str | None
    place: tuple[int, int]


def blocks(page: Path) -> list[Block]:
    """All Python blocks of a page."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(m["code"], text[: m.start("code")].count("\n"), m["mark"], m["shown"], m.span("shown"))
        for m in _BLOCK.finditer(text)
    ]


def on_model(page: Path) -> bool:
    """Whether the page runs an embedded model."""
    return any(_MODEL in block.code for block in blocks(page) if block.mark != "not run")


def run(page: Path) -> list[tuple[Block, str]]:
    """Run the blocks in order, in one namespace and an empty folder; each with what it printed."""
    text = page.read_text(encoding="utf-8")
    fields = json.loads(match[1]) if (match := _ANSWERS.search(text)) else {}
    with LocalServer(_answerer(fields)) as server, tempfile.TemporaryDirectory() as folder:
        there = dict.fromkeys(("OPENAI_BASE_URL", "OPENAI_API_BASE", "SERVER_URL"), server.url)
        with patch.dict(os.environ, {"OPENAI_API_KEY": "test", **there}), contextlib.chdir(folder):
            return _run(page)


def _run(page: Path) -> list[tuple[Block, str]]:
    space: dict[str, Any] = {"__name__": "page"}
    found = []
    for block in blocks(page):
        # Padded, so that a traceback shows the page's own line numbers.
        code = compile("\n" * block.line + block.code, str(page), "exec")
        if block.mark != "not run":
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(code, space)
            found.append((block, printed.getvalue()))
    return found


def _answerer(fields: dict[str, Any]) -> Callable[[dict[str, Any]], str]:
    """Answers a request with those of `fields` that it asks for, in the format that it asks in."""

    def answer(body: dict[str, Any]) -> str:
        asked = json.dumps(body.get("messages") or body.get("prompt"))
        wanted = {name: value for name, value in fields.items() if name in asked}
        if "response_format" in body:
            return json.dumps(wanted)
        texts = {n: v if isinstance(v, str) else json.dumps(v) for n, v in wanted.items()}
        return "\n\n".join([f"[[ ## {n} ## ]]\n{v}" for n, v in texts.items()] + ["[[ ## completed ## ]]"])

    return answer


def written(text: str, found: list[tuple[Block, str]]) -> str:
    """The page with what its blocks printed."""
    for block, printed in reversed(found):
        if block.mark == "prints" and block.shown is not None:
            text = text[: block.place[0]] + printed + text[block.place[1] :]
    return text


def main() -> None:
    """Run the pages that are named, and write down what they printed."""
    from telic.testing import reset

    for page in map(Path, sys.argv[1:]):
        text = written(page.read_text(encoding="utf-8"), run(page.resolve()))
        page.write_text(text, encoding="utf-8")
        reset()


if __name__ == "__main__":
    main()
