"""Values that are still being written, as far as they can be read."""

from __future__ import annotations

import re
from typing import Any

from telic.adapters.kinds import ANY, BOOLEAN, DATA, INTEGER, NUMBER
from telic.adapters.layout import Slot
from telic.adapters.wording import schema_of
from telic.adapters.xml_values import from_xml
from telic.signatures.validation import ValidationFailure, to_jsonable, validate

_TAG = re.compile(r"<(/?)([A-Za-z_][\w.-]*)(?:\s[^<>]*?)?(/?)>")


class PartialValue:
    """The value of one field so far, as JSON data: lists, dicts, texts.

    Args:
        field: the field, as it is declared.
    """

    def __init__(self, field: Any) -> None:
        self._slot = Slot(field)
        self._raw = ""
        self._value: Any = None

    def push(self, text: str, *, last: bool = False) -> Any:
        """Add text; returns the value so far, `None` while there is none.

        A whole value is validated, so that it is what the prediction will hold. Numbers and booleans are
        there when they are whole.
        """
        self._raw += text
        if last:
            self._value = self._whole()
        elif self._slot.kind in (DATA, ANY):
            found = self._so_far()
            self._value = self._value if found is None else found
        elif self._slot.kind not in (BOOLEAN, INTEGER, NUMBER):
            self._value = self._raw
        return self._value

    def _whole(self) -> Any:
        raw: Any = self._raw
        if self._slot.kind is DATA and raw[:1] == "<":
            raw = from_xml(raw, schema_of(self._slot))
        try:
            return to_jsonable(validate(self._slot.field, raw))
        except ValidationFailure:
            return self._value

    def _so_far(self) -> Any:
        raw = self._raw.lstrip()
        if raw[:1] == "<":
            return _from_open_xml(raw, schema_of(self._slot))
        if raw[:1] not in ("{", "["):
            return raw if self._slot.kind is ANY else None
        import jiter

        try:
            return jiter.from_json(raw.encode("utf-8", "surrogatepass"), partial_mode="trailing-strings")
        except ValueError:  # no JSON after all, or damaged
            return None


def _from_open_xml(raw: str, schema: Any) -> Any:
    """The value of nested elements whose end tags have not all come."""
    cut = raw.rfind("<")
    if ">" not in raw[cut:]:
        raw = raw[:cut]
    open_: list[str] = []
    for tag in _TAG.finditer(raw):
        if tag[1]:
            if not open_ or open_.pop() != tag[2]:
                return None
        elif not tag[3]:
            open_.append(tag[2])
    closed = raw + "".join(f"</{name}>" for name in reversed(open_))
    value = from_xml(closed, schema)
    return None if value is closed or value == "" else value
