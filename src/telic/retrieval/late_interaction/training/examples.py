"""What an encoder learns from: queries with passages that answer them and passages that do not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from telic._json import stable_hash
from telic.errors import DataError
from telic.retrieval.passage import Passage

_QUERY = ("query", "question")
_POSITIVES = ("positives", "positive")
_NEGATIVES = ("negatives", "negative")


@dataclass(frozen=True, slots=True)
class TrainingExample:
    """A query and what is known of passages for it.

    Attributes:
        query: the text that is searched with.
        positives: texts of passages that should be found; at least one.
        negatives: texts of passages that look alike and should not ("hard" negatives); may be empty.
        teacher: scores that a better judge gives to positives and then negatives, on any scale; `None` where
            there is no judge.
    """

    query: str
    positives: tuple[str, ...]
    negatives: tuple[str, ...] = ()
    teacher: tuple[float, ...] | None = None

    def taught(self, scores: Sequence[float]) -> TrainingExample:
        """The same example with the scores of a teacher.

        Raises:
            DataError: there is not one score for each passage.
        """
        if len(scores) != len(self.positives) + len(self.negatives):
            raise DataError(
                f"The teacher gave {len(scores)} scores for the {len(self.positives)} positives and "
                f"{len(self.negatives)} negatives of {self.query!r:.80}."
            )
        return replace(self, teacher=tuple(float(score) for score in scores))


def training_examples(data: Iterable[Any]) -> list[TrainingExample]:
    """Read what to learn from.

    Args:
        data: `TrainingExample`s; triples `(query, positive, negative)`, the last left out where there is
            none; or mappings with `query` (or `question`), `positives`, `negatives` and `teacher`. A positive
            or negative is a text or a `Passage`, or a list of them.

    Raises:
        DataError: there is nothing, or an example has no query or no positive; says which.
    """
    found = [_read(item, place) for place, item in enumerate(data)]
    if not found:
        raise DataError("There is nothing to train on: the list of examples is empty.")
    return found


def data_hash(examples: Sequence[TrainingExample]) -> str:
    """Hash of examples in their order: two trainings on the same data have the same."""
    return stable_hash([[e.query, e.positives, e.negatives, e.teacher] for e in examples])


def _read(item: Any, place: int) -> TrainingExample:
    if isinstance(item, TrainingExample):
        example = item
    elif isinstance(item, Mapping):
        example = _from_mapping(item, place)
    elif isinstance(item, (tuple, list)) and len(item) in (2, 3):
        example = TrainingExample(
            _text(item[0], place), _texts(item[1], place), _texts(item[2], place) if len(item) == 3 else ()
        )
    else:
        raise DataError(
            f"Example {place} is {item!r:.100}: a TrainingExample, a triple (query, positive, negative) or a "
            "mapping with 'query' and 'positives' is needed."
        )
    return _checked(example, place)


def _checked(example: TrainingExample, place: int) -> TrainingExample:
    if not example.query.strip():
        raise DataError(f"Example {place} has no query.")
    if not any(text.strip() for text in example.positives):
        raise DataError(
            f"Example {place} ({example.query!r:.80}) has no positive passage: there is nothing that "
            "should be found. Leave it out, or give it one."
        )
    shared = set(example.positives) & set(example.negatives)
    if shared:
        raise DataError(
            f"Example {place} ({example.query!r:.80}) has the same passage as positive and as negative: "
            f"{min(shared)!r:.80}."
        )
    return example if example.teacher is None else example.taught(example.teacher)


def _from_mapping(item: Mapping[str, Any], place: int) -> TrainingExample:
    query = _first(item, _QUERY)
    if query is None:
        raise DataError(f"Example {place} has no 'query'; it has {sorted(map(str, item))}.")
    scores = item.get("teacher")
    return TrainingExample(
        _text(query, place),
        _texts(_first(item, _POSITIVES) or (), place),
        _texts(_first(item, _NEGATIVES) or (), place),
        None if scores is None else tuple(scores),
    )


def _first(item: Mapping[str, Any], names: Sequence[str]) -> Any:
    return next((item[name] for name in names if name in item), None)


def _texts(value: Any, place: int) -> tuple[str, ...]:
    several = value if isinstance(value, (list, tuple)) else [value]
    return tuple(dict.fromkeys(_text(one, place) for one in several))


def _text(value: Any, place: int) -> str:
    if isinstance(value, Passage):
        return value.text
    if isinstance(value, str):
        return value
    raise DataError(f"Example {place}: a text is needed, not {value!r:.80}.")
