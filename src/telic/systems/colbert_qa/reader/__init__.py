"""Readers: from a question and retrieved passages to an answer."""

from telic._lazy import exports

_TABLE = {
    "Reading": "telic.systems.colbert_qa.reader.span_reader",
    "ReaderReport": "telic.systems.colbert_qa.reader.training",
    "ReaderSettings": "telic.systems.colbert_qa.reader.training",
    "ReadingExample": "telic.systems.colbert_qa.reader.data",
    "SpanReader": "telic.systems.colbert_qa.reader.span_reader",
    "train_reader": "telic.systems.colbert_qa.reader.training",
}

__getattr__, __dir__ = exports(__name__, _TABLE)
__all__ = sorted(_TABLE)
