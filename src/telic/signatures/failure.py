"""What is raised when a value does not fit its field."""

from __future__ import annotations

import json
from typing import Any

_LONGEST_SHOWN = 160


class ValidationFailure(ValueError):
    """A value does not fit its field. The message is short, so that it can be shown to a model.

    Attributes:
        field: the field's name.
        expected: its type, as people write it.
        received: the value that does not fit.
        reason: precisely why.
    """

    def __init__(self, field: str, expected: str, received: Any, reason: str) -> None:
        super().__init__(field, expected, received, reason)
        self.field = field
        self.expected = expected
        self.received = received
        self.reason = reason

    def __str__(self) -> str:
        return f"'{self.field}' must be {self.expected}, but was {shown(self.received)}: {self.reason}"


class Unfit(Exception):
    """Raised by the readers, which do not know for which field they read; the message is the reason."""


def shown(value: Any, longest: int = _LONGEST_SHOWN) -> str:
    """A value for a person or a model to read, cut in the middle where it is long."""
    text = json.dumps(value) if value is None or isinstance(value, bool) else repr(value)
    if len(text) <= longest:
        return text
    half = longest // 2 - 2
    return f"{text[:half]} … {text[-half:]}"
