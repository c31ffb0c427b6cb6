"""A function's arguments as JSON schemas, from its signature, annotations and docstring."""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable, Mapping
from typing import Any

from telic.errors import InputError
from telic.types.docstring import split_docstring
from telic.types.tool_arguments import Arguments, adapter_of, type_of_schema


def name_of(function: Callable[..., Any]) -> str:
    """The name a function goes by; an object's class."""
    inner = function.func if isinstance(function, functools.partial) else function
    return getattr(inner, "__name__", None) or type(inner).__name__


def doc_of(function: Callable[..., Any]) -> tuple[str | None, dict[str, str]]:
    """What its docstring says about a function, and about each argument."""
    inner = function.func if isinstance(function, functools.partial) else function
    text, told = split_docstring(getattr(inner, "__doc__", None))
    if inspect.isroutine(inner) or isinstance(inner, type):
        return text, told
    call_text, call_told = split_docstring(type(inner).__call__.__doc__)
    return text or call_text, {**call_told, **told}


def arguments_of(
    function: Callable[..., Any], types: Mapping[str, Any], schemas: Mapping[str, Any] | None = None
) -> Arguments:
    """Find out what a function takes.

    Args:
        function: any callable.
        types: annotations that go before its own.
        schemas: JSON schemas of the arguments there shall be; `None` for all that the function has, with
            schemas made from their annotations.

    Raises:
        InputError: an annotation cannot be resolved, or pydantic knows no schema for it.
    """
    found = Arguments()
    parameters: Mapping[str, inspect.Parameter] = {}
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):  # some builtins do not tell
        found.open = schemas is None
    for parameter in parameters.values():
        if parameter.kind is parameter.VAR_KEYWORD:
            found.open = True
        elif parameter.kind is not parameter.VAR_POSITIONAL and (
            schemas is None or parameter.name in schemas
        ):
            _add(found, function, parameter, types, schemas)
    for name, schema in (schemas or {}).items():
        if name not in found.schemas:
            _add_by_schema(found, name, types, schema)
    return found


def _add(
    found: Arguments,
    function: Callable[..., Any],
    parameter: inspect.Parameter,
    types: Mapping[str, Any],
    schemas: Mapping[str, Any] | None,
) -> None:
    name = parameter.name
    if schemas is not None:
        _add_by_schema(found, name, types, schemas[name])
        if found.types[name] is Any or name not in types:
            annotation = _annotation(function, parameter)
            found.types[name] = found.types[name] if annotation is Any else annotation
    else:
        annotation = types[name] if name in types else _annotation(function, parameter)
        found.types[name], found.schemas[name] = annotation, _schema(function, name, annotation)
        if parameter.default is not parameter.empty:
            found.schemas[name].update(_default(parameter.default))
    if parameter.kind is parameter.POSITIONAL_ONLY:
        found.positional += (name,)
    found.required.discard(name)
    if parameter.default is parameter.empty and "default" not in found.schemas[name]:
        found.required.add(name)


def _add_by_schema(found: Arguments, name: str, types: Mapping[str, Any], schema: Mapping[str, Any]) -> None:
    found.schemas[name] = dict(schema)
    found.types[name] = types.get(name) or type_of_schema(schema)
    if "default" not in schema:
        found.required.add(name)


def _annotation(function: Callable[..., Any], parameter: inspect.Parameter) -> Any:
    annotation = parameter.annotation
    if annotation is parameter.empty:
        return Any
    if not isinstance(annotation, str):
        return annotation
    inner = inspect.unwrap(function.func if isinstance(function, functools.partial) else function)
    if isinstance(inner, type):
        inner = inner.__init__  # type: ignore[misc]  # the annotations of a class stand there
    elif not inspect.isroutine(inner):
        inner = type(inner).__call__
    try:
        # A holder of this one annotation: a sibling that cannot be resolved is no reason to fail here.
        holder = {"__annotations__": {parameter.name: annotation}}
        probe = type("Probe", (), holder)
        scope = getattr(inspect.unwrap(getattr(inner, "__func__", inner)), "__globals__", {})
        return typing.get_type_hints(probe, globalns=scope, include_extras=True)[parameter.name]
    except NameError as error:
        raise InputError(
            f"Tool '{name_of(function)}': the annotation {annotation!r} of '{parameter.name}' cannot be"
            f" resolved ({error}). Import the type where the function stands, or give `arg_types`."
        ) from error


def _schema(function: Callable[..., Any], name: str, annotation: Any) -> dict[str, Any]:
    if annotation is Any:
        return {}
    from pydantic.errors import PydanticSchemaGenerationError, PydanticUserError

    try:
        return inlined(adapter_of(annotation).json_schema())
    except (PydanticSchemaGenerationError, PydanticUserError) as error:
        raise InputError(
            f"Tool '{name_of(function)}': there is no JSON schema for '{name}' of type {annotation!r}. Give"
            f" `args` with a schema, or annotate it with a type that JSON can carry. ({error.message})"
        ) from error


def _default(value: Any) -> dict[str, Any]:
    from pydantic_core import PydanticSerializationError, to_jsonable_python

    try:
        return {"default": to_jsonable_python(value)}
    except PydanticSerializationError:  # a default that JSON cannot carry: that there is one is known anyway
        return {}


def inlined(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema with its `$ref`s replaced by what they mean, so that it can stand inside another one.

    A type that contains itself is written out once; inside itself it is any value.
    """
    definitions = schema.get("$defs") or schema.get("definitions") or {}
    bare = {key: value for key, value in schema.items() if key not in ("$defs", "definitions")}
    result: dict[str, Any] = _inline(bare, definitions, ())
    return result


def _inline(node: Any, definitions: Mapping[str, Any], inside: tuple[str, ...]) -> Any:
    if isinstance(node, list):
        return [_inline(item, definitions, inside) for item in node]
    if not isinstance(node, Mapping):
        return node
    reference = node.get("$ref")
    if not isinstance(reference, str):
        return {key: _inline(value, definitions, inside) for key, value in node.items()}
    name = reference.rpartition("/")[2]
    beside = {key: _inline(value, definitions, inside) for key, value in node.items() if key != "$ref"}
    if name in inside or name not in definitions:
        return {"title": name, **beside}
    return {**_inline(definitions[name], definitions, (*inside, name)), **beside}
