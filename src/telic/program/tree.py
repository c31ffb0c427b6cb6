"""A program as a tree: attributes, lists and dicts are walked, and every part has a path.

Paths are DSPy's: `generate.predict`, `hops[1]`, `tools['search']`, and `self` for a program that is itself
a parameter.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

from telic.program.parameter import Parameter

P = TypeVar("P")


def named_parameters(program: Any) -> list[tuple[str, Parameter]]:
    """Every parameter of `program` with its path, in order of definition, each once.

    A submodule that is compiled (`_compiled`) is left out: it is finished, and not to be changed from
    outside.
    """
    if isinstance(program, Parameter):
        return [("self", program)]
    return named_parts(program, Parameter)


def named_parts(program: Any, kind: type[P]) -> list[tuple[str, P]]:
    """Every part of `program` that is a `kind`, with its path; found as `named_parameters` finds them.

    What is inside of a parameter is no part of the program.
    """
    return [] if isinstance(program, Parameter) else list(_parts_below(program, "", set(), kind))


def _parts_below(holder: Any, prefix: str, seen: set[int], kind: type[P]) -> Iterator[tuple[str, P]]:
    for name, value in vars(holder).items():
        path = f"{prefix}.{name}" if prefix else name
        yield from _parts_at(value, path, seen, kind)


def _parts_at(value: Any, path: str, seen: set[int], kind: type[P]) -> Iterator[tuple[str, P]]:
    if isinstance(value, kind):
        if id(value) not in seen:
            seen.add(id(value))
            yield path, value
    elif isinstance(value, Parameter):
        return
    elif is_module(value):
        if not getattr(value, "_compiled", False) and id(value) not in seen:
            seen.add(id(value))
            yield from _parts_below(value, path, seen, kind)
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from _parts_at(item, f"{path}[{index}]", seen, kind)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _parts_at(item, f"{path}['{key}']", seen, kind)


def is_module(value: Any) -> bool:
    """Whether `value` is a program of its own (a module, or anything that walks like one)."""
    return hasattr(type(value), "named_sub_modules")


def named_sub_modules(
    program: Any, type_: type | None = None, skip_compiled: bool = False
) -> Iterator[tuple[str, Any]]:
    """`program` and every module in it, breadth first, each once, with paths that begin with `self`."""
    queue: list[tuple[str, Any]] = [("self", program)]
    seen = {id(program)}
    wanted = type_ or object
    while queue:
        path, item = queue.pop(0)
        if isinstance(item, wanted) and (type_ is not None or is_module(item)):
            yield path, item
        if is_module(item):
            if skip_compiled and getattr(item, "_compiled", False):
                continue
            children = [(f"{path}.{name}", value) for name, value in vars(item).items()]
        elif isinstance(item, (list, tuple)):
            children = [(f"{path}[{index}]", value) for index, value in enumerate(item)]
        elif isinstance(item, dict):
            children = [(f"{path}[{key}]", value) for key, value in item.items()]
        else:
            continue
        for child in children:
            if id(child[1]) not in seen and (
                is_module(child[1]) or isinstance(child[1], (list, tuple, dict))
            ):
                seen.add(id(child[1]))
                queue.append(child)


def path_of(program: Any, parameter: Any) -> str:
    """Where in `program` a parameter is, for messages; its class name where it is not part of it."""
    if program is not None:
        for path, value in named_parameters(program):
            if value is parameter:
                return path
    return type(parameter).__name__ if program is not None else "self"
