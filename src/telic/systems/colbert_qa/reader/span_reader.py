"""`SpanReader`: finds the answer to a question in passages, as a run of their words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import exp
from pathlib import Path
from typing import Any

from telic._text import normalize_text
from telic.data.prediction import Prediction
from telic.errors import ModelWeightsError
from telic.systems.colbert_qa.reader.windows import Window, Windows


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader found.

    Attributes:
        answer: words of a passage; empty where there are no passages.
        score: its probability among all that could be read from the passages.
        passage: which passage the likeliest place is in.
    """

    answer: str
    score: float
    passage: int


@dataclass(frozen=True, slots=True)
class _Span:
    score: float
    text: str
    passage: int


class SpanReader:
    """An extractive reader: a BERT with a head for first and last tokens (needs the extra `finetune`).

    Called with `question` and `context` (texts of passages, best first) it gives a `Prediction` with
    `answer`, so it stands where a telic program stands.

    Args:
        folder: of a reader that `train_reader` wrote, or of any `BertForQuestionAnswering`.
        longest: tokens of the longest answer.
        batch_tokens: tokens that are read at a time.

    Raises:
        ModelWeightsError: the folder is not of such a model.
    """

    def __init__(self, folder: str | Path, *, longest: int = 16, batch_tokens: int = 4096) -> None:
        from telic.retrieval.late_interaction.encoder.formats import read_folder
        from telic.retrieval.late_interaction.training.body import BertShape, weights_of
        from telic.systems.colbert_qa.reader.model import HEAD

        self.folder = Path(folder)
        files = read_folder(self.folder)
        self._shape = BertShape.from_config(files.checkpoint.config, self.folder)
        self._weights = weights_of(files.checkpoint)
        if f"{HEAD}.weight" not in self._weights:
            raise ModelWeightsError(f"'{folder}' has no reader's head ({HEAD}); train one with train_reader.")
        self._windows = Windows(files.tokenizer, piece=256, stride=160)
        self._longest, self._batch_tokens = longest, batch_tokens

    def __deepcopy__(self, memo: dict[int, Any]) -> SpanReader:
        return self  # nothing in it changes: copies of a program share it

    def __call__(self, question: str, context: str | Sequence[str]) -> Prediction:
        """The answer to one question."""
        (reading,) = self.read([question], [[context] if isinstance(context, str) else context])
        return Prediction(answer=reading.answer, score=reading.score, passage=reading.passage)

    def read(self, questions: Sequence[str], contexts: Sequence[Sequence[str]]) -> list[Reading]:
        """The answers to several questions, each in its own passages.

        A text that can be read in several places is as likely as all of them together.
        """
        pairs = {
            (question, passage): None
            for question, passages in zip(questions, contexts, strict=True)
            for passage in passages
        }
        spans = self._spans_of(list(pairs))
        return [
            _best(
                [
                    replace(span, passage=place)
                    for place, passage in enumerate(passages)
                    for span in spans[question, passage]
                ]
            )
            for question, passages in zip(questions, contexts, strict=True)
        ]

    def _spans_of(self, pairs: list[tuple[str, str]]) -> dict[tuple[str, str], list[_Span]]:
        """The likeliest spans of each question in each passage; a pair is read once."""
        windows = [
            window
            for place, (question, passage) in enumerate(pairs)
            for window in self._windows.of(question, passage, place)
        ]
        found: dict[tuple[str, str], list[_Span]] = {pair: [] for pair in pairs}
        for window, spans in zip(windows, self._spans(windows), strict=True):
            found[pairs[window.source]] += spans
        return found

    def _spans(self, windows: list[Window]) -> list[list[_Span]]:
        found: list[list[_Span]] = [[] for _ in windows]
        for places in self._batches(windows):
            part = [windows[place] for place in places]
            begins, ends = self._logits(part)
            for row, place in enumerate(places):
                found[place] = self._likeliest(windows[place], begins[row], ends[row])
        return found

    def _batches(self, windows: list[Window]) -> Iterator[list[int]]:
        """Places of windows, those of like length together."""
        batch: list[int] = []
        for place in sorted(range(len(windows)), key=lambda i: len(windows[i].ids)):
            if batch and (len(batch) + 1) * len(windows[place].ids) > self._batch_tokens:
                yield batch
                batch = []
            batch.append(place)
        if batch:
            yield batch

    def _logits(self, windows: list[Window]) -> tuple[Any, Any]:
        from telic.retrieval.late_interaction.training.body import torch
        from telic.systems.colbert_qa.reader.model import span_logits

        with torch.inference_mode():
            begins, ends = span_logits(self._weights, self._shape, windows)
        return begins, ends

    def _likeliest(self, window: Window, begins: Any, ends: Any, count: int = 8) -> list[_Span]:
        from telic.retrieval.late_interaction.training.body import torch

        size = len(window.offsets)
        if not size:
            return []
        inside = slice(window.first, window.first + size)
        pairs = begins[inside][:, None] + ends[inside][None, :]
        allowed = torch.ones(size, size, dtype=torch.bool).triu().tril(self._longest - 1)
        scores = pairs.masked_fill(~allowed, float("-inf")).flatten()
        best = scores.topk(min(count, int(allowed.sum())))
        return [
            _Span(
                score,
                window.words(window.first + place // size, window.first + place % size),
                window.source,
            )
            for score, place in zip(best.values.tolist(), best.indices.tolist(), strict=True)
        ]


def _best(spans: list[_Span]) -> Reading:
    if not spans:
        return Reading("", 0.0, 0)
    top = max(span.score for span in spans)
    together: dict[str, float] = {}
    likeliest: dict[str, _Span] = {}
    for span in spans:
        key = normalize_text(span.text)
        together[key] = together.get(key, 0.0) + exp(span.score - top)
        if key not in likeliest or span.score > likeliest[key].score:
            likeliest[key] = span
    chosen = max(together, key=lambda key: (together[key], key))
    span = likeliest[chosen]
    return Reading(span.text, together[chosen] / sum(together.values()), span.passage)
