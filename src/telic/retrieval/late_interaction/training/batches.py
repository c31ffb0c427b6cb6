"""Which examples a pass takes, with which passages: a function of the seed and the pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from telic.retrieval.late_interaction.training.examples import TrainingExample
from telic.retrieval.late_interaction.training.settings import RetrievalSettings
from telic.runtime.rng import rng


@dataclass(frozen=True, slots=True)
class Batch:
    """The texts of a pass, and how they belong together.

    Attributes:
        queries: one a row.
        passages: one a column; each text once.
        positive: column of each query's positive.
        own: columns of each query's positive and hard negatives.
        left_out: columns that say nothing about a query: further positives of it, and strangers where the
            passages of other queries are not compared.
        teacher: for each query, column to score, where a teacher gave one.
    """

    queries: tuple[str, ...]
    passages: tuple[str, ...]
    positive: tuple[int, ...]
    own: tuple[tuple[int, ...], ...]
    left_out: tuple[frozenset[int], ...]
    teacher: tuple[dict[int, float], ...]


def examples_of_pass(number: int, count: int, size: int, seed: int) -> list[int]:
    """Which of `count` examples pass `number` takes: each epoch goes through all of them in its own order.

    A pass at the end of an epoch is filled from the beginning of the next.
    """
    first = number * size
    places = range(first, first + size)
    orders: dict[int, list[int]] = {}
    for epoch in {place // count for place in places}:
        order = list(range(count))
        rng(seed, "order", epoch).shuffle(order)
        orders[epoch] = order
    # An example may stand on both sides of an epoch's end; once is enough.
    return list(dict.fromkeys(orders[place // count][place % count] for place in places))


def batch_of_pass(examples: Sequence[TrainingExample], number: int, settings: RetrievalSettings) -> Batch:
    """The pass `number`, counted from 0."""
    chosen = examples_of_pass(number, len(examples), settings.batch_size, settings.seed)
    return make_batch([examples[place] for place in chosen], settings, number)


def make_batch(examples: Sequence[TrainingExample], settings: RetrievalSettings, number: int = 0) -> Batch:
    """A pass of these examples: for each one of its positives and some of its negatives, by chance."""
    columns: dict[str, int] = {}
    positive, own, teacher = [], [], []
    for place, example in enumerate(examples):
        random = rng(settings.seed, "passages", number, place)
        right = random.choice(example.positives)
        wrong = random.sample(example.negatives, min(settings.negatives, len(example.negatives)))
        mine = [columns.setdefault(text, len(columns)) for text in (right, *wrong)]
        positive.append(mine[0])
        own.append(tuple(mine))
        teacher.append(_judged(example, (right, *wrong), columns))
    everything = range(len(columns))
    left_out = [
        frozenset(
            column
            for column in everything
            if column not in mine and (not settings.in_batch or column in _also_right(example, columns))
        )
        for example, mine in zip(examples, own, strict=True)
    ]
    return Batch(
        tuple(example.query for example in examples), tuple(columns),
        tuple(positive), tuple(own), tuple(left_out), tuple(teacher),
    )  # fmt: skip


def _also_right(example: TrainingExample, columns: dict[str, int]) -> set[int]:
    return {columns[text] for text in example.positives if text in columns}


def _judged(example: TrainingExample, texts: Sequence[str], columns: dict[str, int]) -> dict[int, float]:
    if example.teacher is None:
        return {}
    scores = dict(zip((*example.positives, *example.negatives), example.teacher, strict=True))
    return {columns[text]: scores[text] for text in texts}
