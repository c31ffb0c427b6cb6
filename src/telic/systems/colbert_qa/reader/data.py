"""What a reader learns from: questions with passages that were found, some of which hold the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from telic._json import stable_hash
from telic.retrieval.late_interaction.training.batches import examples_of_pass
from telic.runtime.rng import rng
from telic.systems.colbert_qa.reader.windows import Window, Windows


@dataclass(frozen=True, slots=True)
class ReadingExample:
    """A question, texts that answer it, and passages in the order of a ranking."""

    question: str
    answers: tuple[str, ...]
    passages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Cut:
    right: tuple[tuple[Window, tuple[tuple[int, int], ...]], ...]
    wrong: tuple[Window, ...]


class ReadingData:
    """Examples as windows; those in which no window holds an answer are left out.

    Args:
        examples: to learn from.
        windows: cuts them.
        wrong: windows without the answer that go with one that has it.
        seed: of the draws.
    """

    def __init__(self, examples: Sequence[ReadingExample], windows: Windows, wrong: int, seed: int) -> None:
        self._wrong, self._seed = wrong, seed
        cut = (_cut(example, windows) for example in examples)
        self._cuts = [one for one in cut if one.right]

    def __len__(self) -> int:
        return len(self._cuts)

    def of_pass(
        self, number: int, size: int
    ) -> tuple[list[Window], list[list[int]], list[tuple[tuple[int, int], ...]]]:
        """Windows of a pass, which of them belong to each question, and where answers stand in them."""
        windows: list[Window] = []
        groups: list[list[int]] = []
        spans: list[tuple[tuple[int, int], ...]] = []
        for place in examples_of_pass(number, len(self._cuts), size, self._seed):
            random, cut = rng(self._seed, "windows", number, place), self._cuts[place]
            window, found = random.choice(cut.right)
            others = random.sample(cut.wrong, min(self._wrong, len(cut.wrong)))
            groups.append(list(range(len(windows), len(windows) + 1 + len(others))))
            windows += [window, *others]
            spans += [found, *[()] * len(others)]
        return windows, groups, spans


def reading_hash(examples: Sequence[ReadingExample]) -> str:
    """Hash of examples in their order."""
    return stable_hash([[e.question, e.answers, e.passages] for e in examples])


def _cut(example: ReadingExample, windows: Windows) -> _Cut:
    right, wrong = [], []
    for source, passage in enumerate(example.passages):
        for window in windows.of(example.question, passage, source):
            spans = window.spans(example.answers)
            if spans:
                right.append((window, tuple(spans)))
            else:
                wrong.append(window)
    return _Cut(tuple(right), tuple(wrong))
