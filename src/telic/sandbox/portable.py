"""Values on their way into and out of an interpreter: plain Python data of bounded size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from keyword import iskeyword
from typing import Any

from telic._json import plain
from telic.errors import CodeInterpreterError

_SCALARS = (str, int, float, bool, complex, bytes, type(None))
_CONTAINERS = (list, tuple, set, frozenset)

MAX_PARTS = 1_000_000
"""Parts of a value that code gives out, parts of parts included: what is shared inside a value counts each
time, as it would when written out, so that a small program cannot make a text that fills the memory."""
MAX_DEPTH = 100


def portable(value: Any) -> Any:
    """`value` as plain Python data: scalars, lists, tuples, sets and dicts; models and dataclasses as dicts.

    Raises:
        TypeError: there is no such form of it.
    """
    if type(value) in _SCALARS:
        return value
    if isinstance(value, Mapping):
        return {portable(key): portable(part) for key, part in value.items()}
    if isinstance(value, _CONTAINERS):
        kind = next(kind for kind in _CONTAINERS if isinstance(value, kind))
        return kind(portable(part) for part in value)
    if isinstance(value, type) or callable(value):
        raise TypeError(f"a value of type {type(value).__name__} cannot be given to an interpreter")
    if hasattr(value, "tolist"):  # numbers and arrays of numpy and its kin
        return portable(value.tolist())
    other = plain(value)
    if isinstance(other, str) and other == str(value) and not _has_text_form(value):
        raise TypeError(f"a value of type {type(value).__name__} cannot be given to an interpreter")
    return portable(other)


def portable_variables(variables: Mapping[str, Any] | None, tools: Mapping[str, Any]) -> dict[str, Any]:
    """Variables as an interpreter takes them.

    Raises:
        CodeInterpreterError: a name is no identifier or a tool's, or a value cannot be passed on.
    """
    made = {}
    for name, value in (variables or {}).items():
        if not is_name(name) or name in tools or name == "SUBMIT":
            raise CodeInterpreterError(
                f"'{name}' cannot be the name of a variable: it must be a Python identifier that no tool has."
            )
        try:
            made[name] = portable(value)
        except (TypeError, RecursionError) as error:
            raise CodeInterpreterError(f"The variable '{name}' cannot be passed on: {error}.") from error
    return made


def is_plain(value: Any) -> bool:
    """Whether it is a scalar or a container, and no instance of anything else."""
    return isinstance(value, (*_SCALARS, *_CONTAINERS, dict))


def is_name(name: Any) -> bool:
    """Whether code can use it as a name."""
    return isinstance(name, str) and name.isidentifier() and not iskeyword(name)


def written(value: Any) -> str:
    """A value that code gave, as text.

    Raises:
        ValueError: it is too large to be written out.
    """
    if isinstance(value, str):
        return value
    require_bounded(value)
    return repr(value)


def require_bounded(value: Any) -> None:
    """Refuse a value that would fill the memory when written out.

    Raises:
        ValueError: it has too many parts, or they are nested too deep.
    """
    levels: list[Iterator[Any]] = [iter((value,))]
    count = 0
    while levels:
        for part in levels[-1]:
            count += 1
            if isinstance(part, dict):
                levels.append(iter([*part.keys(), *part.values()]))
            elif isinstance(part, _CONTAINERS):
                levels.append(iter(part))
            elif isinstance(inside := getattr(part, "attributes", None), dict):  # an instance of a sandbox
                levels.append(iter(inside.values()))
            else:
                continue
            break
        else:
            levels.pop()
        if count > MAX_PARTS or len(levels) > MAX_DEPTH:
            raise ValueError("the value is too large, or nested too deep, to leave the interpreter")


def _has_text_form(value: Any) -> bool:
    import datetime
    import decimal
    import enum
    import fractions
    import pathlib
    import uuid

    forms = (
        datetime.date,
        datetime.time,
        decimal.Decimal,
        fractions.Fraction,
        pathlib.PurePath,
        uuid.UUID,
        enum.Enum,
        str,
    )
    return isinstance(value, forms)
