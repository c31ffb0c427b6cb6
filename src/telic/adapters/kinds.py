"""How a type is written and read in plain text: the few kinds that adapters tell apart."""

from __future__ import annotations

import enum
import re
import sys
import types
import typing
from typing import Any, Final

TEXT: Final = "text"
"""`str`: the text itself."""
CHOICE: Final = "choice"
"""`Literal` and enums: one of a few words."""
BOOLEAN: Final = "boolean"
INTEGER: Final = "integer"
NUMBER: Final = "number"
WORD: Final = "word"
"""Dates, times, decimals, UUIDs, paths: one word whose spelling the type decides."""
DATA: Final = "data"
"""Lists, mappings, models, unions: written as JSON."""
ANY: Final = "any"
"""`Any`, `object`: text or JSON, whichever it is."""

SCALARS: Final = frozenset({CHOICE, BOOLEAN, INTEGER, NUMBER, WORD})
"""Kinds that always fit on one line."""

_WORD_MODULES = frozenset({"datetime", "decimal", "uuid", "pathlib", "fractions", "ipaddress"})
_NOT_LETTERS = re.compile(r"[\W_]+")


def unwrap(annotation: Any) -> tuple[Any, bool]:
    """Strip `Annotated`, aliases and `None`.

    Returns:
        The type that is left, and whether `None` is allowed beside it.
    """
    none_allowed = False
    while True:
        origin = typing.get_origin(annotation)
        if origin is typing.Annotated:
            annotation = typing.get_args(annotation)[0]
        elif origin is typing.Union or origin is types.UnionType:
            members = typing.get_args(annotation)
            others = tuple(member for member in members if member is not types.NoneType)
            if len(others) == len(members):
                return annotation, none_allowed
            none_allowed = True
            if len(others) != 1:
                return typing.Union[others], True  # noqa: UP007 - built from a tuple
            annotation = others[0]
        elif hasattr(annotation, "__supertype__"):
            annotation = annotation.__supertype__
        elif hasattr(annotation, "__value__") and not isinstance(annotation, type):
            annotation = annotation.__value__
        else:
            return annotation, none_allowed


def kind_of(annotation: Any) -> str:
    """The kind of an unwrapped type."""
    if annotation is str:
        return TEXT
    if annotation is Any or annotation is object:
        return ANY
    if typing.get_origin(annotation) is typing.Literal:
        return CHOICE
    if not isinstance(annotation, type) or typing.get_origin(annotation) is not None:
        return DATA
    if issubclass(annotation, enum.Enum):
        return CHOICE
    for base, kind in _BUILTIN_KINDS:
        if issubclass(annotation, base):
            return kind
    if is_custom(annotation):  # code and reasoning are texts
        return TEXT if _shape_of(annotation) == "string" else DATA
    return WORD if annotation.__module__.partition(".")[0] in _WORD_MODULES else DATA


_BUILTIN_KINDS: Final = ((bool, BOOLEAN), (int, INTEGER), (float, NUMBER), (str, TEXT))


def _shape_of(annotation: Any) -> Any:
    return annotation.model_json_schema().get("type")


def is_custom(annotation: Any) -> bool:
    """Whether it is a class that knows how its values are shown: `telic.types.Type` or one derived from it.

    Such a class exists only where its base is loaded, so pydantic is not loaded for the question.
    """
    known = sys.modules.get("telic.types.base_type")
    return known is not None and isinstance(annotation, type) and issubclass(annotation, known.Type)


def is_history(annotation: Any) -> bool:
    """Whether values are the earlier turns of a conversation: `telic.types.History`, or a type that says
    `is_history = True` and has `messages`.
    """
    if getattr(annotation, "is_history", False) is True:
        return True
    known = sys.modules.get("telic.types.history")
    return known is not None and isinstance(annotation, type) and issubclass(annotation, known.History)


def choices_of(annotation: Any) -> tuple[Any, ...]:
    """The values of a `Literal` or an enum, in order; enum members as members. Empty for other types."""
    if typing.get_origin(annotation) is typing.Literal:
        return tuple(typing.get_args(annotation))
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return tuple(annotation)
    return ()


def choice_text(value: Any) -> str:
    """A choice as it is shown to a model and expected back."""
    return str(value.value) if isinstance(value, enum.Enum) else str(value)


def squeeze(text: str) -> str:
    """`text` without case, spaces and punctuation, for comparing names and labels tolerantly."""
    return _NOT_LETTERS.sub("", text.casefold())
