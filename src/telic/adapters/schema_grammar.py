"""From a JSON schema to a GBNF grammar of its values, as JSON on one line."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from telic.adapters.gbnf import DECIMAL, FORMATS, STRING_CHAR, integer, literal, one_of, repeated

Schema = Mapping[str, Any]
_ANY_VALUE = {
    "value": 'object | array | string | number | "true" | "false" | "null"',
    "object": '"{" (string ": " value (", " string ": " value)*)? "}"',
    "array": '"[" (value (", " value)*)? "]"',
    "number": DECIMAL,
}
_SHAPED = ("properties", "additionalProperties", "required")
_LISTED = ("items", "prefixItems", "minItems", "maxItems")


def grammar_of_schema(schema: Schema) -> str:
    """A whole grammar, starting at `root`."""
    grammar = SchemaGrammar()
    root = grammar.value(schema, schema)
    return grammar.text({"root": root})


class SchemaGrammar:
    """Collects the rules of one grammar; several schemas may share it.

    Objects have their properties in the schema's order, optional ones may be left out. Handled: types,
    `enum`, `const`, `anyOf`, `oneOf`, `allOf`, `$ref`, lengths, the formats of `FORMATS`. What a grammar
    cannot say cheaply (patterns, wide number ranges, uniqueness) is left to validation.
    """

    def __init__(self) -> None:
        self._rules: dict[str, str] = {}
        self._references: dict[tuple[int, str], str] = {}
        self._roots: list[Schema] = []  # kept alive, since references are told apart by the root's identity

    def text(self, first: Mapping[str, str]) -> str:
        """The grammar, `first` in front of the rules that were collected."""
        return "\n".join(f"{name} ::= {body}" for name, body in {**first, **self._rules}.items()) + "\n"

    def rule(self, wanted: str, body: str) -> str:
        """Give `body` a name that says `wanted`, and return the name."""
        base = (
            "".join(char if char.isascii() and char.isalnum() else "-" for char in wanted).strip("-")
            or "rule"
        )
        name, number = base, 1
        while self._rules.get(name, body) != body or name == "root":
            number += 1
            name = f"{base}-{number}"
        self._rules[name] = body
        return name

    def string(self) -> str:
        """Name of the rule for any JSON string."""
        return self.rule("string", f'"\\"" {self.char()}* "\\""')

    def char(self) -> str:
        """Name of the rule for one character inside a JSON string."""
        return self.rule("char", STRING_CHAR)

    def value(self, schema: Any, root: Schema) -> str:
        """An expression for the values of `schema`; references are looked up in `root`."""
        if not isinstance(schema, Mapping):
            return self._any()
        if "$ref" in schema:
            return self._reference(str(schema["$ref"]), root)
        if "const" in schema:
            return literal(_json(schema["const"]))
        if "enum" in schema:
            return one_of(_json(value) for value in schema["enum"])
        for key in ("anyOf", "oneOf"):
            if key in schema:
                return self._alternatives(schema[key], root)
        if "allOf" in schema:
            return self.value(_merged(schema, root), root)
        kind = schema.get("type")
        if isinstance(kind, Sequence) and not isinstance(kind, str):
            return self._alternatives([{**schema, "type": one} for one in kind], root)
        return self._typed(kind, schema, root)

    def _typed(self, kind: Any, schema: Schema, root: Schema) -> str:
        if kind == "object" or (kind is None and any(key in schema for key in _SHAPED)):
            return self._object(schema, root)
        if kind == "array" or (kind is None and any(key in schema for key in _LISTED)):
            return self._array(schema, root)
        if kind == "string":
            return self._string(schema)
        if kind == "integer":
            return _brackets(integer(*_integer_bounds(schema)))
        if kind == "number":
            return _brackets(DECIMAL)
        if kind == "boolean":
            return one_of(("true", "false"))
        return literal("null") if kind == "null" else self._any()

    def _any(self) -> str:
        self.string()
        for name, body in _ANY_VALUE.items():
            self._rules[name] = body
        return "value"

    def _reference(self, reference: str, root: Schema) -> str:
        key = (id(root), reference)
        name = self._references.get(key)
        if name is None:
            # Named before it is worked out, so that a type may hold itself.
            self._roots.append(root)
            base = reference.rpartition("/")[2]
            name = self._references[key] = self.rule(f"def-{base}", f"# {reference} {id(root)}")
            self._rules[name] = self.value(resolve(reference, root), root)
        return name

    def _alternatives(self, options: Sequence[Any], root: Schema) -> str:
        # A string of a pattern cannot be promised; where something else will do, only that is offered.
        sure = [option for option in options if not _has_pattern(option)]
        only_null = all(isinstance(o, Mapping) and o.get("type") == "null" for o in sure)
        chosen = options if only_null else sure
        return _brackets(" | ".join(dict.fromkeys(self.value(option, root) for option in chosen)))

    def _string(self, schema: Schema) -> str:
        inside = FORMATS.get(str(schema.get("format")))
        if inside is not None:
            return f'"\\"" {self.rule(str(schema["format"]), inside)} "\\""'
        low, high = _count(schema.get("minLength")), schema.get("maxLength")
        if low == 0 and high is None:
            return self.string()
        return f'"\\"" {repeated(self.char(), low, None if high is None else _count(high))} "\\""'

    def _array(self, schema: Schema, root: Schema) -> str:
        low, high = _count(schema.get("minItems")), schema.get("maxItems")
        parts = [self.value(item, root) for item in schema.get("prefixItems") or ()]
        if parts:
            return ' ", " '.join(['"[" ' + parts[0], *parts[1:]]) + ' "]"'
        if high == 0:
            return '"[]"'
        item = self.rule("item", self.value(schema.get("items", {}), root))
        more = repeated(f'(", " {item})', max(low - 1, 0), None if high is None else _count(high) - 1)
        return f'"[" {item} {more} "]"' if low else f'"[" ({item} {more})? "]"'

    def _object(self, schema: Schema, root: Schema) -> str:
        properties = schema.get("properties") or {}
        if not properties:
            extra = schema.get("additionalProperties", True)
            if extra is False:
                return '"{}"'
            key = self.value({"type": "string", **schema.get("propertyNames", {})}, root)
            pair = self.rule("pair", f'{key} ": " {self.value(extra, root)}')
            return f'"{{" ({pair} (", " {pair})*)? "}}"'
        required = set(schema.get("required") or ())
        pairs = [(self._pair(name, inner, root), name in required) for name, inner in properties.items()]
        if not pairs[0][1]:  # then a pair is written out several times
            pairs = [(self.rule("pair", pair), needed) for pair, needed in pairs]
        return f'"{{" {self._members(pairs)} "}}"'

    def _pair(self, name: str, schema: Any, root: Schema) -> str:
        return f"{literal(_json(name) + ': ')} {self.value(schema, root)}"

    def _members(self, pairs: Sequence[tuple[str, bool]]) -> str:
        """The members in order, with commas only between those that are there."""
        rest: list[str] = []
        for pair, needed in pairs:
            rest.append(f'", " {pair}' if needed else f'(", " {pair})?')
        if pairs[0][1]:
            return " ".join([pairs[0][0], *rest[1:]])
        starts = []
        for at, (pair, needed) in enumerate(pairs):
            starts.append(" ".join([pair, *rest[at + 1 :]]))
            if needed:
                break
        optional = not any(needed for _, needed in pairs)
        return f"({' | '.join(starts)}){'?' if optional else ''}"


def resolve(reference: str, root: Schema) -> Any:
    """The schema a local reference (`#/$defs/Name`) points at."""
    target: Any = root
    for step in reference.removeprefix("#").strip("/").split("/"):
        if step:
            target = target[step.replace("~1", "/").replace("~0", "~")]
    return target


def _merged(schema: Schema, root: Schema) -> dict[str, Any]:
    merged: dict[str, Any] = {key: value for key, value in schema.items() if key != "allOf"}
    for part in schema["allOf"]:
        whole = resolve(str(part["$ref"]), root) if "$ref" in part else part
        for key, value in whole.items():
            if key == "properties":
                merged[key] = {**merged.get(key, {}), **value}
            elif key == "required":
                merged[key] = [*merged.get(key, ()), *value]
            else:
                merged.setdefault(key, value)
    return merged


def _integer_bounds(schema: Schema) -> Iterator[int | None]:
    low, above = schema.get("minimum"), schema.get("exclusiveMinimum")
    high, below = schema.get("maximum"), schema.get("exclusiveMaximum")
    lows = [math.ceil(low)] if low is not None else []
    lows += [math.floor(above) + 1] if above is not None else []
    highs = [math.floor(high)] if high is not None else []
    highs += [math.ceil(below) - 1] if below is not None else []
    yield max(lows, default=None)
    yield min(highs, default=None)


def _has_pattern(schema: Any) -> bool:
    return isinstance(schema, Mapping) and schema.get("type") == "string" and "pattern" in schema


def _count(number: Any) -> int:
    return int(number or 0)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _brackets(expression: str) -> str:
    return f"({expression})"
