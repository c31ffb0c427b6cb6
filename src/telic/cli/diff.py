"""`telic diff`: what two saved programs say differently, field by field."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from telic.cli.output import Json, heading, line, print_json
from telic.cli.programs import program_file

_MISSING = object()


@dataclass(frozen=True)
class Difference:
    """One place where the programs differ.

    Attributes:
        path: where, e.g. `generate.signature.instructions`.
        kind: `changed`, `added` (only in the second) or `removed` (only in the first).
        before: the first program's value, `None` where it has none.
        after: the second program's value.
    """

    path: str
    kind: str
    before: Any = None
    after: Any = None


def diff(
    first: Annotated[Path, typer.Argument(metavar="A", help="A saved program.", exists=True, dir_okay=False)],
    second: Annotated[Path, typer.Argument(metavar="B", help="Another.", exists=True, dir_okay=False)],
    as_json: Json = False,
) -> None:
    """Show what two saved programs say differently; exit code 1 if they differ.

    Compared are instructions, fields, demos, LMs, adapters and settings; not when and how they were compiled.
    """
    found = list(differences(program_file(first)["state"], program_file(second)["state"]))
    if as_json:
        print_json([vars(difference) for difference in found])
    elif not found:
        line("No differences.")
    else:
        for difference in found:
            _print(difference)
    if found:
        raise typer.Exit(1)


def differences(before: Any, after: Any, path: str = "") -> Iterator[Difference]:
    """Every difference of two JSON values; `demos` are compared by content, not by position."""
    if before is _MISSING or after is _MISSING:
        kind = "added" if before is _MISSING else "removed"
        yield Difference(
            path, kind, None if before is _MISSING else before, None if after is _MISSING else after
        )
    elif isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(k for k in after if k not in before)]:
            inner = f"{path}.{key}" if path else str(key)
            yield from differences(before.get(key, _MISSING), after.get(key, _MISSING), inner)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _in_lists(before, after, path)
    elif before != after:
        yield Difference(path, "changed", before, after)


def _in_lists(before: list[Any], after: list[Any], path: str) -> Iterator[Difference]:
    if path.endswith("demos"):
        gone = [item for item in before if item not in after]
        new = [item for item in after if item not in before]
        yield from (Difference(path, "removed", item) for item in gone)
        yield from (Difference(path, "added", None, item) for item in new)
        if not gone and not new and before != after:
            yield Difference(path, "changed", f"{len(before)} in one order", f"{len(after)} in another")
        return
    for index in range(max(len(before), len(after))):
        one = before[index] if index < len(before) else _MISSING
        other = after[index] if index < len(after) else _MISSING
        yield from differences(one, other, f"{path}[{_label(one, other, index)}]")


def _label(one: Any, other: Any, index: int) -> str:
    """A list item's name where it has one, as fields do, else its number."""
    for item in (one, other):
        if isinstance(item, dict) and isinstance(item.get("name"), str):
            return str(item["name"])
    return str(index)


def _print(difference: Difference) -> None:
    from telic._json import dumps

    heading(f"{difference.path} ({difference.kind})")
    if isinstance(difference.before, str) and isinstance(difference.after, str):
        old, new = difference.before.splitlines(), difference.after.splitlines()
        for text in list(difflib.unified_diff(old, new, lineterm="", n=2))[2:]:
            line(text)
        return
    if difference.kind != "added":
        line(f"- {dumps(difference.before)}")
    if difference.kind != "removed":
        line(f"+ {dumps(difference.after)}")
