"""Facts: the sentences of passages that a search keeps."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from telic.retrieval.passage import Passage

TITLE_MARK = " | "
"""Between the title and the text of a passage, where they are one text."""

_END = re.compile(r"(?<=[.!?])[\"'”’)\]]*\s+(?=[\"'“‘(\[]*[A-Z0-9])")


@dataclass(frozen=True, slots=True)
class Fact:
    """A sentence that was kept.

    Attributes:
        passage: id of the passage it is from.
        sentence: its number in the passage, from 0.
        title: the passage's title; empty where it has none.
        text: the sentence.
        score: how well it fits; higher is better, and scales differ between condensers.
    """

    passage: str
    sentence: int
    title: str
    text: str
    score: float = 0.0

    @property
    def place(self) -> tuple[str, int]:
        """Which sentence of which passage."""
        return self.passage, self.sentence

    def scored(self, score: float) -> Fact:
        """The same fact with another score."""
        return replace(self, score=float(score))

    def __str__(self) -> str:
        return f"{self.title}{TITLE_MARK}{self.text}" if self.title else self.text


def title_of(passage: Passage) -> str:
    """The passage's title: its metadata's `title`, or what stands before the first ` | ` of its text."""
    title = passage.metadata.get("title")
    if isinstance(title, str):
        return title
    head, mark, _ = passage.text.partition(TITLE_MARK)
    return head if mark else ""


def sentences_of(passage: Passage) -> list[str]:
    """The passage's sentences: its metadata's `sentences`, or its text without the title cut at stops."""
    given = passage.metadata.get("sentences")
    if isinstance(given, (list, tuple)) and all(isinstance(sentence, str) for sentence in given):
        return list(given)
    head, mark, rest = passage.text.partition(TITLE_MARK)
    return [sentence for sentence in _END.split(rest if mark else head) if sentence.strip()]


def facts_of(passage: Passage) -> list[Fact]:
    """Every sentence of a passage that is not blank, as a fact."""
    title = title_of(passage)
    return [
        Fact(passage.id, number, title, sentence.strip())
        for number, sentence in enumerate(sentences_of(passage))
        if sentence.strip()
    ]


def hop_query(question: str, facts: Sequence[Fact]) -> str:
    """What a hop searches with, as one text: the question, and the facts so far."""
    return " ".join([question, *map(str, facts)])
