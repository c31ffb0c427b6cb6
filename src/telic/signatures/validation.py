"""Values against fields: what a model wrote becomes what the signature says.

    validate(field, value)    the value in the field's type, read tolerantly; `ValidationFailure` says why not
    to_jsonable(value)        the way back
    json_schema(field)        for engines that can hold the model to it; `object_schema` for all output fields

pydantic is imported when the first value is validated that is no text, number, truth value or choice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telic.signatures.failure import Unfit, ValidationFailure
from telic.signatures.field import Field
from telic.signatures.jsonable import to_jsonable
from telic.signatures.reading import reader_of
from telic.signatures.schema import json_schema, object_schema
from telic.signatures.typenames import type_name

if TYPE_CHECKING:
    from pydantic import TypeAdapter

__all__ = [
    "ValidationFailure",
    "json_schema",
    "object_schema",
    "to_jsonable",
    "type_name",
    "validate",
    "validator",
]


def validate(field: Field, value: Any) -> Any:
    """Give `value` the field's type and hold it to the field's constraints.

    Args:
        field: the field it is for.
        value: what a model wrote, as text or as data parsed from JSON.

    Raises:
        ValidationFailure: it does not fit; the message names field, type, value and reason.
        SignatureError: the field's type cannot be validated at all.
    """
    if type(value) is str and field.annotation is str and not field.constraints:
        return value
    reader = field._reader
    if reader is None:
        reader = reader_of(field.annotation, field.constraints)
        object.__setattr__(field, "_reader", reader)
    try:
        return reader(value)
    except Unfit as problem:
        expected = type_name(field.annotation)
        if field.constraints:
            expected += f" ({field.constraint_text})"
        raise ValidationFailure(field.name, expected, value, str(problem)) from problem


def validator(field: Field) -> TypeAdapter[Any]:
    """The pydantic validator of a field's type and constraints, built at first use.

    Raises:
        SignatureError: pydantic cannot validate the type.
    """
    from telic.signatures.pydantic_types import adapter_of

    return adapter_of(field.annotation, field.constraints)
