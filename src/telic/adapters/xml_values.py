"""Values as nested XML elements and back, guided by their JSON schema."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from typing import Any, TypeAlias

from telic.adapters.json_text import ABSENT, decode
from telic.signatures.validation import to_jsonable

Schema: TypeAlias = Mapping[str, Any]

_NAME = re.compile(r"[A-Za-z_][\w.-]*\Z", re.ASCII)
_BARE_AMPERSAND = re.compile(r"&(?!(?:#\d+|#x[0-9a-fA-F]+|\w+);)")
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&#39;": "'", "&amp;": "&"}
_ENTITY = re.compile("|".join(_ENTITIES))
_MAX_DEPTH = 6


def escape(text: str) -> str:
    """`text` so that it cannot be taken for a tag."""
    return text.replace("&", "&amp;").replace("<", "&lt;")


def unescape(text: str) -> str:
    """The inverse of `escape`, for every entity XML knows; other text is left alone."""
    return _ENTITY.sub(lambda match: _ENTITIES[match[0]], text) if "&" in text else text


def to_xml(name: str, value: Any) -> str:
    """An element: an element per key of models and mappings, an `<item>` per item of lists, `None` empty."""
    return _element(name, to_jsonable(value))


def _element(tag: str, value: Any, attribute: str = "") -> str:
    if value is None:
        return f"<{tag}{attribute} />"
    if isinstance(value, Mapping):
        inner = "".join(
            _element(key, item) if _NAME.match(key) else _element("entry", item, f' key="{_attribute(key)}"')
            for key, item in value.items()
        )
    elif isinstance(value, list):
        inner = "".join(_element("item", item) for item in value)
    elif isinstance(value, bool):
        inner = "true" if value else "false"
    else:
        inner = escape(str(value))
    return f"<{tag}{attribute}>{inner}</{tag}>"


def _attribute(text: str) -> str:
    return escape(text).replace('"', "&quot;").replace("\n", "&#10;")


def sketch(schema: Schema) -> str:
    """The elements inside a value of this schema, with `...` for text: `<item><name>...</name></item>`."""
    return _sketch(schema, schema, 0)


def _sketch(schema: Schema, root: Schema, depth: int) -> str:
    schema = _resolve(schema, root)
    if depth >= _MAX_DEPTH:
        return "..."
    if "properties" in schema:
        parts = ((key, _sketch(inner, root, depth + 1)) for key, inner in schema["properties"].items())
        return "".join(f"<{key}>{inner}</{key}>" for key, inner in parts)
    if isinstance(schema.get("additionalProperties"), Mapping):
        return f'<entry key="...">{_sketch(schema["additionalProperties"], root, depth + 1)}</entry>'
    if schema.get("prefixItems"):
        return "".join(f"<item>{_sketch(inner, root, depth + 1)}</item>" for inner in schema["prefixItems"])
    if schema.get("type") == "array":
        return f"<item>{_sketch(schema.get('items') or {}, root, depth + 1)}</item>"
    return "..."


def _resolve(schema: Schema, root: Schema) -> Schema:
    """Follow references, and of alternatives take the first that is not null."""
    for _ in range(16):
        if "$ref" in schema:
            target: Any = root
            for step in str(schema["$ref"]).removeprefix("#").strip("/").split("/"):
                target = target[step] if step else target
            schema = target
        elif "anyOf" in schema or "oneOf" in schema:
            options = schema.get("anyOf") or schema["oneOf"]
            schema = next((option for option in options if option.get("type") != "null"), {})
        elif len(schema.get("allOf", ())) == 1:
            schema = schema["allOf"][0]
        else:
            break
    return schema


def from_xml(content: str, schema: Schema) -> Any:
    """The JSON value of an element's content; `content` itself where that is not well-formed XML.

    Args:
        content: what stands between the tags.
        schema: of the value; it decides between list and mapping, and what an empty element means.
    """
    from xml.etree import ElementTree

    # No document type can stand inside an element, so no entity can be declared that grows without bound.
    try:
        element = ElementTree.fromstring(f"<value>{_BARE_AMPERSAND.sub('&amp;', content)}</value>")
    except ElementTree.ParseError:
        return content
    return _value(element, schema, schema)


def _value(element: Any, schema: Schema, root: Schema) -> Any:
    children = list(element)
    text = (element.text or "").strip()
    options = _alternatives(schema, root)
    if not children and not text and any(option.get("type") == "null" for option in options):
        return None
    shape = _fitting(options, bool(children))
    if text and not children:
        if shape.get("type") == "array" and text[0] not in "[{":  # the only item, without an element
            return [_value(element, _first_item(shape, root), root)]
        return _leaf(element.text, shape.get("type"))
    if "properties" in shape or shape.get("type") == "object":
        known = shape.get("properties", {})
        other = shape.get("additionalProperties")
        return {key: _value(child, known.get(key, other), root) for key, child in map(_keyed, children)}
    if shape.get("type") == "array":
        if all(child.tag in _first_item(shape, root).get("properties", {}) for child in children):
            return [_value(element, _first_item(shape, root), root)] if children else []
        items = itertools.chain(shape.get("prefixItems", ()), itertools.repeat(shape.get("items")))
        return [_value(child, item, root) for child, item in zip(children, items, strict=False)]
    return _untyped(element) if children else element.text or ""


def _first_item(shape: Schema, root: Schema) -> Schema:
    return _resolve((*shape.get("prefixItems", ()), shape.get("items") or {})[0], root)


def _keyed(child: Any) -> tuple[str, Any]:
    return (child.get("key", "entry") if child.tag == "entry" else child.tag), child


def _leaf(text: str, kind: Any) -> Any:
    if text[:1] == "\n":  # written over several lines
        text = text.strip()
    if kind in ("integer", "number", "boolean"):
        value = decode(text.strip().lower())
        return text if value is ABSENT else value
    return text


def _alternatives(schema: Any, root: Schema) -> list[Schema]:
    if not isinstance(schema, Mapping):  # nothing is said about it
        return [{}]
    options = schema.get("anyOf") or schema.get("oneOf")
    if options is None:
        return [_resolve(schema, root)]
    return [inner for option in options for inner in _alternatives(option, root)]


def _fitting(options: list[Schema], nested: bool) -> Schema:
    """The alternative that an element with (or without) children can be."""
    for option in options:
        if ("properties" in option or option.get("type") in ("object", "array")) is nested:
            return option
    return next((option for option in options if option.get("type") != "null"), {})


def _untyped(element: Any) -> Any:
    children = list(element)
    if not children:
        return element.text or ""
    if all(child.tag == "item" for child in children):
        return [_untyped(child) for child in children]
    return {child.get("key", child.tag): _untyped(child) for child in children}
