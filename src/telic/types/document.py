"""Documents that a model may quote from."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import model_validator

import telic.types.media as media
from telic.errors import InputError
from telic.types.base_type import Type
from telic.types.parts import Part


class Document(Type):
    """A document given to a model that can cite natively.

    Attributes:
        data: the text; base64 where it is a PDF file.
        title: what the model knows it by.
        media_type: `text/plain` or `application/pdf`.
        context: what the model is told about it but does not quote.
    """

    data: str
    title: str | None = None
    media_type: Literal["text/plain", "application/pdf"] = "text/plain"
    context: str | None = None

    def format(self) -> list[Part]:
        """One `document` part with citations on."""
        kind = "text" if self.media_type == "text/plain" else "base64"
        part: Part = {
            "type": "document",
            "source": {"type": kind, "media_type": self.media_type, "data": self.data},
            "citations": {"enabled": True},
        }
        part.update({name: getattr(self, name) for name in ("title", "context") if getattr(self, name)})
        return [part]

    @classmethod
    def description(cls) -> str:
        """What a document is."""
        return "A document whose text may be quoted and cited as a source."

    @model_validator(mode="before")
    @classmethod
    def validate_input(cls, data: Any) -> Any:
        """A document from its text, or from a dict of the fields."""
        if isinstance(data, Document):
            return {name: getattr(data, name) for name in cls.model_fields}
        if isinstance(data, str):
            return {"data": data}
        if isinstance(data, dict):
            return data
        raise InputError(f"Document: a text or a dict with `data` is needed, not {data!r:.100}.")

    def __repr__(self) -> str:
        title = f"{self.title!r}, " if self.title else ""
        size = (
            media.readable_size(len(self.data.encode("utf-8", "replace")))
            if self.media_type == "text/plain"
            else media.describe(self.data)
        )
        return f"Document({title}{self.media_type}, {size})"
