"""The public names are written down: adding or losing one is a decision, seen in a diff."""

from __future__ import annotations

import ast
from pathlib import Path

import telic

SNAPSHOT = Path(__file__).with_name("public_names.txt")


def test_public_names_are_those_written_down() -> None:
    written = SNAPSHOT.read_text(encoding="utf-8").split()
    public = sorted(telic.__all__)
    assert public == written, (
        f"gone: {sorted(set(written) - set(public))}; new: {sorted(set(public) - set(written))}. "
        f"If that is meant, write them to {SNAPSHOT.name}, sorted, one a line."
    )


def test_type_checkers_see_the_same_names() -> None:
    stub = ast.parse((Path(telic.__file__).parent / "__init__.pyi").read_text(encoding="utf-8"))
    imported = {a.asname or a.name for n in ast.walk(stub) if isinstance(n, ast.ImportFrom) for a in n.names}
    assert imported - {"annotations"} == set(telic.__all__)


def test_every_public_name_loads() -> None:
    missing = [name for name in telic.__all__ if not hasattr(telic, name)]
    assert not missing


def test_dir_lists_the_public_names() -> None:
    assert set(telic.__all__) <= set(dir(telic))


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(telic, "no_such_name")
