"""The readable text of a web page, for terms that are only published as one."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_SKIPPED = {"script", "style", "head", "nav", "header", "footer", "svg", "button", "template", "noscript"}
_BLOCKS = {"p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "section", "article", "ul", "ol", "table"}
_VOID = {"br", "hr", "img", "input", "link", "meta"}


class _Reader(HTMLParser):
    def __init__(self, main: str | None) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.skipping = 0
        self.main = main
        self.inside = 0
        self.titled = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == self.main:
            self.inside += 1
        if tag == "h1" and not self.titled:
            self.titled = True
            self.parts.clear()  # what stands above the title belongs to the site
        if tag in _SKIPPED:
            self.skipping += 1
        elif tag in _BLOCKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == self.main:
            self.inside -= 1
        if tag in _SKIPPED:
            self.skipping = max(0, self.skipping - 1)
        elif tag in _BLOCKS and tag not in _VOID:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self.skipping and (self.main is None or self.inside > 0):
            self.parts.append(re.sub(r"\s+", " ", data))


def page_text(page: str) -> str:
    """The text of an HTML page: its `article` or `main` part where it has one, one line per paragraph."""
    main = next((tag for tag in ("article", "main") if re.search(rf"<{tag}[\s>]", page)), None)
    reader = _Reader(main)
    reader.feed(page)
    lines = (line.strip() for line in "".join(reader.parts).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
