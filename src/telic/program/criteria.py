"""What the options of a decision mean, as a part of a predictor that can be changed and saved."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from typing import Any

from telic.errors import SignatureError


def criteria_of(predictor: Any, name: str) -> Any:
    """What is said about the options of an output; `None` where nothing is.

    Raises:
        SignatureError: it is no output that decides between options.
    """
    field = _field(predictor, name)
    if name in predictor.criteria:
        return predictor.criteria[name]
    if hasattr(field.annotation, "criteria"):
        return field.annotation.criteria()
    return None if field.annotation is bool else {str(value): None for value in _choices(field.annotation)}


def set_criteria(predictor: Any, name: str, criteria: Any) -> None:
    """Say what the options of an output mean.

    A `Choice`, `Score` or `Noul` is declared anew; of a `Literal` or `bool`, the description says it.

    Args:
        predictor: whose output it is.
        name: the output.
        criteria: text by option (`"true"` and `"false"` for yes or no); for a `Score`, texts of its levels.

    Raises:
        SignatureError: it is no such output, or the options are not its own.
    """
    field = _field(predictor, name)
    if not _fits(criteria, criteria_of(predictor, name), field.annotation):
        raise SignatureError(f"'{name}': the criteria must be for the options it has: {criteria!r:.200}.")
    if hasattr(field.annotation, "declared"):
        changes: dict[str, Any] = {"type_": _redeclared(field.annotation, criteria)}
    else:
        told = "; ".join(f"{option}: {text}" for option, text in criteria.items())
        changes = {"desc": f"{_plain_desc(field, predictor.criteria.get(name))} Options: {told}".strip()}
    predictor.signature = predictor.signature.with_updated_fields(name, **changes)
    predictor.criteria = {**predictor.criteria, name: criteria}


def _field(predictor: Any, name: str) -> Any:
    field = predictor.signature.output_fields.get(name)
    if field is None or not (
        hasattr(field.annotation, "declared") or field.annotation is bool or _choices(field.annotation)
    ):
        raise SignatureError(f"'{name}' is no output that decides between options.")
    return field


def _choices(annotation: Any) -> tuple[Any, ...]:
    return typing.get_args(annotation) if typing.get_origin(annotation) is typing.Literal else ()


def _fits(criteria: Any, known: Any, annotation: Any) -> bool:
    if annotation is bool:
        return isinstance(criteria, Mapping) and set(criteria) == {"true", "false"}
    if isinstance(known, list):
        return isinstance(criteria, list) and len(criteria) == len(known)
    return isinstance(criteria, Mapping) and isinstance(known, Mapping) and set(criteria) == set(known)


def _redeclared(annotation: Any, criteria: Any) -> Any:
    base = next(known for known in annotation.__mro__ if "[" not in known.__name__)
    if isinstance(criteria, list):
        return base[tuple(criteria)]
    pairs = tuple((value, criteria[_label(value)]) for value, _ in annotation.declared)
    return base[pairs]


def _label(value: Any) -> str:
    import json

    return value if isinstance(value, str) else json.dumps(value)


def _plain_desc(field: Any, earlier: Any) -> str:
    return str(field.desc).partition(" Options: ")[0] if earlier else str(field.desc)
