"""Relevance-guided supervision: training data read off the rankings of the model that is to be trained.

Khattab, Potts and Zaharia, "Relevance-guided Supervision for OpenQA with ColBERT" (TACL 2021,
arXiv:2007.00814), section 3.2. No passage is labelled; an answer's text is all that is known. That a passage
contains it is a weak sign; that the present model also ranks the passage high makes it a better one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from telic.errors import InputError
from telic.retrieval.late_interaction.training.examples import TrainingExample
from telic.retrieval.late_interaction.training.mining import negatives_among
from telic.retrieval.passage import Passage
from telic.systems.colbert_qa.matching import AnswerMatcher


@dataclass(frozen=True, slots=True)
class Question:
    """A question and the texts that answer it."""

    text: str
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Supervision:
    """Where in a ranking positives and negatives are taken from.

    Attributes:
        depth: passages that are retrieved for a question, and where negatives come from (the paper's k-).
        positive_depth: passages with the answer count up to here (k+); where none does, the first one further
            down is taken.
        positives: so many of them at most, the highest ranked (t).
        negatives: so many passages without the answer at most, the highest ranked.
    """

    depth: int = 100
    positive_depth: int = 20
    positives: int = 3
    negatives: int = 20

    def __post_init__(self) -> None:
        if min(self.depth, self.positive_depth, self.positives, self.negatives) < 1:
            raise InputError(f"{self}: each number must be at least 1.")
        if self.positive_depth > self.depth:
            raise InputError(f"positive_depth={self.positive_depth} must not be above depth={self.depth}.")


@dataclass(frozen=True, slots=True)
class Supervised:
    """What came of a ranking.

    Attributes:
        examples: one for each question that has a positive.
        left_out: questions in whose ranking no passage holds the answer.
        deep: questions whose positive comes from below `positive_depth`.
    """

    examples: tuple[TrainingExample, ...]
    left_out: int
    deep: int


def supervise(
    questions: Sequence[Question],
    rankings: Sequence[Sequence[Passage]],
    settings: Supervision,
    matcher: AnswerMatcher | None = None,
) -> Supervised:
    """Read training examples off rankings, best passages first."""
    match = matcher or AnswerMatcher()
    examples: list[TrainingExample] = []
    deep = 0
    for question, ranking in zip(questions, rankings, strict=True):
        considered = ranking[: settings.depth]
        right = [rank for rank, p in enumerate(considered) if match.holds(p.text, question.answers)]
        high = [rank for rank in right if rank < settings.positive_depth][: settings.positives]
        chosen = high or right[:1]
        if not chosen:
            continue
        deep += not high
        positives = TrainingExample(
            question.text, tuple(dict.fromkeys(considered[rank].text for rank in chosen))
        )
        without = [p for rank, p in enumerate(considered) if rank not in set(right)]
        negatives = negatives_among(positives, without)[: settings.negatives]
        examples.append(TrainingExample(question.text, positives.positives, tuple(negatives)))
    return Supervised(tuple(examples), len(questions) - len(examples), deep)
