"""Examples as short texts, as a proposing model is shown them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from telic._json import dumps
from telic.signatures.validation import to_jsonable

_LONGEST_VALUE = 500
"""Characters of one value of an example that are shown: a proposal needs the kind, not the whole."""


def example_text(values: Mapping[str, Any]) -> str:
    """The fields of an example in one line: lists are shown as JSON, where a new line is noise."""
    shown = {name: to_jsonable(value) for name, value in values.items() if name != "augmented"}
    return " | ".join(f"{name}: {_value(value)}" for name, value in shown.items())


def clipped(text: str, most: int) -> str:
    """At most `most` characters of a text."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _value(value: Any) -> str:
    return clipped(value if isinstance(value, str) else dumps(value), _LONGEST_VALUE)
