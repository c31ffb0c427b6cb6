"""Readers of unions and optionals."""

from __future__ import annotations

import types
import typing
from typing import Any

from telic.signatures.failure import Unfit
from telic.signatures.jsontext import readings
from telic.signatures.pydantic_types import checked
from telic.signatures.scalars import is_null_text
from telic.signatures.structures import Reader, ReaderOf
from telic.signatures.typenames import type_name


def union_reader(annotation: Any, reader_of: ReaderOf) -> Reader:
    """The reader of `A | B` and `Optional[A]`; `reader_of` reads the members.

    Text is read as the first member that takes it, `str` coming last and `bool` just before it, because they
    take what others mean. Other values go to pydantic, which picks the member that fits best.
    """
    members = [kind for kind in typing.get_args(annotation) if kind is not types.NoneType]
    optional = len(members) < len(typing.get_args(annotation))
    ordered = sorted(members, key=lambda kind: (kind is str, kind is bool))
    readers = [reader_of(kind) for kind in ordered]
    structured = any(
        typing.get_origin(kind) not in (None, typing.Literal) or _is_model(kind) for kind in members
    )
    reads_null_first = optional and str in members

    def read(value: Any) -> Any:
        if value is None and optional:
            return None
        if isinstance(value, str):
            if reads_null_first and value and is_null_text(value):
                return None
            return _from_text(value)
        if len(members) > 1:
            try:
                return checked(annotation, {}, value)
            except Unfit:
                pass
        return _first(value)

    def _from_text(text: str) -> Any:
        if structured and len(members) > 1:
            # Read once, so that pydantic can compare all members.
            for value in readings(text):
                if isinstance(value, (dict, list)):
                    try:
                        return checked(annotation, {}, value)
                    except Unfit:
                        continue
        try:
            return _first(text)
        except Unfit:
            if optional and is_null_text(text):
                return None
            raise

    def _first(value: Any) -> Any:
        problems = []
        for kind, reader in zip(ordered, readers, strict=True):
            try:
                return reader(value)
            except Unfit as error:
                problems.append(f"as {type_name(kind)}: {error}" if len(ordered) > 1 else str(error))
        raise Unfit("; ".join(problems))

    return read


def _is_model(kind: Any) -> bool:
    return (
        hasattr(kind, "model_fields") or hasattr(kind, "__dataclass_fields__") or hasattr(kind, "__total__")
    )
