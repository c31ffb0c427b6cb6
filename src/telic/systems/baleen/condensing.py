"""Condensers: of the passages that a hop found, keep the few sentences that matter.

In two stages (Khattab, Potts and Zaharia 2021, arXiv:2101.00436, section 3.3): the first scores the sentences
of each passage by themselves and lets the best through; the second looks at what is left together, and
decides what is kept as facts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from telic.errors import InputError
from telic.program.stepped import Call, SteppedModule
from telic.retrieval.passage import Passage
from telic.runtime.steps import Do, Steps
from telic.systems.baleen.facts import Fact, facts_of
from telic.systems.baleen.sentence_vectors import sentence_vectors

if TYPE_CHECKING:
    from telic.retrieval.late_interaction.encoding import TokenEncoder
    from telic.systems.baleen.flipr import TokenIndex


class Condenser(SteppedModule):
    """Says which sentences are kept. Derive from it and define `steps`."""

    def steps(self, question: str, facts: Sequence[Fact], passages: Sequence[Passage]) -> Steps[list[Fact]]:
        """The facts to go on with, best first.

        Args:
            question: what is asked.
            facts: what was kept so far; all of it may be kept, or dropped.
            passages: what the hop found, best first.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no steps().")


class LateInteractionCondenser(Condenser):
    """Scores sentences by their tokens, with vectors that need not be trained for it.

    Stage one scores each sentence (with its title) by MaxSim with the question, per token of the question,
    and adds what its passage scored. Stage two keeps those sentences that together match the question's
    tokens best: again and again the one that adds most to what is matched already, as long as it adds enough.

    Args:
        index: the passages' index: the vectors of sentences are taken from it, as they stand in their
            passages. Or an encoder, which then encodes each sentence with its title.
        through: how many sentences stage one lets through.
        per_passage: how many of one passage at most.
        keep: how many facts are kept at most.
        least: what a further fact must add: to its own score and to the match of the question, in cosines a
            token of the question.
        passages: weight of the passage's score in a sentence's; passages are scored from 0 (the last) to 1.
        joint: weight of what a sentence adds to the match of the question, beside its own score.

    Raises:
        InputError: a number is not positive.
    """

    def __init__(
        self,
        index: TokenIndex | TokenEncoder,
        *,
        through: int = 12,
        per_passage: int = 2,
        keep: int = 6,
        least: float | None = None,
        passages: float = 0.2,
        joint: float = 1.0,
    ) -> None:
        if min(through, per_passage, keep) < 1:
            raise InputError(
                f"LateInteractionCondenser: through={through!r}, per_passage={per_passage!r} and "
                f"keep={keep!r} must be at least 1."
            )
        self.index = _Shared(index)
        self.through, self.per_passage, self.keep = through, per_passage, keep
        self.least, self.passages, self.joint = least, passages, joint

    def steps(self, question: str, facts: Sequence[Fact], passages: Sequence[Passage]) -> Steps[list[Fact]]:
        """The sentences that match the question best, together."""
        kept: list[Fact] = yield in_thread(lambda: self.condense(question, facts, passages))
        return kept

    def condense(self, question: str, facts: Sequence[Fact], passages: Sequence[Passage]) -> list[Fact]:
        """As `steps`, at once."""
        sentences = _sentences(facts, passages)
        if not sentences:
            return []
        matches = self._matches(question, sentences)
        scores = matches.mean(axis=1) + self.passages * np.array(_passage_scores(sentences, passages))
        first = _best(sentences, scores.tolist(), self.through, self.per_passage)
        return self._together([sentences[i] for i in first], scores[first], matches[first])

    def _matches(self, question: str, sentences: Sequence[Fact]) -> np.ndarray:
        """Each token of the question's best match in each sentence: `(sentences, tokens)`."""
        index = self.index.of
        indexed = hasattr(index, "candidates")
        encoder = index.encoder if indexed else index
        query = encoder.encode_queries([question])[0]
        rows = (
            sentence_vectors(index, sentences)
            if indexed
            else encoder.encode_passages([str(sentence) for sentence in sentences])
        )
        matches: np.ndarray = np.stack([(query @ sentence.T).max(axis=1) for sentence in rows])
        return matches

    def _together(self, sentences: Sequence[Fact], scores: np.ndarray, matches: np.ndarray) -> list[Fact]:
        matched = np.zeros(matches.shape[1], np.float32)
        left = list(range(len(sentences)))
        kept: list[Fact] = []
        while left and len(kept) < self.keep:
            adds = np.maximum(matches[left] - matched, 0.0).mean(axis=1)
            gains = scores[left] + self.joint * adds
            place = int(gains.argmax())
            if kept and self.least is not None and float(gains[place]) < self.least:
                break
            chosen = left.pop(place)
            matched = np.maximum(matched, matches[chosen])
            kept.append(sentences[chosen].scored(float(gains[place])))
        return kept


