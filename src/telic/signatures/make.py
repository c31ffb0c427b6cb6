"""Signatures from strings and dicts."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from telic.errors import SignatureError
from telic.signatures.field import MISSING, Field
from telic.signatures.grammar import Parsed, ParsedField, parse
from telic.signatures.meta import SignatureMeta, assemble
from telic.signatures.signature import Signature
from telic.signatures.types_in_text import Lookup, frame_lookup, free_names, read_type


def make_signature(
    signature: str | Mapping[str, Any],
    instructions: str | None = None,
    signature_name: str = "StringSignature",
    custom_types: Mapping[str, Any] | None = None,
) -> type[Any]:
    """Make a signature.

    Args:
        signature: `"question, context: list[str] -> answer: int"`, or a dict of name to `InputField()` or
            `OutputField()`, or to `(type, field)`. Types in a string are built-in and `typing` names,
            `custom_types`, and names that the caller (or its callers) can see; the default is `str`.
        instructions: what the model is told to do; by default a sentence that names the fields.
        signature_name: name of the class.
        custom_types: types by the names that the string uses.

    Raises:
        SignatureSyntaxError: the string does not parse; the message points at the column.
        SignatureError: anything else that cannot be: a bad name, no output field, ….
    """
    if isinstance(signature, str):
        return _from_string(signature, instructions, signature_name, custom_types)
    if isinstance(signature, Mapping):
        return _from_dict(signature, instructions, signature_name)
    raise SignatureError(
        f"A signature is made from a string or a dict of fields, not from {type(signature).__name__}: "
        f"{signature!r:.100}"
    )


def ensure_signature(signature: Any, instructions: str | None = None) -> Any:
    """Make a signature of a string, pass a signature through (and `None`).

    Raises:
        SignatureError: `signature` is neither, or it is a signature class and `instructions` are given too.
    """
    if signature is None:
        return None
    if isinstance(signature, SignatureMeta):
        if instructions is not None:
            raise SignatureError(
                f"{signature.__name__} has its instructions; to change them use with_instructions(...)."
            )
        return signature
    return make_signature(signature, instructions)


def _from_string(
    text: str, instructions: str | None, name: str, custom_types: Mapping[str, Any] | None
) -> type[Signature]:
    parsed = parse(text)
    free = _free_names(parsed)
    if custom_types:
        # A custom type may have the name of a built-in one.
        free = (*free, *(key for key in custom_types if key not in free and key in text))
    if not free:
        return _build(text, instructions, name, ())
    lookup = frame_lookup(custom_types, 3)
    found = []
    for key in free:
        try:
            found.append((key, lookup(key)))
        except KeyError:
            continue  # `read_type` says where it stands, or knows it
    try:
        return _build(text, instructions, name, tuple(found))
    except TypeError as error:
        if "unhashable" not in str(error):
            raise
        return _build.__wrapped__(text, instructions, name, tuple(found))


@lru_cache(maxsize=1024)
def _free_names(parsed: Parsed) -> tuple[str, ...]:
    names = [
        name for side in parsed for field in side if field.type_text for name in free_names(field.type_text)
    ]
    return tuple(dict.fromkeys(names))


@lru_cache(maxsize=1024)
def _build(
    text: str, instructions: str | None, name: str, types: tuple[tuple[str, Any], ...]
) -> type[Signature]:
    """Signatures are immutable, so that the same text with the same types is one class."""
    parsed = parse(text)
    lookup = dict(types).__getitem__
    fields = [_field("input", field, text, lookup) for field in parsed.inputs]
    fields += [_field("output", field, text, lookup) for field in parsed.outputs]
    return _made(name, fields, instructions)


def _field(role: Any, parsed: ParsedField, text: str, lookup: Lookup) -> Field:
    if parsed.type_text is None:
        return Field(role, parsed.name)
    kind = read_type(parsed.type_text, lookup, whole=text, column=parsed.type_column)
    return Field(role, parsed.name, kind)


def _from_dict(rows: Mapping[str, Any], instructions: str | None, name: str) -> type[Signature]:
    fields = []
    for key, row in rows.items():
        kind, field = row if isinstance(row, tuple) and len(row) == 2 else (MISSING, row)
        if not isinstance(field, Field) or not isinstance(key, str):
            raise SignatureError(
                f"'{key}' must be InputField() or OutputField(), or a pair (type, field), not {row!r:.100}."
            )
        fields.append(
            field.replace(name=key) if kind is MISSING else field.replace(name=key, annotation=kind)
        )
    return _made(name, fields, instructions)


def _made(name: str, fields: list[Field], instructions: str | None) -> type[Signature]:
    if not any(field.role == "output" for field in fields):
        raise SignatureError(
            f"The signature {name} has no output field: nothing would be asked of the model."
        )
    if not name.isidentifier():
        raise SignatureError(f"{name!r} cannot name a signature: it is not a Python identifier.")
    made: Any = assemble(
        name, fields, instructions, bases=(Signature,), namespace={"__module__": "telic.signatures.made"}
    )
    return made  # type: ignore[no-any-return]


SignatureMeta._maker = staticmethod(make_signature)
