"""Every Python block of the README and the pages runs, page by page, in order, in one namespace.

What a hosted model would answer stands in a comment of the page, which a reader does not see:
`<!-- model answers: {"sentiment": "positive"} -->`. A local server gives these fields to whatever asks.
A page that names a `local/` model runs it for real. A block after `<!-- not run -->` is only compiled.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from telic.testing.server import LocalServer
from tests.project.source import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"(?P<skip><!-- not run -->\n+)?^```python\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
ANSWERS = re.compile(r"<!-- model answers: (.*?) -->", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One fenced block: its code, its first line in the page, and whether it is run."""

    code: str
    line: int
    run: bool


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [
        Block(m["code"], text[: m.start("code")].count("\n"), m["skip"] is None) for m in BLOCK.finditer(text)
    ]


def answerer(fields: dict[str, Any]) -> Callable[[dict[str, Any]], str]:
    """Answers a request with those of `fields` that it asks for, in the format that it asks in."""

    def answer(body: dict[str, Any]) -> str:
        asked = json.dumps(body.get("messages") or body.get("prompt"))
        wanted = {name: value for name, value in fields.items() if name in asked}
        if "response_format" in body:
            return json.dumps(wanted)
        texts = {n: v if isinstance(v, str) else json.dumps(v) for n, v in wanted.items()}
        return "\n\n".join([f"[[ ## {n} ## ]]\n{v}" for n, v in texts.items()] + ["[[ ## completed ## ]]"])

    return answer


def page_parameters() -> list[Any]:
    found = []
    for page in PAGES:
        code = "".join(block.code for block in blocks(page) if block.run)
        marks = [pytest.mark.model] if "local/" in code else []
        if blocks(page):
            found.append(pytest.param(page, marks=marks, id=str(page.relative_to(ROOT))))
    return found


@pytest.mark.parametrize("page", page_parameters())
def test_blocks_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fields = json.loads(match[1]) if (match := ANSWERS.search(page.read_text(encoding="utf-8"))) else {}
    monkeypatch.chdir(tmp_path)
    with LocalServer(answerer(fields)) as server:
        monkeypatch.setenv("OPENAI_API_KEY", "test")
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_BASE", server.url)
        monkeypatch.setenv("SERVER_URL", server.url)
        space: dict[str, Any] = {"__name__": "page"}
        for block in blocks(page):
            # Padded, so that a traceback shows the page's own line numbers.
            code = compile("\n" * block.line + block.code, str(page), "exec")
            if block.run:
                exec(code, space)


def test_links_between_pages_lead_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in [*PAGES, ROOT / "CONTRIBUTING.md"]
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert not broken
