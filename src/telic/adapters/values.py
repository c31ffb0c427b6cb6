"""Values as text in a prompt."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from telic.signatures.validation import to_jsonable

_AS_THEY_ARE = (int, float, bool, type(None))


def render_value(value: Any, *, in_text_field: bool = False) -> str:
    """One value as a model is shown it.

    Text, numbers, booleans and `None` as Python prints them; dates, enums and the like by their JSON spelling
    without quotes; everything else as JSON on one line.

    Args:
        value: any value pydantic can turn into JSON.
        in_text_field: the field is a `str`: a list is then a list of passages.
    """
    if type(value) is str:
        return value
    if type(value) in _AS_THEY_ARE:
        return str(value)
    if in_text_field and isinstance(value, list):
        return passages(value)
    plain = to_jsonable(value)
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)


def render_json(value: Any) -> str:
    """One value as JSON on one line."""
    return json.dumps(to_jsonable(value), ensure_ascii=False)


def passages(items: Iterable[Any]) -> str:
    """A list shown in a text field: each item in guillemets, numbered where there are several."""
    quoted = [_quoted(item if type(item) is str else render_value(item)) for item in items]
    if len(quoted) == 1:
        return quoted[0]
    return "\n".join(f"[{number}] {text}" for number, text in enumerate(quoted, 1)) or "N/A"


def _quoted(text: str) -> str:
    if "\n" not in text and "«" not in text and "»" not in text:
        return f"«{text}»"
    # The block form keeps items apart that hold line breaks or guillemets themselves.
    indented = text.replace("\n", "\n    ")
    return f"«««\n    {indented}\n»»»"
