"""What a streamed program yields."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from telic.types.chunk import Chunk


@dataclass
class StreamResponse:
    """What an output field grew by.

    Attributes:
        predict_name: path of the predictor in the program, such as `extract.predict`; `self` where the
            program is a predictor.
        signature_field_name: the output field.
        chunk: to be appended; all chunks of a text field together are its value. For a field of a type that
            streams natively, what the type makes of a chunk.
        is_last_chunk: the field is complete.
        value: of a listener with `partial=True`, the field's value so far, as JSON data.
    """

    predict_name: str | None
    signature_field_name: str
    chunk: Any
    is_last_chunk: bool
    value: Any = field(default=None, repr=False)


@dataclass
class StatusMessage:
    """What the program is doing.

    Attributes:
        message: for people.
    """

    message: str


@dataclass(frozen=True)
class StreamChunk:
    """A chunk of an LM's answer, as it came; what a program without listeners yields.

    Attributes:
        predict_name: path of the predictor that asked.
        predict_id: `id` of it.
        chunk: what arrived.
    """

    predict_name: str
    predict_id: int
    chunk: Chunk

    @property
    def text(self) -> str:
        """The text in it."""
        return self.chunk.text

    @property
    def choices(self) -> list[Any]:
        """OpenAI-shaped: `choices[0].delta.content`."""
        return self.chunk.choices

    @property
    def model(self) -> str:
        """The model as the provider names it."""
        return self.chunk.model

    def to_json(self) -> dict[str, Any]:
        """In OpenAI's shape, with the predictor's path."""
        return {**self.chunk.to_json(), "predict_name": self.predict_name, "predict_id": self.predict_id}

    def json(self) -> str:
        """`to_json` as text."""
        from telic._json import dumps

        return dumps(self.to_json())
