"""Answers with nothing to mark the field they give."""

from __future__ import annotations

from typing import Any

from telic.adapters.rendered import AdapterObject, SignatureClass
from telic.errors import AdapterParseError


class Bare(dict[str, Any]):
    """The only output field, read from an answer that was nothing but its value.

    A dict of a class of its own, so that those who ask for the form to be kept can tell.
    """

    __slots__ = ()


def unmarked(adapter: AdapterObject, signature: SignatureClass, text: str) -> AdapterParseError:
    """The error for such an answer where the form must be kept."""
    (name,) = signature.output_fields
    wrong = f"nothing in the answer marks '{name}'."
    return AdapterParseError(type(adapter).__name__, signature, text, wrong, {}, missing=(name,))
