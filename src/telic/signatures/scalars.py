"""Text, numbers and truth values, as small models write them.

What is accepted can only be meant one way: `42.`, `1,234`, `$12.50`, `**7**`, `Yes.`. What could be meant
otherwise (`12 %`, `5 thousand`, `3 of 4`) is refused, so that the model is asked again.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Any

from telic.signatures.choices import Choices
from telic.signatures.failure import Unfit

# A number with an optional currency sign on either side; thousands are separated properly or not at all.
_NUMBER = re.compile(
    r"=?\s*([+-]?)[$€£¥₹]?\s*([+-]?)((?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]*)?|\.[0-9]+)"
    r"([eE][+-]?[0-9]{1,4})?\s*[$€£¥₹]?"
)
_DECORATION = " \t\r\n\"'`*_“”‘’"


def read_str(value: Any) -> str:
    """Text; numbers and structures (read from JSON) become the text that stood there."""
    if isinstance(value, str):
        return value
    if value is None:
        raise Unfit("null is not text")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    from telic._json import dumps
    from telic.signatures.jsonable import to_jsonable

    plain = to_jsonable(value)
    return plain if isinstance(plain, str) else dumps(plain)


def read_int(value: Any) -> int:
    """A whole number; text and `3.0` are taken, truth values are not."""
    if type(value) is int:
        return value
    if isinstance(value, str):
        text = _number_text(value)
        if text.lstrip("+-").isdecimal():
            return _int_of(text)
        value = _float_of(text)
    if isinstance(value, (float, Decimal)) and not isinstance(value, bool):
        if math.isfinite(value) and value == int(value):
            return int(value)
        raise Unfit("not a whole number")
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    raise Unfit(f"{_kind(value)} is not a whole number")


def read_float(value: Any) -> float:
    """A finite number; text is taken, truth values are not."""
    if isinstance(value, str):
        value = _float_of(_number_text(value))
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            raise Unfit("the number is too large") from None
        if math.isfinite(number):
            return number
        raise Unfit("not a finite number")
    raise Unfit(f"{_kind(value)} is not a number")


def read_decimal(value: Any) -> Decimal:
    """A finite decimal number, exactly as written."""
    if isinstance(value, str):
        return Decimal(_number_text(value))
    if isinstance(value, Decimal) and value.is_finite():
        return value
    return Decimal(repr(read_float(value)) if isinstance(value, float) else read_int(value))


def read_bool(value: Any) -> bool:
    """True or false; `yes`, `no`, `1`, `0` and the like are taken, with an explanation after them too."""
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, float)) and value in (0, 1):
        return bool(value)
    if isinstance(value, str):
        return bool(_TRUTH.find(value))
    raise Unfit(f"{_kind(value)} is neither true nor false")


def read_none(value: Any) -> None:
    """Nothing."""
    if value is not None and not (isinstance(value, str) and is_null_text(value)):
        raise Unfit("must be null")


def is_null_text(text: str) -> bool:
    """Whether text says that there is no value."""
    return text.strip(_DECORATION + ".").casefold() in ("", "none", "null", "n/a")


def _number_text(text: str) -> str:
    """The number in `text` as Python reads it."""
    bare = text.strip(_DECORATION).rstrip(".,;!").strip(_DECORATION).replace("−", "-")
    match = _NUMBER.fullmatch(bare)
    if match is None:
        raise Unfit("not a plain number")
    outer, inner, digits, exponent = match.groups()
    if outer and inner:
        raise Unfit("not a plain number")
    return f"{outer or inner}{digits.replace(',', '')}{exponent or ''}"


def _int_of(text: str) -> int:
    try:
        return int(text)
    except ValueError:  # Python refuses to read thousands of digits
        raise Unfit("the number is too long") from None


def _float_of(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise Unfit("the number is too large")
    return number


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    return {"bool": "a truth value", "dict": "an object", "list": "a list", "str": "text"}.get(
        type(value).__name__, type(value).__name__
    )


_TRUTH = Choices(
    {"true": True, "yes": True, "y": True, "t": True, "on": True, "1": True}
    | {"false": False, "no": False, "n": False, "f": False, "off": False, "0": False},
    leading=("true", "false", "yes", "no"),
    wanted="true or false",
)
