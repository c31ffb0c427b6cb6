"""Sizes, names, docstrings, annotations and narrow excepts: what keeps the house easy to change."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.project.source import ROOT, Module, functions, modules

FILE_LINES = 400
TEST_FILE_LINES = 600
FUNCTION_LINES = 60
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "stuff", "v2"}
BROAD_EXCEPT = {"runtime", "cli"}
"""Rooms in which a broad except may stand: the executor and the events live in `runtime`."""


def python_files() -> list[str]:
    return [
        str(path.relative_to(ROOT))
        for folder in ("src", "tests", "benchmarks")
        for path in sorted((ROOT / folder).rglob("*.py"))
    ]


def test_files_are_short() -> None:
    long = {name: (ROOT / name).read_text(encoding="utf-8").count("\n") for name in python_files()}
    limits = {name: TEST_FILE_LINES if name.startswith("tests/") else FILE_LINES for name in long}
    assert not {name: lines for name, lines in long.items() if lines > limits[name]}


def test_functions_are_short() -> None:
    long = [
        f"{module.where}:{node.lineno} {name}: {lines} lines"
        for module in modules().values()
        for name, node in functions(module)
        if (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES
    ]
    assert not long, "\n".join(long)


def test_files_say_what_they_hold() -> None:
    vague = [name for name in python_files() if set(name.removesuffix(".py").split("/")) & FORBIDDEN_NAMES]
    assert not vague


def test_every_module_has_a_docstring() -> None:
    bare = [module.where for module in modules().values() if not ast.get_docstring(module.tree)]
    assert not bare


def test_every_public_class_and_function_has_a_docstring() -> None:
    bare = [
        f"{module.where}:{node.lineno} {node.name}"
        for module in modules().values()
        for node in _public_definitions(module.tree)
        if not ast.get_docstring(node) and not _overload(node)
    ]
    assert not bare, "\n".join(bare)


def _public_definitions(tree: ast.AST) -> Iterator[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            if node.name.startswith("_"):
                continue
            yield node
            if isinstance(node, ast.ClassDef):
                yield from _public_definitions(node)
        elif isinstance(node, (ast.If, ast.Try)):
            yield from _public_definitions(node)


def _overload(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    names = {ast.unparse(decorator).rpartition(".")[2] for decorator in node.decorator_list}
    return bool(names & {"overload", "setter", "override"})


def test_every_function_is_annotated() -> None:
    bare = [
        f"{module.where}:{node.lineno} {name}: {', '.join(missing)}"
        for module in modules().values()
        for name, node in functions(module)
        if (missing := list(_unannotated(node)))
    ]
    assert not bare, "\n".join(bare)


def _unannotated(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    arguments = node.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    every += [a for a in (arguments.vararg, arguments.kwarg) if a]
    for position, argument in enumerate(every):
        if argument.annotation is None and not (position == 0 and argument.arg in ("self", "cls", "mcs")):
            yield argument.arg
    if node.returns is None and node.name != "__init__":
        yield "return"


def test_excepts_are_narrow() -> None:
    broad = [
        f"{module.where}:{node.lineno}"
        for module in modules().values()
        if module.room not in BROAD_EXCEPT
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ExceptHandler) and _is_broad(node) and not _reraises(node)
    ]
    assert not broad, "\n".join(broad)


def _is_broad(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    names = {ast.unparse(kind) for kind in caught}
    return bool(names & {"Exception", "BaseException"})


def _reraises(handler: ast.ExceptHandler) -> bool:
    """Cleaning up and passing the very error on is not swallowing it."""
    return any(isinstance(node, ast.Raise) and node.exc is None for node in ast.walk(handler))


def test_the_checks_see_the_package() -> None:
    assert any(isinstance(m, Module) and m.room == "errors" for m in modules().values())
