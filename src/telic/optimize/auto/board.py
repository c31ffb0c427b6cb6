"""Candidates and what is known of them: each has been seen on a beginning of the same order of examples."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from telic.optimize.auto.facts import Facts
from telic.optimize.auto.kinds import Draw, Pool, state_of
from telic.optimize.auto.purse import Purse
from telic.optimize.problem import Problem
from telic.optimize.scores import mean, present
from telic.optimize.strategy import Evaluating, Ranked, Trial
from telic.program.state import ProgramState

START = "as given"
PRIOR = 14
"""Examples that the mean of a candidate's like counts for, beside its own."""


class Board:
    """Every candidate by its label.

    Args:
        problem: what is compiled.
        facts: of the problem; the order of examples is theirs.
        purse: what evaluations are booked on.

    Attributes:
        states: label to state.
        draws: label to what it was made of; the start has none.
        scores: label to score by example.
        notes: what was lost on the way.
    """

    def __init__(self, problem: Problem, facts: Facts, purse: Purse) -> None:
        self.problem = problem
        self.facts = facts
        self.purse = purse
        self.states: dict[str, ProgramState] = {START: problem.start}
        self.draws: dict[str, Draw] = {}
        self.scores: dict[str, dict[int, float | None]] = {START: {}}
        self.notes: list[str] = []
        self.pools: dict[str, Pool] = {}

    def add(self, label: str, drawn: Draw) -> str:
        """Make a candidate; returns its label, which is an earlier one where it is the same."""
        state, notes = state_of(self.problem, self.pools.get(drawn.kind.source), drawn)
        for known, other in self.states.items():
            if other == state:
                self.draws.setdefault(known, drawn)
                return known
        self.notes += [note for note in notes if note not in self.notes]
        self.states[label], self.draws[label], self.scores[label] = state, drawn, {}
        return label

    def price(self, labels: Iterable[str], upto: int) -> int:
        """Runs that it takes to have seen all of these on so many examples."""
        return sum(max(0, min(upto, len(self.facts.order)) - len(self.scores[label])) for label in labels)

    def see(self, labels: Sequence[str], upto: int) -> Evaluating[None]:
        """Run candidates on the first `upto` examples, as far as they have not seen them."""
        wanted = [(label, self.facts.order[len(self.scores[label]) : upto]) for label in labels]
        total = len(self.facts.order)
        trials = [
            Trial(self.states[label], examples, why=f"{label}, {min(upto, total)} of {total}")
            for label, examples in wanted
            if examples
        ]
        if not trials:
            return
        results = yield trials
        self.purse.book(results)
        seen = [label for label, examples in wanted if examples]
        for label, result in zip(seen, results, strict=True):
            self.scores[label].update({outcome.example: outcome.score for outcome in result.outcomes})

    def mean(self, label: str, upto: int | None = None) -> float:
        """Mean score on the first `upto` examples, or on all it has seen."""
        return mean(self._seen(label, upto))

    def best(self, labels: Iterable[str], count: int, upto: int | None = None) -> list[str]:
        """The `count` best labels by their mean; among equals the earlier."""
        return sorted(labels, key=lambda label: -self.mean(label, upto))[:count]

    def likely(self, label: str) -> float:
        """What a candidate is likely to score on other examples: its mean, drawn towards that of its like.

        The best of many means on few examples is too good to be true, and most so where its like do badly
        (an empirical Bayes estimate, as of James and Stein, 1961).
        """
        alike = self._alike(label)
        prior = mean(score for other in alike for score in self.scores[other].values())
        seen = present(self.scores[label].values())
        return (sum(seen) + PRIOR * prior) / (len(seen) + PRIOR)

    def by_class(self, label: str) -> dict[object, float]:
        """Mean score of each class, of a candidate; empty where there are no classes."""
        find = self.facts.label
        if find is None:
            return {}
        found: dict[object, list[float]] = {}
        for example, score in self.scores[label].items():
            if score is not None:
                found.setdefault(find(self.problem.valset[example]), []).append(score)
        return {name: mean(scores) for name, scores in found.items()}

    def ranked(self, full: int) -> list[Ranked]:
        """Every candidate that was run, those that have seen `full` examples first, the best first."""
        rows = [
            Ranked(self.states[label], label, dict(scores), stopped=len(scores) < full)
            for label, scores in self.scores.items()
            if scores
        ]
        return sorted(rows, key=lambda row: (row.stopped, -row.mean))

    def _alike(self, label: str) -> list[str]:
        """Candidates of the same adapter with about as many demos, itself among them."""
        if label not in self.draws:
            return [label]
        mine = self.draws[label].kind
        return [
            other
            for other, drawn in self.draws.items()
            if (drawn.kind.adapter, drawn.kind.source) == (mine.adapter, mine.source)
            and drawn.kind.count.bit_length() == mine.count.bit_length()
        ]

    def _seen(self, label: str, upto: int | None) -> list[float | None]:
        scores = self.scores[label]
        return [scores[e] for e in self.facts.order[:upto] if e in scores]
