"""Every Python block of the README and the pages runs, and prints what the page shows (see `pages`).

A page that names a `local/` model runs it for real.
"""

from __future__ import annotations

import platform
import re
from pathlib import Path
from typing import Any

import pytest

from tests.project.pages import PAGES, blocks, on_model, run, written
from tests.project.source import ROOT

SAME_NUMBERS = platform.machine() in ("x86_64", "AMD64")
"""Another kind of processor rounds otherwise, and a model may then prefer another word."""


def page_parameters() -> list[Any]:
    return [
        pytest.param(
            page, marks=[pytest.mark.model] if on_model(page) else [], id=str(page.relative_to(ROOT))
        )
        for page in PAGES
        if blocks(page)
    ]


@pytest.mark.parametrize("page", page_parameters())
def test_blocks_run(page: Path) -> None:
    for block, printed in run(page):
        if block.mark == "prints" and (SAME_NUMBERS or not on_model(page)):
            assert printed == block.shown, f"{page}, line {block.line}"


MODULE_PAGES = [page for page in PAGES if page.parent.name == "modules" and page.name != "README.md"]


@pytest.mark.parametrize("page", MODULE_PAGES, ids=lambda page: page.stem)
def test_every_page_of_a_module_shows_what_an_embedded_model_answered(page: Path) -> None:
    assert on_model(page)
    shown = [block.shown for block in blocks(page) if block.mark == "prints"]
    assert shown
    assert all(text and text.strip() for text in shown)


def test_the_modules_have_pages_that_the_index_lists() -> None:
    index = (ROOT / "docs" / "modules" / "README.md").read_text(encoding="utf-8")
    assert len(MODULE_PAGES) >= 14
    assert not [page.name for page in MODULE_PAGES if f"({page.name})" not in index]


def test_a_page_is_written_anew_with_what_it_prints(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    text = (
        "<!-- prints -->\n```python\nx = 1\nprint('a', x)\n```\n\n```text\nold\n```\n\n"
        "<!-- not run -->\n```python\n1 / 0\n```\n\n```python\nprint(x)\n```\n\n```text\nkept\n```\n"
    )
    page.write_text(text, encoding="utf-8")
    found = list(run(page))
    assert [(block.mark, printed) for block, printed in found] == [("prints", "a 1\n"), (None, "1\n")]
    assert written(text, found) == text.replace("old", "a 1")


def test_links_between_pages_lead_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in [*PAGES, ROOT / "CONTRIBUTING.md"]
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert not broken
