"""Have a reader, of whichever kind, answer many questions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from telic.data.example import Example
from telic.errors import EvaluationError
from telic.evaluate.runner import run_examples
from telic.systems.colbert_qa.reader.span_reader import SpanReader


def read_all(reader: Any, questions: Sequence[str], contexts: Sequence[Sequence[str]]) -> list[str]:
    """The reader's answer to each question in its passages.

    Programs run concurrently, as in an evaluation. A question that a program fails on has the empty answer;
    that is a wrong one.

    Raises:
        EvaluationError: a program failed on every question.
    """
    if isinstance(reader, SpanReader):
        return [reading.answer for reading in reader.read(questions, contexts)]
    examples = [
        Example(question=question, context=list(context)).with_inputs("question", "context")
        for question, context in zip(questions, contexts, strict=True)
    ]
    outcomes = run_examples(reader, examples, None)
    failed = [outcome.problem for outcome in outcomes if outcome.prediction is None]
    if examples and len(failed) == len(examples):
        raise EvaluationError(f"The reader failed on every question; on the first: {failed[0]}")
    by_place = {outcome.index: outcome.prediction for outcome in outcomes}
    return [_answer(by_place.get(place)) for place in range(len(examples))]


def _answer(prediction: Any) -> str:
    value = getattr(prediction, "answer", None)
    return "" if value is None else str(value)
