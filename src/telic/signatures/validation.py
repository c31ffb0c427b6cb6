"""Values against fields: what a model wrote becomes what the signature says."""

from __future__ import annotations

from typing import Any

from telic.signatures.field import Field


def validate(field: Field, value: Any) -> Any:
    """Give `value` the type of `field`."""
    if type(value) is str and field.annotation is str and not field.constraints:
        return value
    from pydantic import TypeAdapter

    return TypeAdapter(field.annotation).validate_python(value)
