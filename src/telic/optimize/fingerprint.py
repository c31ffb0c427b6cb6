"""Fingerprints of code: whether a metric or a program is still what it was when a run began."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from functools import partial
from types import CodeType, FunctionType, MethodType
from typing import Any

from telic._json import stable_hash

_MAX_DEPTH = 4


def code_fingerprint(value: Any) -> str:
    """Hash of the code of a function, method, partial, class or callable object, and of the user's code it
    uses.

    Functions and classes that it names are followed, as far as they are not part of the standard library or
    of an installed package: a change in a helper of a metric changes the metric. Comments, docstrings of
        functions and
    the place in a file do not count.
    """
    return stable_hash(list(_parts(value, set(), 0)))


def parameter_identity(value: Any, depth: int = 0) -> Any:
    """What a run depends on of an optimizer's parameter, as JSON that is the same in every process.

    Of an LM its state and address, of a function or class its code, of another optimizer its parameters, of
    a program its code and state, of any other object its class and attributes.
    """
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if depth > _MAX_DEPTH:
        return type(value).__qualname__
    if isinstance(value, Mapping):
        return {str(key): parameter_identity(part, depth + 1) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [parameter_identity(part, depth + 1) for part in value]
    if isinstance(value, (set, frozenset)):
        return sorted(stable_hash(parameter_identity(part, depth + 1)) for part in value)
    if hasattr(value, "get_params"):
        return [type(value).__qualname__, parameter_identity(value.get_params(), depth + 1)]
    if hasattr(value, "dump_state"):
        return [type(value).__qualname__, value.dump_state(), getattr(value, "endpoint", None)]
    if callable(value):
        return code_fingerprint(value)
    known = value.toDict() if hasattr(value, "toDict") else getattr(value, "__dict__", {})
    return [type(value).__qualname__, parameter_identity(known, depth + 1)]


def _parts(value: Any, seen: set[int], depth: int) -> Iterator[Any]:
    if depth > _MAX_DEPTH or id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, partial):
        yield from _parts(value.func, seen, depth)
        yield [_constant(v) for v in value.args]
        yield {k: _constant(v) for k, v in value.keywords.items()}
    elif isinstance(value, MethodType):
        yield from _parts(value.__func__, seen, depth)
        yield from _parts(type(value.__self__), seen, depth + 1)
    elif isinstance(value, FunctionType):
        yield from _function(value, seen, depth)
    elif isinstance(value, type):
        yield from _class(value, seen, depth)
    elif callable(value):
        yield from _parts(type(value), seen, depth)
        yield {k: _constant(v) for k, v in getattr(value, "__dict__", {}).items()}


def _function(function: FunctionType, seen: set[int], depth: int) -> Iterator[Any]:
    yield [function.__qualname__, *_code(function.__code__)]
    yield [_constant(v) for v in function.__defaults__ or ()]
    if _installed(function):
        return
    for cell in function.__closure__ or ():
        try:
            content = cell.cell_contents
        except ValueError:
            continue
        yield _constant(content)
        yield from _parts(content, seen, depth + 1) if callable(content) else ()
    for name in function.__code__.co_names:
        used = function.__globals__.get(name)
        if isinstance(used, (FunctionType, type)) and not _installed(used):
            yield from _parts(used, seen, depth + 1)
        elif isinstance(used, (str, int, float, bool, tuple, frozenset)):
            yield [name, _constant(used)]


def _class(cls: type, seen: set[int], depth: int) -> Iterator[Any]:
    yield f"{cls.__module__}.{cls.__qualname__}"
    if _installed(cls):
        return
    for name, member in sorted(vars(cls).items()):
        if isinstance(member, (staticmethod, classmethod)):
            member = member.__func__
        if isinstance(member, FunctionType):
            yield name
            yield from _parts(member, seen, depth + 1)


def _code(code: CodeType) -> list[Any]:
    # The first constant is the docstring, where there is one.
    skip = 1 if code.co_consts and isinstance(code.co_consts[0], str) else 0
    constants = [_code(c) if isinstance(c, CodeType) else _constant(c) for c in code.co_consts[skip:]]
    return [code.co_code.hex(), list(code.co_names), list(code.co_varnames), constants]


def _constant(value: Any) -> str:
    """A value that cannot change, as text; of anything else the kind: a counter is no change of code."""
    if value is None or isinstance(value, (str, int, float, bool, bytes)):
        return repr(value)
    if isinstance(value, (tuple, frozenset)):
        parts = [_constant(part) for part in value]
        return repr(sorted(parts) if isinstance(value, frozenset) else parts)
    return str(getattr(value, "__qualname__", type(value).__qualname__))


def _installed(value: Any) -> bool:
    """Whether `value` belongs to Python or to an installed package, telic included: versions speak for
    those.
    """
    module = getattr(value, "__module__", None) or ""
    root = module.partition(".")[0]
    if root in sys.stdlib_module_names or root == "telic":
        return root != "__main__"
    file = getattr(sys.modules.get(module), "__file__", None) or ""
    return "site-packages" in file or "dist-packages" in file