class ProgramCondenser(Condenser):
    """Lets a program say which sentences are kept: a predictor, or any telic program; it can be compiled.

    Args:
        program: called with `question` and `sentences` (a list of texts, numbered from 1); its prediction has
            `kept`, the numbers of those to keep. By default a predictor of that signature.
        first: a condenser as stage one: the program sees what it lets through. By default it sees the first
            sentences of the passages as they come.
        through: how many sentences the program sees at most.
        keep: how many facts are kept at most.
    """

    def __init__(
        self, program: Any = None, *, first: Condenser | None = None, through: int = 12, keep: int = 6
    ) -> None:
        from telic.program.predict import Predict

        self.first = first
        self.program = Predict(_signature()) if program is None else program
        self.through, self.keep = through, keep

    def steps(self, question: str, facts: Sequence[Fact], passages: Sequence[Passage]) -> Steps[list[Fact]]:
        """The sentences that the program names, in its order; numbers that there are not are left out."""
        sentences = _sentences(facts, passages)
        if self.first is not None:
            sentences = yield Call(self.first, question=question, facts=facts, passages=passages)
        sentences = list(sentences)[: self.through]
        if not sentences:
            return []
        shown = [f"{number}. {sentence}" for number, sentence in enumerate(sentences, 1)]
        answer = yield Call(self.program, question=question, sentences=shown)
        numbers = [number for number in dict.fromkeys(answer.kept) if 1 <= number <= len(sentences)]
        return [sentences[number - 1].scored(1.0 / rank) for rank, number in enumerate(numbers, 1)][
            : self.keep
        ]


class _Shared:
    """Holds what copies of a program share."""

    def __init__(self, of: Any) -> None:
        self.of = of

    def __deepcopy__(self, memo: object) -> _Shared:
        return self


def in_thread(work: Callable[[], Any]) -> Do:
    """A step that computes: here, or beside the running loop."""
    return Do(work, lambda: asyncio.to_thread(work))


def _signature() -> Any:
    from telic.signatures import InputField, OutputField, make_signature

    return make_signature(
        {
            "question": (str, InputField()),
            "sentences": (list[str], InputField(desc="numbered")),
            "kept": (list[int], OutputField(desc="numbers of the sentences that help, most helpful first")),
        },
        "Choose the sentences that are needed to answer the question, or to find out what to look for next.",
    )


def _sentences(facts: Sequence[Fact], passages: Sequence[Passage]) -> list[Fact]:
    """The facts so far and the sentences of the passages, each once."""
    found = {fact.place: fact for fact in facts}
    for passage in passages:
        for sentence in facts_of(passage):
            found.setdefault(sentence.place, sentence)
    return list(found.values())


def _passage_scores(sentences: Sequence[Fact], passages: Sequence[Passage]) -> list[float]:
    """For each sentence its passage's score, from 0 to 1; what is of an earlier hop has the middle."""
    scores = [passage.score for passage in passages]
    low, high = min(scores, default=0.0), max(scores, default=0.0)
    unit = {p.id: (p.score - low) / (high - low) if high > low else 0.5 for p in passages}
    return [unit.get(sentence.passage, 0.5) for sentence in sentences]


def _best(sentences: Sequence[Fact], scores: Sequence[float], count: int, per_passage: int) -> list[int]:
    """Places of the best sentences, not too many of one passage."""
    taken: dict[str, int] = {}
    best: list[int] = []
    for place in sorted(range(len(sentences)), key=lambda place: -scores[place]):
        identity = sentences[place].passage
        if taken.get(identity, 0) < per_passage and len(best) < count:
            taken[identity] = taken.get(identity, 0) + 1
            best.append(place)
    return best
