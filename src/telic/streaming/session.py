"""One call of a streamed program: hears the answers of its predictors, and emits what the listeners want."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from telic._json import dumps
from telic.runtime.scope import AnswerStream
from telic.runtime.settings import settings
from telic.signatures.validation import to_jsonable
from telic.streaming.bind import Bound
from telic.streaming.fields.base import FieldReader, Piece
from telic.streaming.fields.choose import reader_for
from telic.streaming.messages import StreamChunk, StreamResponse
from telic.streaming.partial import PartialValue
from telic.types.chunk import Chunk


class Session:
    """The `StreamSink` of one call.

    Args:
        emit: takes what is to be yielded, from any thread.
        bound: the listeners; `None` to pass every chunk on as it is.
        names: paths of the program's predictors by their identity.

    Attributes:
        emitted: whether any listener heard anything.
    """

    def __init__(
        self, emit: Callable[[Any], None], bound: Sequence[Bound] | None, names: Mapping[int, str]
    ) -> None:
        self.emitted = False
        self._emit = emit
        self._bound = bound
        self._names = names
        self._lock = threading.Lock()
        self._taken: dict[int, Any] = {}
        self._stand_ins: dict[int, tuple[Any, Any]] = {}
        self._recorded: bool = settings.stream_recorded

    def same(self, copy: Any, predictor: Any) -> None:
        """See `StreamSink.same`."""
        # The copy is kept too: otherwise another object could come to have its identity.
        self._stand_ins[id(copy)] = (copy, self._original(predictor))

    def begin(self, predictor: Any, signature: Any, adapter: Any, rendered: Any) -> AnswerStream | None:
        """See `StreamSink.begin`."""
        original = self._original(predictor)
        if self._bound is None:
            name = self._names.get(id(original), type(original).__name__)
            return _Everything(self, name, id(original))
        wanted = [
            Track(self, number, bound, signature)
            for number, bound in enumerate(self._bound)
            if bound.predictor is original and (bound.listener.allow_reuse or number not in self._taken)
        ]
        if not wanted:
            return None
        asked = getattr(rendered, "asked", None) or signature
        return _Listened(self, wanted, reader_for(adapter, asked, rendered))

    def wants(self, chunk: Chunk) -> bool:
        """Whether a chunk counts: of the first choice, and not recorded if such ones are not to be shown."""
        return chunk.index == 0 and (self._recorded or not chunk.cached)

    def take(self, number: int, track: Any) -> bool:
        """Whether a listener belongs to this answer: without reuse, to the first one that has its field."""
        assert self._bound is not None
        if self._bound[number].listener.allow_reuse:
            return True
        with self._lock:
            return self._taken.setdefault(number, track) is track

    def emit(self, item: Any) -> None:
        """Yield something."""
        self.emitted = True
        self._emit(item)

    def _original(self, predictor: Any) -> Any:
        found = self._stand_ins.get(id(predictor))
        return predictor if found is None else found[1]


class _Everything:
    """An answer of which every chunk is wanted."""

    def __init__(self, session: Session, name: str, predict_id: int) -> None:
        self._session = session
        self._name = name
        self._id = predict_id

    def hear(self, chunk: Chunk) -> None:
        """See `AnswerStream.hear`."""
        if self._session.wants(chunk):
            self._session.emit(StreamChunk(self._name, self._id, chunk))

    def end(self) -> None:
        """See `AnswerStream.end`."""

    def read(self, fields: Mapping[str, Any]) -> None:
        """See `AnswerStream.read`."""


class Track:
    """One listener on one answer.

    Attributes:
        field: what it listens for.
        native: the field's type, if that reads chunks itself.
        natively: it did, in this answer.
        begun: the listener was given something.
        ended: it was given all.
    """

    def __init__(self, session: Session, number: int, bound: Bound, signature: Any) -> None:
        self._session = session
        self._number = number
        self._bound = bound
        self.field = bound.listener.signature_field_name
        declared = signature.output_fields.get(self.field)
        self.native = None if declared is None else _streaming_type(declared.annotation)
        self._partial = PartialValue(declared) if bound.listener.partial and declared is not None else None
        self.natively = self.begun = self.ended = False

    def say(self, chunk: Any, last: bool) -> None:
        """Give the listener what its field grew by."""
        if self.ended or not (chunk or last) or not self._session.take(self._number, self):
            return
        self.begun, self.ended = True, last
        value = None
        if self._partial is not None and isinstance(chunk, str):
            value = self._partial.push(chunk, last=last)
        self._session.emit(StreamResponse(self._bound.name, self.field, chunk, last, value))


class _Listened:
    """An answer of which some fields are wanted."""

    def __init__(self, session: Session, tracks: list[Track], reader: FieldReader | None) -> None:
        self._session = session
        self._tracks = tracks
        self._reader = reader
        self._mute = False

    def hear(self, chunk: Chunk) -> None:
        """See `AnswerStream.hear`."""
        if not self._session.wants(chunk):
            self._mute = self._mute or chunk.cached
            return
        for track in self._tracks:
            self._hear_natively(track, chunk)
        if self._reader is not None and chunk.text:
            self._say(self._reader.feed(chunk.text))

    def end(self) -> None:
        """See `AnswerStream.end`."""
        if self._reader is not None:
            self._say(self._reader.end())
        for track in self._tracks:
            if track.begun and not track.ended:
                track.say("", True)

    def read(self, fields: Mapping[str, Any]) -> None:
        """See `AnswerStream.read`: a field that could not be followed is given whole."""
        for track in self._tracks:
            if not (track.begun or self._mute) and track.field in fields:
                track.say(_as_text(fields[track.field]), True)

    def _hear_natively(self, track: Track, chunk: Chunk) -> None:
        if track.native is None or track.ended:
            return
        piece = track.native.parse_stream_chunk(chunk)
        if piece is not None:
            track.natively = True
            track.say(piece, False)
        elif track.natively and chunk.text:
            track.say("", True)  # it thought first, and now it speaks

    def _say(self, pieces: Sequence[Piece]) -> None:
        for piece in pieces:
            for track in self._tracks:
                if track.field == piece.field:
                    track.say(piece.text, piece.last)


def _streaming_type(annotation: Any) -> Any:
    """The type, if it says of itself that it reads chunks."""
    streamable = getattr(annotation, "is_streamable", None)
    return annotation if isinstance(annotation, type) and streamable is not None and streamable() else None


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    plain = to_jsonable(value)
    return plain if isinstance(plain, str) else dumps(plain)
