"""What a run of rounds is made of, read and checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from telic._json import stable_hash
from telic.errors import DataError, InputError
from telic.retrieval.passage import Passage, passages
from telic.retrieval.retriever import Retriever
from telic.runtime.rng import rng
from telic.systems.colbert_qa.matching import answers_of, question_of
from telic.systems.colbert_qa.settings import RoundSettings
from telic.systems.colbert_qa.supervision import Question

Log = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a run is made of.

    Attributes:
        folder: of the run.
        corpus: passages by id.
        train: questions that are learnt from.
        dev: questions held back.
        encoder: what the first round begins with.
        first: ranks for the first round, where that is not the encoder's own index.
        reader: `"extractive"`, a program, or `None`.
        settings: how.
        log: told what is done.
    """

    folder: Path
    corpus: dict[str, Passage]
    train: list[Question]
    dev: list[Question]
    encoder: Any
    first: Retriever | None
    reader: Any
    settings: RoundSettings
    log: Log

    def held_out(self) -> set[str]:
        """Training questions that only validate."""
        count, asked = self.settings.held_out, sorted({question.text for question in self.train})
        if count >= len(asked):
            raise InputError(f"held_out={count}, but there are {len(asked)} training questions.")
        return set(rng(self.settings.training.seed, "held out").sample(asked, count))

    def about(self) -> dict[str, Any]:
        """What the run depends on, for the journal; not the reader, which is trained and asked last."""
        settings = self.settings
        return {
            "corpus": stable_hash([[p.id, p.text] for p in self.corpus.values()]),
            "trainset": stable_hash([[q.text, q.answers] for q in self.train]),
            "devset": stable_hash([[q.text, q.answers] for q in self.dev]),
            "sizes": {"passages": len(self.corpus), "train": len(self.train), "dev": len(self.dev)},
            "encoder": str(getattr(self.encoder, "fingerprint", self.encoder)),
            "first": None if self.first is None else type(self.first).__name__,
            "rounds": settings.rounds,
            "supervision": asdict(settings.supervision),
            "training": asdict(settings.training),
            "held_out": settings.held_out,
            "continued": settings.continued,
            "index": dict(settings.index),
            "depth": [settings.read_depth, settings.search_depth],
        }


def corpus_by_id(corpus: Iterable[Any]) -> dict[str, Passage]:
    """The passages of a corpus by id.

    Raises:
        DataError: there are none, or two have one id.
    """
    known: dict[str, Passage] = {}
    for passage in passages(corpus):
        if passage.id in known:
            raise DataError(f"Two passages of the corpus have the id {passage.id!r}.")
        known[passage.id] = passage
    if not known:
        raise DataError("The corpus is empty.")
    return known


def questions_of(examples: Sequence[Any], name: str) -> list[Question]:
    """The questions of examples, with their answers.

    Raises:
        DataError: there are none, or an example lacks one or the other.
    """
    if not examples:
        raise DataError(f"{name} is empty.")
    return [Question(question_of(e, place), answers_of(e, place)) for place, e in enumerate(examples)]
