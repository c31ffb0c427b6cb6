"""Programs that yield while they run: fields as they grow, status messages, the prediction at the end."""

from telic._lazy import exports

_TABLE = {
    "FieldReader": "telic.streaming.fields.base",
    "Piece": "telic.streaming.fields.base",
    "StatusMessage": "telic.streaming.messages",
    "StatusMessageProvider": "telic.streaming.status",
    "StreamChunk": "telic.streaming.messages",
    "StreamListener": "telic.streaming.listener",
    "StreamResponse": "telic.streaming.messages",
    "apply_sync_streaming": "telic.streaming.bridges",
    "asyncify": "telic.program.ways",
    "streamify": "telic.streaming.streamed",
    "streaming_response": "telic.streaming.bridges",
    "syncify": "telic.program.ways",
}

__getattr__, __dir__ = exports(__name__, _TABLE)
__all__ = sorted(_TABLE)
