"""`StreamListener`: which output field is wanted while it is written."""

from __future__ import annotations

from typing import Any

from telic.errors import InputError
from telic.streaming.fields.base import FieldReader, Piece
from telic.streaming.messages import StreamResponse
from telic.types.chunk import Chunk


class StreamListener:
    """Wants one output field of one predictor.

    Args:
        signature_field_name: the output field.
        predict: the predictor; needed only where several predictors of the program have such a field.
        predict_name: its path in the program, such as `hops[1].generate`; either of the two is enough.
        allow_reuse: hear every answer of the predictor, as in a loop; otherwise only the first one that has
            the field.
        partial: give the value so far with each response: a list or dict that grows, in `response.value`.
    """

    def __init__(
        self,
        signature_field_name: str,
        predict: Any = None,
        predict_name: str | None = None,
        allow_reuse: bool = False,
        *,
        partial: bool = False,
    ) -> None:
        self.signature_field_name = signature_field_name
        self.predict = predict
        self.predict_name = predict_name
        self.allow_reuse = allow_reuse
        self.partial = partial
        self._reader: FieldReader | None = None
        self._ended = False

    # By hand, for code that has chunks of its own. A streamed program does not change its listeners.

    def receive(self, chunk: Any) -> StreamResponse | None:
        """Read a chunk (`Chunk`, or OpenAI-shaped) of one answer, in the form of the adapter in the settings.

        Returns:
            What the field grew by, or `None`.
        """
        if self._ended and not self.allow_reuse:
            return None
        if not isinstance(chunk, Chunk):
            from telic.lm.openai_shape import chunk_from

            chunk = chunk_from(chunk)
        return self._response(self._following().feed(chunk.text))

    def flush(self) -> str:
        """The text held back, because it might have been no part of the field."""
        return "".join(piece.text for piece in self._finished())

    def finalize(self) -> StreamResponse | None:
        """The last response, if the answer ended within the field."""
        return self._response(self._finished())

    def _following(self) -> FieldReader:
        if self._reader is None:
            from telic.adapters.chat import ChatAdapter
            from telic.runtime.settings import settings
            from telic.signatures import make_signature
            from telic.streaming.fields.choose import reader_for

            signature = getattr(self.predict, "signature", None)
            if signature is None:
                signature = make_signature(f"question -> {self.signature_field_name}")
            self._reader = reader_for(settings.adapter or ChatAdapter(), signature)
            if self._reader is None:
                raise InputError(f"Answers of {settings.adapter!r} cannot be followed chunk by chunk.")
        return self._reader

    def _finished(self) -> list[Piece]:
        reader, self._reader = self._reader, None
        pieces = [] if reader is None else reader.end()
        return [piece for piece in pieces if piece.field == self.signature_field_name]

    def _response(self, pieces: list[Piece]) -> StreamResponse | None:
        own = [piece for piece in pieces if piece.field == self.signature_field_name]
        if not own:
            return None
        self._ended = own[-1].last
        if self._ended:
            self._reader = None
        text = "".join(piece.text for piece in own)
        return StreamResponse(self.predict_name, self.signature_field_name, text, self._ended)

    def __repr__(self) -> str:
        where = f", predict_name={self.predict_name!r}" if self.predict_name else ""
        return f"StreamListener({self.signature_field_name!r}{where})"
