"""From a JSON schema to a pattern of its values, as JSON on one line, every part of it bounded."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from telic.lm.embedded.grammar.limits import Limits
from telic.lm.embedded.grammar.pattern import Both, Pattern, Ref, Repeat, Text, chain, choice
from telic.lm.embedded.grammar.scalars import FORMATS, STRING_CHAR, integer, number

_DEEPEST = 3
"""How often a type may occur inside itself; a pattern has no recursion."""

_READABLE = re.compile(r"\^(?:[^\\(]|\\[dwsDWS.\-+*?^$|()\[\]{}/]|\((?!\?(?!:)))*\$", re.DOTALL)
"""Expressions that mean the same to llguidance: anchored, without look-around and back-references."""


class TooDeepError(ValueError):
    """A type that holds itself cannot end within `_DEEPEST` levels."""


class SchemaPatterns:
    """Builds the pattern of one schema.

    Handled: types, `enum`, `const`, `anyOf`, `oneOf`, `allOf`, `$ref`, lengths, number of items, formats,
    anchored `pattern`s, bounds of whole numbers. What a pattern cannot say cheaply (uniqueness, bounds of
    fractions, `not`) is left to validation. Objects have their properties in the schema's order.

    Args:
        root: the whole schema.
        limits: for what has no length of its own.
    """

    def __init__(self, root: Mapping[str, Any], limits: Limits) -> None:
        self.root = root
        self.limits = limits
        self.rules: dict[str, Pattern] = {"char": STRING_CHAR}
        self._open: list[str] = []
        self._inside = 0

    def build(self) -> dict[str, Pattern]:
        """All rules; `root` is where they start. Raises `TooDeepError`."""
        self.rules["root"] = self.value(self.root)
        return self.rules

    def value(self, schema: Any) -> Pattern:
        """The values of `schema`."""
        if not isinstance(schema, Mapping):
            return self._any()
        if "$ref" in schema:
            return self._reference(str(schema["$ref"]))
        if "const" in schema:
            return _json(schema["const"])
        if "enum" in schema:
            return choice(*map(_json, schema["enum"]))
        for key in ("anyOf", "oneOf"):
            if key in schema:
                return self._alternatives(schema[key])
        if "allOf" in schema:
            return self.value(self._merged(schema))
        kind = schema.get("type")
        if isinstance(kind, Sequence) and not isinstance(kind, str):
            return self._alternatives([{**schema, "type": one} for one in kind])
        return self._typed(kind, schema)

    def _typed(self, kind: Any, schema: Mapping[str, Any]) -> Pattern:
        if kind == "object" or (
            kind is None and ("properties" in schema or "additionalProperties" in schema)
        ):
            return self._object(schema)
        if kind == "array" or (kind is None and ("items" in schema or "prefixItems" in schema)):
            return self._array(schema)
        if kind == "string":
            return self._string(schema)
        if kind == "integer":
            return integer(schema)
        simple = {
            "number": number(schema),
            "boolean": choice(Text("true"), Text("false")),
            "null": Text("null"),
        }
        return simple[kind] if kind in simple else self._any()

    def _any(self) -> Pattern:
        if "any" not in self.rules:
            scalar = choice(*(self._typed(kind, {}) for kind in ("string", "number", "boolean", "null")))
            self.rules["any"] = scalar
            pair = chain(self._string({}), Text(": "), scalar)
            self.rules["any"] = choice(
                scalar, self._listed("[", scalar, "]", {}), self._listed("{", pair, "}", {})
            )
        return Ref("any")

    def _reference(self, reference: str) -> Pattern:
        if self._open.count(reference) >= _DEEPEST:
            raise TooDeepError(reference)
        self._open.append(reference)
        try:
            return self.value(resolve(reference, self.root))
        finally:
            self._open.pop()

    def _alternatives(self, options: Sequence[Any]) -> Pattern:
        found = []
        for option in options:
            try:
                found.append(self.value(option))
            except TooDeepError as error:
                deep = error
        if not found:
            raise deep
        return choice(*dict.fromkeys(found))

    def _merged(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        merged: dict[str, Any] = {key: value for key, value in schema.items() if key != "allOf"}
        for part in schema["allOf"]:
            whole = resolve(str(part["$ref"]), self.root) if "$ref" in part else part
            for key, value in whole.items():
                if key == "properties":
                    merged[key] = {**merged.get(key, {}), **value}
                elif key == "required":
                    merged[key] = [*merged.get(key, ()), *value]
                else:
                    merged.setdefault(key, value)
        return merged

    def _string(self, schema: Mapping[str, Any]) -> Pattern:
        quote = Text('"')
        if str(schema.get("format")) in FORMATS:
            return chain(quote, FORMATS[str(schema["format"])], quote)
        low = int(schema.get("minLength", 0))
        high = int(schema.get("maxLength", max(low, self.limits.inner if self._inside else self.limits.text)))
        inside: Pattern = Repeat(Ref("char"), low, max(low, high))
        expression = schema.get("pattern")
        if isinstance(expression, str) and _READABLE.fullmatch(expression):
            inside = Both(expression[1:-1].replace("/", "\\/").replace("\\\\/", "\\/"), inside)
        return chain(quote, inside, quote)

    def _array(self, schema: Mapping[str, Any]) -> Pattern:
        first = schema.get("prefixItems") or ()
        if first:
            parts: list[Pattern] = [Text("["), self.value(first[0])]
            for item in first[1:]:
                parts += [Text(", "), self.value(item)]
            return chain(*parts, Text("]"))
        self._inside += 1
        try:
            item = self.value(schema.get("items", {}))
        except TooDeepError:
            if schema.get("minItems"):
                raise
            return Text("[]")
        finally:
            self._inside -= 1
        return self._listed("[", item, "]", {"low": schema.get("minItems"), "high": schema.get("maxItems")})

    def _listed(self, opening: str, item: Pattern, closing: str, bounds: Mapping[str, Any]) -> Pattern:
        low = int(bounds.get("low") or 0)
        given = bounds.get("high")
        high = max(low, self.limits.members if given is None else int(given))
        if high == 0:
            return Text(opening + closing)
        more = Repeat(chain(Text(", "), item), max(low - 1, 0), high - 1)
        members = chain(item, more)
        return chain(Text(opening), members if low else Repeat(members, 0, 1), Text(closing))

    def _object(self, schema: Mapping[str, Any]) -> Pattern:
        properties = schema.get("properties") or {}
        if not properties:
            return self._map(schema)
        required = set(schema.get("required") or ())
        pairs: list[tuple[Pattern, bool]] = []
        for name, inner in properties.items():
            try:
                pairs.append((chain(Text(_text(name) + ": "), self.value(inner)), name in required))
            except TooDeepError:
                if name in required:
                    raise
        return chain(Text("{"), _members(pairs), Text("}"))

    def _map(self, schema: Mapping[str, Any]) -> Pattern:
        extra = schema.get("additionalProperties", True)
        if extra is False:
            return Text("{}")
        self._inside += 1
        try:
            key = self._string(schema.get("propertyNames") or {})
            pair = chain(key, Text(": "), self.value(extra))
        finally:
            self._inside -= 1
        bounds = {"low": schema.get("minProperties"), "high": schema.get("maxProperties")}
        return self._listed("{", pair, "}", bounds)


def _members(pairs: Sequence[tuple[Pattern, bool]]) -> Pattern:
    """The members in order, with commas only between those that are there."""
    if not pairs:
        return Text("")
    rest: list[Pattern] = []
    for pair, needed in pairs:
        with_comma = chain(Text(", "), pair)
        rest.append(with_comma if needed else Repeat(with_comma, 0, 1))
    starts = []
    for at, (pair, needed) in enumerate(pairs):
        starts.append(chain(pair, *rest[at + 1 :]))
        if needed:
            return choice(*starts)
    return Repeat(choice(*starts), 0, 1)


def resolve(reference: str, root: Mapping[str, Any]) -> Any:
    """The schema that a local reference (`#/$defs/Name`) points at; `{}` where there is none."""
    target: Any = root
    for step in reference.removeprefix("#").strip("/").split("/"):
        if step:
            target = target.get(step.replace("~1", "/").replace("~0", "~"), {})
    return target


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _json(value: Any) -> Pattern:
    return Text(_text(value))
