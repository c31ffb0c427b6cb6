"""Imports point down the page of docs/architecture.md: never up, never across a line, never around."""

from __future__ import annotations

import ast
from itertools import pairwise

import pytest

from tests.project.source import Module, modules, resolve

LINES: tuple[tuple[str, ...], ...] = (
    ("_secrets",),
    ("errors",),
    ("_json", "_text", "_lazy"),
    ("types",),
    ("data", "signatures"),
    ("runtime",),
    ("store",),
    ("budget",),
    ("lm", "adapters"),
    ("retrieval",),
    ("sandbox",),
    ("finetune",),
    ("program",),
    ("modules",),
    ("evaluate", "streaming"),
    ("judges",),
    ("optimize",),
    ("systems",),
    ("datasets", "serve", "viewer"),
    ("compat",),
    ("cli",),
    ("testing",),
)
"""The house, top to bottom. A room imports from the lines above; rooms on one line do not know each other."""

ONLY: dict[str, set[str]] = {
    "": {"_lazy"},
    "adapters": {"errors", "_json", "_text", "_lazy", "types", "signatures"},
}
"""Rooms that see less than their line allows. The package itself loads names lazily; adapters are pure."""

LEVEL = {room: level for level, line in enumerate(LINES) for room in line}


def forbidden(source: str, target: str) -> str | None:
    """Why room `source` may not import from room `target`, or `None` where it may."""
    if source == target:
        return None
    if source in ONLY:
        return (
            None if target in ONLY[source] else f"'{source or 'telic'}' may only see {sorted(ONLY[source])}"
        )
    if LEVEL[target] > LEVEL[source]:
        return "points up: the target lies below"
    if LEVEL[target] == LEVEL[source]:
        return "points across: both are on one line"
    return None


def targets(module: Module) -> dict[str, int]:
    """The package's modules that `module` imports, with the first line that does."""
    found: dict[str, int] = {}
    for line, name in module.imports():
        target = resolve(name)
        if target is not None and target != module.name:
            found.setdefault(target, line)
    return found


def test_every_room_has_a_line() -> None:
    rooms = {m.room for m in modules().values()} - {""}
    assert rooms <= set(LEVEL), f"not in the table: {sorted(rooms - set(LEVEL))}"


def test_no_import_points_up_or_across() -> None:
    broken = []
    for module in modules().values():
        if module.name == "telic":
            continue  # its table of public names reaches everywhere; what it imports is checked below
        for target, line in targets(module).items():
            why = forbidden(module.room, modules()[target].room)
            if why:
                broken.append(f"{module.where}:{line} imports {target}: {why}")
    assert not broken, "\n".join(broken)


def test_the_package_imports_only_the_lazy_loader() -> None:
    package = modules()["telic"]
    imported = [n for n in ast.walk(package.tree) if isinstance(n, (ast.Import, ast.ImportFrom))]
    names = {n.module for n in imported if isinstance(n, ast.ImportFrom) and n not in _typing_only(package)}
    assert names <= {"__future__", "typing", "telic._lazy"}, names


def _typing_only(module: Module) -> list[object]:
    guarded: list[object] = []
    for node in ast.walk(module.tree):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            guarded.extend(ast.walk(node))
    return guarded


def test_inside_the_package_names_come_from_concrete_modules() -> None:
    broken = []
    for module in modules().values():
        for line, name in module.imports():
            if module.name != "telic" and (name == "telic" or resolve(name) is None):
                broken.append(f"{module.where}:{line} imports {name} from the package itself")
    assert not broken, "\n".join(broken)


def test_there_is_no_import_cycle() -> None:
    graph = {name: set(targets(module)) for name, module in modules().items() if name != "telic"}
    # What imports nothing that is left, or is imported by nothing that is left, is in no cycle.
    while leaves := [name for name, below in graph.items() if not below & graph.keys()]:
        for name in leaves:
            del graph[name]
    while roots := [name for name in graph if not any(name in below for below in graph.values())]:
        for name in roots:
            del graph[name]
    shown = [f"{name} imports {', '.join(sorted(below & graph.keys()))}" for name, below in graph.items()]
    assert not graph, "\n".join(shown)


@pytest.mark.parametrize(
    ("source", "target", "allowed"),
    [
        ("program", "lm", True),
        ("lm", "program", False),
        ("lm", "adapters", False),
        ("adapters", "lm", False),
        ("adapters", "runtime", False),
        ("adapters", "signatures", True),
        ("signatures", "data", False),
        ("cli", "optimize", True),
        ("errors", "_json", False),
    ],
)
def test_the_rule_itself(source: str, target: str, allowed: bool) -> None:
    assert (forbidden(source, target) is None) is allowed


def test_each_line_is_listed_once() -> None:
    rooms = [room for line in LINES for room in line]
    assert len(rooms) == len(set(rooms))
    assert all(set(a).isdisjoint(b) for a, b in pairwise(LINES))
