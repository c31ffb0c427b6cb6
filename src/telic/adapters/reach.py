"""Whether values of a type can have pictures, files and other custom types in them."""

from __future__ import annotations

import dataclasses
import enum
import typing
from typing import Any, Literal, TypeAlias

from telic.adapters.kinds import is_custom

Reach: TypeAlias = Literal["none", "some", "any"]
"""Whether values of a type have values of custom types in them: never, by the type, or maybe."""

_CLOSED = (str, int, float, bool, bytes, type(None), enum.Enum)


def reach_of(annotation: Any) -> Reach:
    """Look through containers, models, dataclasses and typed dicts."""
    return _reach(annotation, set())


def _reach(annotation: Any, seen: set[int]) -> Reach:
    if id(annotation) in seen:
        return "none"
    seen.add(id(annotation))
    if annotation is str:  # any value may be given where text is asked for
        return "any"
    inner = _inside(annotation)
    if inner is None:
        return "some" if is_custom(annotation) else "none" if _is_closed(annotation) else "any"
    found = {"none" if part is str else _reach(part, seen) for part in inner}
    return "some" if "some" in found else "any" if "any" in found else "none"


def _inside(annotation: Any) -> list[Any] | None:
    """The types that a type is made of; `None` for one that is made of none."""
    if not isinstance(annotation, type) and hasattr(annotation, "__value__"):
        return [annotation.__value__]
    if typing.get_origin(annotation) is Literal:
        return []
    arguments = typing.get_args(annotation)
    if arguments:
        return [argument for argument in arguments if argument is not Ellipsis]
    if not isinstance(annotation, type) or is_custom(annotation):
        return None
    fields = getattr(annotation, "model_fields", None)
    if fields is not None:
        return [field.annotation for field in fields.values()]
    if dataclasses.is_dataclass(annotation):
        return [field.type for field in dataclasses.fields(annotation)]
    if hasattr(annotation, "__total__"):
        return list(annotation.__annotations__.values())
    return None


def _is_closed(annotation: Any) -> bool:
    if annotation is None:
        return True
    return isinstance(annotation, type) and annotation is not object and issubclass(annotation, _CLOSED)
