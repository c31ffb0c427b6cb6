"""Readers of lists, dicts, models, dataclasses, dates and whatever else pydantic validates."""

from __future__ import annotations

import collections.abc
import dataclasses
import typing
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from telic.signatures.failure import Unfit
from telic.signatures.jsontext import readings
from telic.signatures.pydantic_types import checked

Reader: TypeAlias = Callable[[Any], Any]
"""From a value to the value in its type; raises `Unfit`."""
ReaderOf: TypeAlias = Callable[[Any], Reader]
"""From a type to its reader."""

_LISTS = (list, set, frozenset, collections.abc.Sequence, collections.abc.Set, collections.abc.Iterable)
_DICTS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)


def structure_reader(annotation: Any, reader_of: ReaderOf) -> Reader:
    """The reader of a type that is neither a scalar, a choice nor a union; `reader_of` reads its parts."""
    origin = typing.get_origin(annotation) or annotation
    container = origin in _LISTS or origin in _DICTS or origin is tuple

    def fit(value: Any) -> Any:
        try:
            return checked(annotation, {}, value)
        except Unfit as first:
            mended = _mended(annotation, value, reader_of)
            if mended is value:
                raise
            try:
                return checked(annotation, {}, mended)
            except Unfit as second:
                raise second from first

    def read(value: Any) -> Any:
        return _from_text(value, fit, container) if isinstance(value, str) else fit(value)

    return read


def _from_text(text: str, fit: Reader, container: bool) -> Any:
    problem: Unfit | None = None
    if not container:
        # Dates, paths and types with a reader of their own take text as it is.
        for bare in dict.fromkeys((text, text.strip(" \t\r\n\"'`*."))):
            try:
                return fit(bare)
            except Unfit as error:
                problem = problem or error
    parsed = False
    for value in readings(text):
        if isinstance(value, str):
            continue
        try:
            return fit(value)
        except Unfit as error:
            # Why structured data does not fit says more than why text is not a structure.
            problem = problem if parsed else error
            parsed = True
    if problem is None:
        raise Unfit("not valid JSON of that type")
    raise problem


def _mended(annotation: Any, value: Any, reader_of: ReaderOf) -> Any:
    """`value` with its parts read tolerantly; the same object where nothing is to be done."""

    def soft(kind: Any, part: Any) -> Any:
        try:
            return part if kind is Any else reader_of(kind)(part)
        except Unfit:
            return part  # pydantic will say what is wrong with it, and where

    origin = typing.get_origin(annotation) or annotation
    arguments = typing.get_args(annotation)
    if origin is tuple and isinstance(value, (list, tuple)) and arguments:
        kinds = arguments
        if len(kinds) == 2 and kinds[1] is Ellipsis:
            kinds = (kinds[0],) * len(value)
        return [soft(kind, item) for kind, item in zip(kinds, value, strict=False)] + list(
            value[len(kinds) :]
        )
    if origin in _LISTS and arguments and isinstance(value, (list, tuple, set, frozenset)):
        return [soft(arguments[0], item) for item in value]
    if origin in _DICTS and len(arguments) == 2 and isinstance(value, Mapping):
        return {soft(arguments[0], key): soft(arguments[1], item) for key, item in value.items()}
    kinds_by_name = _members(annotation)
    if kinds_by_name and isinstance(value, Mapping):
        keys = _matched_keys(value, kinds_by_name)
        return {keys[key]: soft(kinds_by_name.get(keys[key], Any), item) for key, item in value.items()}
    return value


def _members(annotation: Any) -> dict[str, Any]:
    """Names and types of the members of a model, dataclass or TypedDict; empty for anything else."""
    fields = getattr(annotation, "model_fields", None)
    if isinstance(fields, Mapping):
        return {
            (field.alias if isinstance(field.alias, str) else name): field.annotation
            for name, field in fields.items()
        }
    if isinstance(annotation, type) and (
        dataclasses.is_dataclass(annotation) or hasattr(annotation, "__total__")
    ):
        try:
            return typing.get_type_hints(annotation)
        except NameError:  # names a class of a scope that is gone
            return {}
    return {}


def _matched_keys(value: Mapping[str, Any], names: Mapping[str, Any]) -> dict[str, str]:
    """Keys to the members they mean: one in other case or with spaces stands for a member that is absent."""
    absent = {_plain_key(name): name for name in names if name not in value}
    return {key: key if key in names else absent.get(_plain_key(key), key) for key in value}


def _plain_key(key: Any) -> str:
    return str(key).strip().casefold().replace(" ", "_").replace("-", "_")
