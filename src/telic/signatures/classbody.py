"""Reading the body of a signature class."""

from __future__ import annotations

import sys
import types
import typing
from typing import Any

from telic.errors import SignatureError
from telic.signatures.field import MISSING, Field


def fields_of_body(
    name: str, bases: tuple[type, ...], namespace: dict[str, Any]
) -> tuple[list[Field], str | None]:
    """Take the fields out of a class body, after those of the base classes.

    A field that a base has too takes its place. Methods, class variables and private names stay in the body.

    Returns:
        The fields in order, and the instructions: the docstring, else those of the nearest base with its own.

    Raises:
        SignatureError: a typed name is neither `InputField()` nor `OutputField()`, a type cannot be resolved,
            or there are input fields but no output field.
    """
    merged: dict[str, Field] = {}
    for base in reversed(bases):
        merged.update(getattr(base, "_fields", ()))
    annotations = _annotations(name, namespace)
    _check_typed(name, annotations, namespace)
    for key, value in list(namespace.items()):
        if isinstance(value, Field):
            changes: dict[str, Any] = {"name": key}
            if key in annotations:
                changes["annotation"] = annotations[key]
            merged[key] = value.replace(**changes)
            del namespace[key]
    if merged and not any(field.role == "output" for field in merged.values()):
        raise SignatureError(
            f"The signature {name} has no output field. Say what the model shall write: "
            "answer: str = OutputField()."
        )
    instructions = namespace.get("__doc__")
    if bases and not (instructions and instructions.strip()):
        instructions = next(
            (
                getattr(base, "_instructions", None)
                for base in bases
                if getattr(base, "_own_instructions", False)
            ),
            None,
        )
    return list(merged.values()), instructions if bases else None


def _annotations(name: str, namespace: dict[str, Any]) -> dict[str, Any]:
    """The annotations, those written as text (or under `from __future__ import annotations`) resolved."""
    raw: dict[str, Any] = namespace.get("__annotations__", {})
    if not raw and "__annotate_func__" in namespace:  # Python 3.14 evaluates them when asked
        raw = namespace["__annotate_func__"](1)
    if not any(isinstance(value, (str, typing.ForwardRef)) for value in raw.values()):
        return raw
    # The caller of the metaclass is the code that holds the `class` statement.
    frame = sys._getframe(3)
    module = sys.modules.get(namespace.get("__module__", ""))
    known = {**frame.f_globals, **(vars(module) if module else {})}
    carrier = type(name, (), {"__annotations__": dict(raw), "__module__": namespace.get("__module__", "")})
    try:
        return typing.get_type_hints(carrier, known, {**frame.f_locals, **namespace}, include_extras=True)
    except (NameError, SyntaxError, TypeError, AttributeError) as error:
        raise SignatureError(
            f"The types of {name} cannot be resolved: {error}. Define or import them before the signature."
        ) from error


def _check_typed(name: str, annotations: dict[str, Any], namespace: dict[str, Any]) -> None:
    for key, annotation in annotations.items():
        if (
            key.startswith("_")
            or typing.get_origin(annotation) is typing.ClassVar
            or annotation is typing.ClassVar
        ):
            continue
        value = namespace.get(key, MISSING)
        if isinstance(value, (Field, types.FunctionType, property, classmethod, staticmethod)):
            continue
        raise SignatureError(
            f"'{key}' in {name} has a type but is no field: write {key}: ... = InputField() "
            "or OutputField(), or mark it as ClassVar."
        )
