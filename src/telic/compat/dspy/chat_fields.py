"""Small parts of DSPy's adapters that adapters of one's own use."""

from __future__ import annotations

from typing import Any, NamedTuple

from telic.adapters.values import render_value
from telic.signatures.field import Field
from telic.signatures.validation import ValidationFailure, validate


class FieldInfoWithName(NamedTuple):
    """A field and its name, as `format_field_with_value` takes them."""

    name: str
    info: Any


def format_field_value(field_info: Any, value: Any, assume_text: bool = True) -> str | dict[str, Any]:
    """A value as a model is shown it.

    Args:
        field_info: the field; in one of type `str`, a list is a list of passages.
        value: its value.
        assume_text: as text; else as a content part.
    """
    text = render_value(value, in_text_field=field_info.annotation is str)
    return text if assume_text else {"type": "text", "text": text}


def parse_value(value: Any, annotation: Any) -> Any:
    """A value of the type, from what a model wrote.

    Raises:
        ValueError: it does not fit.
    """
    try:
        return validate(Field("output", "value", annotation), value)
    except ValidationFailure as failure:
        raise ValueError(str(failure)) from failure


def get_dspy_field_type(field: Any) -> str:
    """`"input"` or `"output"`.

    Raises:
        ValueError: it is no field of a signature.
    """
    extra = getattr(field, "json_schema_extra", None) or {}
    kind = extra.get("__dspy_field_type")
    if kind is None:
        raise ValueError(f"{field!r} is no field of a signature.")
    return str(kind)
