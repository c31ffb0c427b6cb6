"""What a command prints: a table for people, or JSON for programs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from telic._json import dumps

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
"""The option that every command has."""


def print_json(value: Any) -> None:
    """One JSON value on standard output."""
    sys.stdout.write(dumps(value, indent=2) + "\n")


def print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], *, title: str | None = None) -> None:
    """A table on standard output; cut to the terminal's width, whole where the output is not a terminal."""
    from rich.console import Console
    from rich.table import Table

    console = Console(width=None if sys.stdout.isatty() else 200)
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*[_cell(value) for value in row])
    console.print(table)


def print_facts(facts: dict[str, Any]) -> None:
    """`name  value` lines; what is `None` is left out."""
    shown = {name: value for name, value in facts.items() if value is not None}
    width = max(map(len, shown), default=0)
    for name, value in shown.items():
        sys.stdout.write(f"{name:<{width}}  {_cell(value)}\n")


def heading(text: str) -> None:
    """A line that begins a part."""
    sys.stdout.write(f"\n── {text} ──\n")


def line(text: str = "") -> None:
    """A line of plain text."""
    sys.stdout.write(f"{text}\n")


def size(count: int | float) -> str:
    """Bytes in words: `98 MB`."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            break
        value /= 1000
    return f"{value:.0f} {unit}" if value >= 10 or unit == "B" else f"{value:.1f} {unit}"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.4g}"
    if isinstance(value, int):
        return f"{value:,}"
    return dumps(value)
