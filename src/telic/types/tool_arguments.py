"""What a model gives as an argument, made what the function wants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError

from telic.errors import InputError

_JSON_TYPES: Mapping[str, Any] = {
    "string": str,
    "integer": int,
    "number": float,
    "boolean": bool,
    "array": list,
    "object": dict,
    "null": None,
}
_TOLERANT = ConfigDict(coerce_numbers_to_str=True, arbitrary_types_allowed=True)
"""A model that writes the number 94103 for a text means the text."""


@dataclass
class Arguments:
    """What a function takes.

    Attributes:
        schemas: a JSON schema by argument.
        types: the annotation by argument; `Any` where there is none.
        required: arguments that must be given.
        positional: those that can only be given by position, in order.
        open: whether it takes arguments of any name.
    """

    schemas: dict[str, Any] = field(default_factory=dict)
    types: dict[str, Any] = field(default_factory=dict)
    required: set[str] = field(default_factory=set)
    positional: tuple[str, ...] = ()
    open: bool = False


def type_of_schema(schema: Any) -> Any:
    """The Python type of a JSON schema as far as it is simple; `Any` otherwise."""
    if not isinstance(schema, Mapping):
        return Any
    choices = schema.get("enum")
    if isinstance(choices, (list, tuple)) and choices:
        plain = all(choice is None or isinstance(choice, (str, int)) for choice in choices)
        return Literal[tuple(choices)] if plain else Any
    kind = schema.get("type")
    return _JSON_TYPES.get(kind, Any) if isinstance(kind, str) else Any


def adapter_of(annotation: Any) -> TypeAdapter[Any]:
    """A validator of a type; made once for each.

    Raises:
        PydanticUserError: pydantic cannot handle the type.
    """
    try:
        return _cached_adapter(annotation)
    except TypeError:  # an annotation with something unhashable in it
        return _make_adapter(annotation)


def _make_adapter(annotation: Any) -> TypeAdapter[Any]:
    try:
        return TypeAdapter(annotation, config=_TOLERANT)
    except PydanticUserError as error:
        if (
            error.code != "type-adapter-config-unused"
        ):  # models and the like have a configuration of their own
            raise
        return TypeAdapter(annotation)


_cached_adapter = lru_cache(maxsize=512)(_make_adapter)


def read_arguments(tool: str, arguments: Arguments, given: Mapping[str, Any]) -> dict[str, Any]:
    """Check and convert the arguments of a call.

    Numbers in quotes become numbers, dicts become models, JSON text becomes what it says; `None` for
    an argument with a default that does not take it means the default.

    Args:
        tool: the tool's name, for messages.
        arguments: what it takes.
        given: what was given, by name.

    Raises:
        InputError: one is missing, unknown or not of its type.
    """
    if not arguments.open:
        unknown = [name for name in given if name not in arguments.schemas]
        if unknown:
            known = ", ".join(arguments.schemas) or "none"
            raise InputError(f"Tool '{tool}' has no argument {_listed(unknown)}; it takes: {known}.")
    missing = [name for name in arguments.schemas if name in arguments.required and name not in given]
    if missing:
        raise InputError(f"Tool '{tool}' was called without its argument {_listed(missing)}.")
    read: dict[str, Any] = {}
    for name, value in given.items():
        annotation = arguments.types.get(name, Any)
        if annotation is Any:
            read[name] = value
            continue
        try:
            read[name] = _read(annotation, value)
        except ValidationError as error:
            if value is None and name not in arguments.required:
                continue
            raise InputError(
                f"Tool '{tool}': the argument '{name}' is not valid: {_reason(error)}. It was {value!r:.200}."
            ) from error
    return read


def _read(annotation: Any, value: Any) -> Any:
    adapter = adapter_of(annotation)
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        if not isinstance(value, str):
            raise
        try:
            return adapter.validate_json(value)
        except ValidationError:
            raise error from None  # the first says more: the text may never have been meant as JSON


def _reason(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(step) for step in first["loc"])
    return f"{first['msg']} (at {place})" if place else first["msg"]


def _listed(names: list[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
