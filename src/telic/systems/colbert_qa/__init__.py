"""ColBERT-QA: retrieval that learns from its own rankings, and a reader (TACL 2021, arXiv:2007.00814)."""

from telic._lazy import exports

_TABLE = {
    "AnswerMatcher": "telic.systems.colbert_qa.matching",
    "ColBERTQA": "telic.systems.colbert_qa.program",
    "ColBERTQAReport": "telic.systems.colbert_qa.report",
    "ReaderSettings": "telic.systems.colbert_qa.reader.training",
    "ReadingExample": "telic.systems.colbert_qa.reader.data",
    "RoundSettings": "telic.systems.colbert_qa.settings",
    "RoundResult": "telic.systems.colbert_qa.report",
    "SpanReader": "telic.systems.colbert_qa.reader.span_reader",
    "Supervision": "telic.systems.colbert_qa.supervision",
    "train_colbert_qa": "telic.systems.colbert_qa.rounds",
    "train_reader": "telic.systems.colbert_qa.reader.training",
}

__getattr__, __dir__ = exports(__name__, _TABLE)
__all__ = sorted(_TABLE)
