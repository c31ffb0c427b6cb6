"""JSON schemas of fields, for engines that can hold a model to one."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from telic.signatures.field import Field
from telic.signatures.pydantic_types import adapter_of

_SIMPLE: Mapping[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}


def json_schema(field: Field) -> dict[str, Any]:
    """The JSON schema of a field's values, with `$defs` where it needs them. Shared: do not change it.

    Objects list all their members as required and allow no others, so that a model held to the schema leaves
    nothing out and adds nothing.

    Raises:
        SignatureError: the type cannot be validated, or has no JSON schema.
    """
    return _field_schema(field)


def object_schema(fields: Mapping[str, Field]) -> dict[str, Any]:
    """The schema of one object with all `fields` in order. Shared: do not change it.

    Args:
        fields: usually `signature.output_fields`.

    Raises:
        SignatureError: a type cannot be validated, or has no JSON schema.
    """
    return _object_schema(tuple(fields.values()))


@lru_cache(maxsize=1024)
def _field_schema(field: Field) -> dict[str, Any]:
    made = _schemas((field,))
    schema: dict[str, Any] = dict(made["properties"][field.name])
    if "$defs" in made:
        schema["$defs"] = made["$defs"]
    return schema


@lru_cache(maxsize=512)
def _object_schema(fields: tuple[Field, ...]) -> dict[str, Any]:
    return _schemas(fields)


def _schemas(fields: tuple[Field, ...]) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    definitions: dict[str, Any] = {}
    complex_fields = []
    for field in fields:
        properties[field.name] = _simple_schema(field)
        if properties[field.name] is None:
            complex_fields.append(field)
    if complex_fields:
        definitions = _from_pydantic(complex_fields, properties)
    for field in fields:
        if field.desc and "$ref" not in properties[field.name]:
            properties[field.name]["description"] = field.desc
    schema: dict[str, Any] = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    if definitions:
        schema["$defs"] = definitions
    return schema


def _from_pydantic(fields: list[Field], properties: dict[str, Any]) -> dict[str, Any]:
    """Fill in the schemas of `fields`; returns the definitions they share."""
    from pydantic import TypeAdapter
    from pydantic.errors import PydanticInvalidForJsonSchema

    from telic.errors import SignatureError

    inputs = [(field.name, "validation", adapter_of(field.annotation, field.constraints)) for field in fields]
    try:
        made, shared = TypeAdapter.json_schemas(inputs, schema_generator=_generator())  # type: ignore[arg-type]
    except PydanticInvalidForJsonSchema as error:
        names = ", ".join(f"'{field.name}'" for field in fields)
        raise SignatureError(f"There is no JSON schema for {names}: {error.message}") from error
    for field in fields:
        properties[field.name] = _closed(made[(field.name, "validation")])
    return {name: _closed(schema) for name, schema in shared.get("$defs", {}).items()}


@lru_cache(maxsize=1)
def _generator() -> Any:
    from pydantic.json_schema import GenerateJsonSchema

    class Generator(GenerateJsonSchema):
        def decimal_schema(self, schema: Any) -> dict[str, Any]:
            # Pydantic's is a number or any text; held to a number, what comes is always valid.
            return {"type": "number"}

    return Generator


def _simple_schema(field: Field) -> dict[str, Any] | None:
    """Schemas of the commonest types, without pydantic."""
    kind = field.annotation
    if field.constraints:
        return None
    if isinstance(kind, type) and kind in _SIMPLE:
        return {"type": _SIMPLE[kind]}
    if typing.get_origin(kind) is typing.Literal:
        choices = list(typing.get_args(kind))
        if all(type(choice) is str for choice in choices):
            return {"type": "string", "enum": choices}
    return None


def _closed(schema: Any) -> Any:
    """A copy without titles and defaults, in which every object has exactly its members."""
    if isinstance(schema, list):
        return [_closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return {"$ref": schema["$ref"]}  # strict servers allow nothing beside it
    made: dict[str, Any] = {}
    for key, value in schema.items():
        if key in ("title", "default") or (key == "pattern" and "(?" in value):
            continue  # engines know no look-ahead; `validate` still holds values to the pattern
        if key in ("properties", "$defs", "patternProperties"):
            made[key] = {name: _closed(item) for name, item in value.items()}
        elif key in ("enum", "const", "examples", "required"):
            made[key] = value
        else:
            made[key] = _closed(value)
    if made.get("type") == "object" and "properties" in made:
        made["required"] = list(made["properties"])
        made.setdefault("additionalProperties", False)
    return made
