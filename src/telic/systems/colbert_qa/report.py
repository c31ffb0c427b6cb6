"""What came of the rounds: how often the answer is found, and how often it is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from telic.errors import InputError
from telic.evaluate.metrics import EM, F1
from telic.evaluate.pairing import Comparison, paired
from telic.evaluate.statistics import Interval, ScoreSummary

if TYPE_CHECKING:
    from telic.systems.colbert_qa.program import ColBERTQA


@dataclass(frozen=True, slots=True)
class Score:
    """A mean in percent, with its interval of 95 %."""

    percent: float
    interval: Interval
    count: int

    @classmethod
    def of(cls, scores: Sequence[float]) -> Score:
        """The mean of scores between 0 and 1."""
        summary = ScoreSummary(scores)
        return cls(round(100 * summary.mean, 2), summary.interval().percent(), summary.count)

    def __str__(self) -> str:
        return f"{self.percent:.1f} % {self.interval}"


@dataclass(frozen=True, slots=True)
class RoundResult:
    """One round, measured on the questions that were held back.

    Attributes:
        number: 0 is what the rounds began with.
        ranks: for each question the rank (from 1) of the first passage that holds the answer; `None` where
            none among those retrieved does.
        accepted: for each question the texts that answer it.
        answers: what the reader read in the best passages; `None` without a reader.
        supervised: questions that this round's model was trained on; 0 of the first.
        left_out: questions without a positive, then.
        seconds: that the round took: training, indexing, searching.
    """

    number: int
    ranks: tuple[int | None, ...]
    accepted: tuple[tuple[str, ...], ...]
    answers: tuple[str, ...] | None = None
    supervised: int = 0
    left_out: int = 0
    seconds: float = 0.0

    def success_scores(self, k: int) -> list[float]:
        """For each question 1 where one of the best `k` passages holds the answer."""
        return [float(rank is not None and rank <= k) for rank in self.ranks]

    def reciprocal_ranks(self) -> list[float]:
        """For each question one over the rank of the first passage with the answer; 0 without one."""
        return [0.0 if rank is None else 1.0 / rank for rank in self.ranks]

    def exact_scores(self) -> list[float]:
        """For each question 1 where the answer that was read is an accepted one.

        Raises:
            InputError: nothing was read.
        """
        return [float(EM(given, list(right))) for given, right in self._read()]

    def f1_scores(self) -> list[float]:
        """For each question the token F1 of the answer that was read.

        Raises:
            InputError: nothing was read.
        """
        return [F1(given, list(right)) for given, right in self._read()]

    def success(self, k: int) -> Score:
        """Success@k: share of questions for which the answer stands in one of the best `k` passages."""
        return Score.of(self.success_scores(k))

    @property
    def mrr(self) -> Score:
        """Mean reciprocal rank of the first passage with the answer."""
        return Score.of(self.reciprocal_ranks())

    @property
    def exact(self) -> Score:
        """Exact match of the reader."""
        return Score.of(self.exact_scores())

    @property
    def f1(self) -> Score:
        """Token F1 of the reader."""
        return Score.of(self.f1_scores())

    def _read(self) -> list[tuple[str, tuple[str, ...]]]:
        if self.answers is None:
            raise InputError("Nothing was read in this run: it has no reader.")
        return list(zip(self.answers, self.accepted, strict=True))


_MEASURES: Mapping[str, Callable[[RoundResult], list[float]]] = {
    "exact": RoundResult.exact_scores,
    "f1": RoundResult.f1_scores,
    "mrr": RoundResult.reciprocal_ranks,
}


@dataclass(frozen=True, slots=True)
class ColBERTQAReport:
    """A run of relevance-guided supervision.

    Attributes:
        folder: of the run: `round-<n>/encoder`, `round-<n>/index`, `reader`.
        rounds: from what was there before the first.
        depths: the k of success@k that the table shows.
        read_depth: passages that the reader reads.
        seconds: of all rounds and the reader, all processes together.
    """

    folder: Path
    rounds: tuple[RoundResult, ...]
    depths: tuple[int, ...]
    read_depth: int
    seconds: float

    def compare(self, measure: str = "success@5", first: int = 0, last: int = -1) -> Comparison:
        """A paired test of one round against another, on the same questions.

        Args:
            measure: `"success@<k>"`, `"mrr"`, `"exact"` or `"f1"`.
            first: which round.
            last: against which.

        Raises:
            InputError: there is no such measure.
        """
        name, _, k = measure.partition("@")
        if name == "success" and k.isdigit():
            depth = int(k)
            scores = [one.success_scores(depth) for one in (self.rounds[first], self.rounds[last])]
        elif measure in _MEASURES:
            scores = [_MEASURES[measure](one) for one in (self.rounds[first], self.rounds[last])]
        else:
            raise InputError(f"measure={measure!r} is none of success@<k>, {', '.join(_MEASURES)}.")
        return paired(scores[0], scores[1])

    def rows(self) -> list[list[str]]:
        """The table as text cells, its head first."""
        read = self.rounds[0].answers is not None
        head = ["round", *(f"success@{k}" for k in self.depths), "MRR"]
        lines = [
            [
                str(one.number),
                *(str(one.success(k)) for k in self.depths),
                str(one.mrr),
                *([str(one.exact), str(one.f1)] if read else []),
                str(one.supervised or "—"),
                f"{one.seconds / 60:.1f}",
            ]
            for one in self.rounds
        ]
        return [[*head, *(["exact match", "F1"] if read else []), "trained on", "minutes"], *lines]

    def to_json(self) -> dict[str, Any]:
        """All of it as a JSON object, scores included."""
        return {
            "rounds": [
                {
                    **asdict(one),
                    **{f"success@{k}": _json(one.success(k)) for k in self.depths},
                    "mrr": _json(one.mrr),
                    **({"exact": _json(one.exact), "f1": _json(one.f1)} if one.answers is not None else {}),
                }
                for one in self.rounds
            ],
            "depths": list(self.depths),
            "read_depth": self.read_depth,
            "seconds": self.seconds,
        }

    def program(self, number: int = -1, **options: Any) -> ColBERTQA:
        """The system of a round as a program: question in, answer and passages out."""
        from telic.systems.colbert_qa.program import ColBERTQA

        return ColBERTQA.of_round(self.folder, self.rounds[number].number, **options)

    def __str__(self) -> str:
        rows = self.rows()
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        )


def _json(score: Score) -> dict[str, Any]:
    return {"percent": score.percent, "interval": list(score.interval), "n": score.count}
