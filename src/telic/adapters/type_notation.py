"""Types as a model reads them fast: `{ name: string, age: int or null }`, descriptions as comments."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeAlias

Schema: TypeAlias = Mapping[str, Any]

_NAMES = {"integer": "int", "number": "float"}
_LIMITS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
    "minLength": "{} characters or more",
    "maxLength": "{} characters or less",
    "pattern": "matching {}",
    "minItems": "{} items or more",
    "maxItems": "{} items or less",
}


def notation(schema: Schema, indent: int = 0) -> str:
    """A JSON schema in few words.

    Objects are braces with a member a line, lists of them brackets around that, other lists `int[]`, choices
    their values joined by `or`. A type that holds itself is named where it is opened, and where it comes
    again only its name stands.

    Args:
        schema: with its definitions in `$defs`.
        indent: spaces before the lines after the first.
    """
    return _Notation(schema.get("$defs") or {}).of(schema, indent, ())


def comments_of(schema: Schema) -> list[str]:
    """What is said about a value: its description, a line each, and its limits."""
    said = [line.strip() for line in str(schema.get("description") or "").splitlines()]
    limits = [text.format(schema[key]) for key, text in _LIMITS.items() if key in schema]
    return [line for line in (*said, ", ".join(limits)) if line]


class _Notation:
    def __init__(self, definitions: Mapping[str, Schema]) -> None:
        self._definitions = definitions
        self._recursive = {name for name in definitions if self._reaches(name, name, set())}

    def of(self, schema: Schema, indent: int, within: tuple[str, ...]) -> str:
        """The notation of one schema, inside the definitions named in `within`."""
        if "$ref" in schema:
            name = str(schema["$ref"]).rpartition("/")[2]
            if name in within:
                return name
            text = self.of(self._definitions[name], indent, (*within, name))
            return f"{name} {text}" if name in self._recursive else text
        for key in ("anyOf", "oneOf"):
            if key in schema:
                return " or ".join(dict.fromkeys(self.of(item, indent, within) for item in schema[key]))
        if len(schema.get("allOf", ())) == 1:
            return self.of(schema["allOf"][0], indent, within)
        if "enum" in schema or "const" in schema:
            values = schema["enum"] if "enum" in schema else [schema["const"]]
            return " or ".join(json.dumps(value, ensure_ascii=False) for value in values)
        if schema.get("type") == "array":
            return self._list(schema, indent, within)
        if "properties" in schema:
            return self._object(schema, indent, within)
        if schema.get("type") == "object":
            inner = schema.get("additionalProperties")
            value = self.of(inner, indent, within) if isinstance(inner, Mapping) else "any"
            return f"dict[string, {value}]"
        kind = str(schema.get("type", "any"))
        return str(schema.get("format", kind)) if kind == "string" else _NAMES.get(kind, kind)

    def _list(self, schema: Schema, indent: int, within: tuple[str, ...]) -> str:
        if schema.get("prefixItems"):
            return f"[{', '.join(self.of(item, indent, within) for item in schema['prefixItems'])}]"
        item = self.of(schema.get("items") or {}, indent + 2, within)
        if "\n" in item:
            space = " " * indent
            return f"[\n{space}  {item}\n{space}]"
        return f"({item})[]" if " or " in item else f"{item}[]"

    def _object(self, schema: Schema, indent: int, within: tuple[str, ...]) -> str:
        space = " " * (indent + 2)
        lines = []
        for name, member in schema["properties"].items():
            lines += [f"{space}# {line}" for line in self._comments(member)]
            lines.append(f"{space}{name}: {self.of(member, indent + 2, within)},")
        return "\n".join(["{", *lines, f"{' ' * indent}}}"])

    def _comments(self, member: Schema) -> list[str]:
        """About a member itself, or else about its type."""
        own = comments_of(member)
        if own or "$ref" not in member:
            return own
        return comments_of(self._definitions[str(member["$ref"]).rpartition("/")[2]])

    def _reaches(self, name: str, wanted: str, seen: set[str]) -> bool:
        for other in self._definitions:
            if f'"#/$defs/{other}"' in json.dumps(self._definitions[name]):
                if other == wanted:
                    return True
                if other not in seen and self._reaches(other, wanted, seen | {other}):
                    return True
        return False
