"""What adapters say to a model about fields and types; in one place, so that the wording can be measured."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any

from telic.adapters.kinds import BOOLEAN, DATA, INTEGER, NUMBER, WORD
from telic.adapters.layout import Slot
from telic.signatures.field import Field
from telic.signatures.typenames import type_name
from telic.signatures.validation import json_schema

_BOUNDS = {
    "ge": "at least {}",
    "gt": "more than {}",
    "le": "at most {}",
    "lt": "less than {}",
    "multiple_of": "a multiple of {}",
    "min_length": "of length {} or more",
    "max_length": "of length {} or less",
    "pattern": "matching {}",
    "max_digits": "with {} digits or fewer",
    "decimal_places": "with {} decimal places or fewer",
}


def field_lines(title: str, fields: Iterable[Field]) -> str:
    """A numbered list of fields under a title: name, type, description, bounds."""
    lines = [title]
    for number, field in enumerate(fields, 1):
        line = f"{number}. `{field.name}` ({spoken_type(field.annotation)}): {spoken_desc(field)}".rstrip()
        limits = bounds(field)
        lines.append(f"{line}\n   Must be {limits}." if limits else line)
        lines += [f"   {kind.__name__}: {said}" for kind, said in described(field.annotation)]
    return "\n".join(lines)


def spoken_type(annotation: Any) -> str:
    """The name of a type; a model knows reasoning as text."""
    known = sys.modules.get("telic.types.reasoning")
    return "str" if known is not None and annotation is known.Reasoning else type_name(annotation)


def described(annotation: Any) -> list[tuple[type, str]]:
    """The custom types in a type, each with what a model is told about it, where there is something."""
    known = sys.modules.get("telic.types.base_type")
    if known is None:
        return []
    kinds = known.Type.extract_custom_type_from_annotation(annotation)
    return [(kind, "\n   ".join(said.splitlines())) for kind in kinds if (said := kind.description())]


def spoken_desc(field: Field) -> str:
    """The description, unless it is only the placeholder `${name}`."""
    return "" if field.desc == f"${{{field.name}}}" else field.desc


def bounds(field: Field) -> str:
    """The constraints in words, `"at least 1, at most 5"`; empty where there are none."""
    said = (_BOUNDS[name].format(value) for name, value in field.constraints.items() if name in _BOUNDS)
    return ", ".join(said)


def form(slot: Slot, *, true_false: str = "True or False", none: str = "None") -> str:
    """How a value must be written, `"exactly one of: a; b"`; empty for text.

    Args:
        slot: the field.
        true_false: how truth values are spelt.
        none: how `None` is spelt, where the type allows it.
    """
    how = true_false if slot.kind is BOOLEAN else _form(slot)
    if slot.kind is DATA:
        return how  # its schema says whether it may be null
    return f"{how}, or {none}" if how and slot.none_allowed else how


def _form(slot: Slot) -> str:
    if slot.choices:
        return f"exactly one of: {'; '.join(slot.choices)}"
    if slot.kind is DATA:
        return f"JSON of this schema: {json.dumps(schema_of(slot), ensure_ascii=False)}"
    if slot.kind is WORD:
        return _WORD_FORMS.get(type_name(slot.annotation), "")
    return _FORMS.get(slot.kind, "")


_FORMS = {INTEGER: "a whole number", NUMBER: "a number"}
_WORD_FORMS = {
    "date": "a date, YYYY-MM-DD",
    "datetime": "a date and time, YYYY-MM-DDTHH:MM:SS",
    "time": "a time of day, HH:MM:SS",
    "timedelta": "an ISO 8601 duration such as PT1H30M",
    "Decimal": "a number",
    "UUID": "a UUID",
}


def schema_of(slot: Slot) -> dict[str, Any]:
    """The JSON schema of a field as it is shown: what holds of every member is not repeated."""
    schema: dict[str, Any] = {**json_schema(slot.field), "description": None}
    definitions = dict(schema.get("$defs") or {})
    for kind, _ in described(slot.field.annotation):  # said where the field is named
        if kind.__name__ in definitions:
            definitions[kind.__name__] = {**definitions[kind.__name__], "description": None}
    spoken: dict[str, Any] = _spoken(_inlined(schema, definitions))
    return spoken


def _inlined(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """The schema itself instead of a reference to it, where nothing else refers to it."""
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    target = definitions.get(name)
    if target is None or f'#/$defs/{name}"' in json.dumps(definitions):
        return {**schema, "$defs": definitions} if definitions else schema
    del definitions[name]
    return {**target, "$defs": definitions} if definitions else target


def in_brackets(slot: Slot) -> str:
    """A reminder of the type, where it is not plain text."""
    if slot.is_text and not slot.none_allowed:
        return ""
    return f" ({type_name(slot.field.annotation)})"


def _spoken(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_spoken(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made: dict[str, Any] = {}
    for key, value in schema.items():
        if key in ("properties", "$defs"):
            made[key] = {name: _spoken(item) for name, item in value.items()}
        elif key in ("enum", "const"):
            made[key] = value
        elif key != "required" and value is not False and value is not None:
            made[key] = _spoken(value)
    return made
