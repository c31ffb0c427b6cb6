"""Readers: from a type to the function that gives a model's text, or parsed JSON, that type.

Scalars and choices are read here and tolerantly; structures go through pydantic. Where pydantic refuses a
structure, its parts are read tolerantly and it is asked once more: a `Literal` in the wrong case deep inside
an object is no reason to ask the model again.
"""

from __future__ import annotations

import enum
import types
import typing
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from telic.signatures.choices import Choices
from telic.signatures.failure import Unfit
from telic.signatures.jsontext import strict_json
from telic.signatures.pydantic_types import checked
from telic.signatures.scalars import read_bool, read_decimal, read_float, read_int, read_none, read_str
from telic.signatures.structures import Reader, structure_reader
from telic.signatures.typenames import type_name
from telic.signatures.unions import union_reader

_SCALARS: Mapping[Any, Reader] = {
    str: read_str,
    int: read_int,
    float: read_float,
    bool: read_bool,
    Decimal: read_decimal,
    None: read_none,
    types.NoneType: read_none,
}


def reader_of(annotation: Any, constraints: Mapping[str, Any] | None = None) -> Reader:
    """The reader of a type, held to constraints; the same one for equal types."""
    if constraints:
        return _constrained(reader_of(annotation), annotation, constraints)
    try:
        hash(annotation)
    except TypeError:
        return _reader(annotation)
    # `int | str` equals `str | int`, but is not read the same way; hence the name in the key.
    return _cached_reader(annotation, type_name(annotation))


def _reader(annotation: Any, name: str = "") -> Reader:
    scalar = _SCALARS.get(annotation) if _hashable(annotation) else None
    if scalar is not None:
        return scalar
    if annotation is Any or annotation is object:
        return _read_any
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _annotated(annotation)
    if origin is typing.Literal:
        return _literal(typing.get_args(annotation))
    if origin is typing.Union or origin is types.UnionType:
        return union_reader(annotation, reader_of)
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return _enum(annotation)
    if isinstance(annotation, typing.NewType):
        return reader_of(annotation.__supertype__)
    if type(annotation).__name__ == "TypeAliasType":  # `type Name = ...`, since Python 3.12
        return reader_of(annotation.__value__)
    return structure_reader(annotation, reader_of)


_cached_reader = lru_cache(maxsize=1024)(_reader)


def _hashable(annotation: Any) -> bool:
    return getattr(type(annotation), "__hash__", None) is not None and not typing.get_args(annotation)


def _constrained(base: Reader, annotation: Any, constraints: Mapping[str, Any]) -> Reader:
    def read_unbounded(value: Any) -> Any:
        return checked(annotation, constraints, value)

    if constraints.get("allow_inf_nan"):
        return read_unbounded  # the base reader knows only finite numbers

    def read(value: Any) -> Any:
        return checked(annotation, constraints, base(value))

    return read


def _annotated(annotation: Any) -> Reader:
    """`Annotated` may hold validators of the user's, which see the value first as it came."""
    base = reader_of(typing.get_args(annotation)[0])

    def read(value: Any) -> Any:
        try:
            return checked(annotation, {}, value)
        except Unfit as first:
            try:
                tolerant = base(value)
            except Unfit:
                raise first from None
            return checked(annotation, {}, tolerant)

    return read


def _read_any(value: Any) -> Any:
    """Text that is JSON is read as such; other text is text."""
    if not isinstance(value, str):
        return value
    try:
        return strict_json(value)
    except ValueError:
        return value


def _literal(choices: tuple[Any, ...]) -> Reader:
    named: dict[str, Any] = {}
    for choice in choices:
        for name in _names_of(choice):
            named.setdefault(name, choice)
    known = Choices(named, wanted="one of these choices")

    def read(value: Any) -> Any:
        for choice in choices:
            if type(choice) is type(value) and choice == value:
                return choice
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        return known.find(value if isinstance(value, str) else str(value))

    return read


def _enum(annotation: type[enum.Enum]) -> Reader:
    named: dict[str, Any] = {}
    for member in annotation:
        if isinstance(member.value, (str, int, float)):
            named.setdefault(str(member.value), member)
    for name, member in annotation.__members__.items():
        named.setdefault(name, member)
    known = Choices(named, wanted="one of " + ", ".join(_written(member.value) for member in annotation))

    def read(value: Any) -> Any:
        try:
            return annotation(value)
        except ValueError:
            return known.find(value if isinstance(value, str) else str(value))

    return read


def _names_of(choice: Any) -> list[str]:
    if isinstance(choice, enum.Enum):
        return [str(choice.value), choice.name]
    if choice is None:
        return ["None", "null"]
    return [choice.decode(errors="replace") if isinstance(choice, bytes) else str(choice)]


def _written(choice: Any) -> str:
    return repr(choice.value if isinstance(choice, enum.Enum) else choice)
