"""Fields as DSPy had them before signatures were typed."""

from __future__ import annotations

from typing import Any


class OldField:
    """A prefix and a description, completed by `finalize` when the field's name is known.

    Args:
        prefix: its label in a prompt.
        desc: what is said about it.
        input: whether the caller gives it.
        format: makes text of its value.
    """

    def __init__(
        self, *, prefix: str | None = None, desc: str | None = None, input: bool, format: Any = None
    ) -> None:
        self.prefix = prefix
        self.desc = desc
        self.format = format

    def finalize(self, key: str, inferred_prefix: str) -> None:
        """Fill in what was not said."""
        self.prefix = self.prefix or f"{inferred_prefix}:"
        self.desc = self.desc or f"${{{key}}}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}(prefix={self.prefix}, desc={self.desc})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OldField) and vars(self) == vars(other)

    __hash__ = object.__hash__


class OldInputField(OldField):
    """A field that the caller gives."""

    def __init__(self, *, prefix: str | None = None, desc: str | None = None, format: Any = None) -> None:
        super().__init__(prefix=prefix, desc=desc, input=True, format=format)


class OldOutputField(OldField):
    """A field that the model writes."""

    def __init__(self, *, prefix: str | None = None, desc: str | None = None, format: Any = None) -> None:
        super().__init__(prefix=prefix, desc=desc, input=False, format=format)
