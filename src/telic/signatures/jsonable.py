"""Values as JSON, such that `validate` reads them back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from telic._json import plain

_SCALARS = frozenset({str, int, float, bool, type(None)})


def to_jsonable(value: Any) -> Any:
    """Turn a value into JSON data: models, dataclasses, enums, dates, sets, tuples, at any depth.

    Mappings get text keys. What is not known becomes its `str`; nothing raises.
    """
    kind = type(value)
    if kind in _SCALARS:
        return value
    if kind is list or kind is tuple:
        return [to_jsonable(item) for item in value]
    if kind is dict:
        return {_key(key): to_jsonable(item) for key, item in value.items()}
    return _uncommon(value)


def _key(key: Any) -> str:
    if isinstance(key, str) and type(key) is str:
        return key
    if key is None or isinstance(key, bool):
        return {None: "null", True: "true", False: "false"}[key]
    return str(to_jsonable(key))


def _uncommon(value: Any) -> Any:
    import dataclasses
    import datetime
    import enum
    import pathlib

    if isinstance(value, enum.Enum):
        return to_jsonable(value.value)
    if isinstance(value, type):
        return plain(value)
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json", by_alias=True)
    if hasattr(value, "toDict"):
        return to_jsonable(value.toDict())
    if dataclasses.is_dataclass(value):
        return {field.name: to_jsonable(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {_key(key): to_jsonable(item) for key, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return [to_jsonable(item) for item in sorted(value, key=repr)]
    if isinstance(value, (list, tuple)):
        return [to_jsonable(item) for item in value]
    for scalar in (str, int, float):  # their subclasses
        if isinstance(value, scalar):
            return scalar(value)
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        return _duration(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, pathlib.PurePath):
        return str(value)
    return str(value)


def _duration(value: Any) -> str:
    """ISO 8601, in seconds, exact to the microsecond."""
    import datetime

    microseconds = value // datetime.timedelta(microseconds=1)
    sign = "-" if microseconds < 0 else ""
    seconds, rest = divmod(abs(microseconds), 1_000_000)
    return f"{sign}PT{seconds}.{rest:06d}S"
