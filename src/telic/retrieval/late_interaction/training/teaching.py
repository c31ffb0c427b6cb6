"""Scores of a teacher: a cross-encoder, a program that judges with a language model, or any function."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from telic.errors import InputError
from telic.retrieval.late_interaction.training.examples import TrainingExample

Teacher = Callable[[str, Sequence[str]], Sequence[float]]
"""`teacher(query, passages)` gives a score for each passage; more is better, the scale is its own."""


def teach(
    examples: Sequence[TrainingExample], teacher: Any, *, score: str = "score"
) -> list[TrainingExample]:
    """Have each example's passages judged, for training with `distil`.

    A teacher that is a telic program answers out of the store where it was asked before, so a teaching that
    was cut short goes on without paying twice.

    Args:
        examples: with positives and negatives.
        teacher: a cross-encoder (`predict` takes pairs of query and passage and gives their scores, as those
            of sentence-transformers do); a telic program with inputs `query` (or `question`) and `passage`
            (or `context`) and an output that `score` names; or a function `(query, passages) -> scores`.
        score: name of the program's output: a number, or true and false, or a text that is a number.

    Raises:
        InputError: the teacher is none of these.
        DataError: it gave too few scores.
    """
    judge = teacher_of(teacher, score)
    return [e.taught(judge(e.query, [*e.positives, *e.negatives])) for e in examples]


def teacher_of(teacher: Any, score: str = "score") -> Teacher:
    """The teacher as a function of query and passages.

    Raises:
        InputError: it is not one.
    """
    if callable(getattr(teacher, "predict", None)):
        return lambda query, texts: [float(s) for s in teacher.predict([(query, text) for text in texts])]
    if callable(getattr(teacher, "named_predictors", None)):
        names = _input_names(teacher)
        return lambda query, texts: [
            _number(getattr(teacher(**dict(zip(names, (query, text), strict=True))), score), score)
            for text in texts
        ]
    if callable(teacher):
        given: Teacher = teacher
        return given
    raise InputError(
        f"A teacher is a cross-encoder with 'predict', a telic program or a function of query and passages, "
        f"not {teacher!r:.100}."
    )


def _input_names(program: Any) -> tuple[str, str]:
    fields: set[str] = set()
    for _, predictor in program.named_predictors():
        fields |= set(_signature(predictor).input_fields)
    query = next((name for name in ("query", "question") if name in fields), None)
    passage = next((name for name in ("passage", "context", "text") if name in fields), None)
    if query is None or passage is None:
        raise InputError(
            "A program that teaches needs the inputs 'query' (or 'question') and 'passage' (or 'context'); "
            f"this one has {sorted(fields)}."
        )
    return query, passage


def _signature(predictor: Any) -> Any:
    return predictor.signature


def _number(value: Any, name: str) -> float:
    if isinstance(value, Mapping) or value is None:
        raise InputError(f"The teacher's output '{name}' is {value!r:.80}, not a number.")
    try:
        return float(value)
    except (TypeError, ValueError):
        raise InputError(f"The teacher's output '{name}' is {value!r:.80}, not a number.") from None
