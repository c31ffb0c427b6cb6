"""Coordinate ascent over wordings: one predictor after the other, a few rounds, each proposing anew in view
of what was tried.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean, pstdev

from telic.lm.base import BaseLM
from telic.optimize.copro.wording import Wording, shows_prefixes, with_wording, wording_in, wording_of
from telic.optimize.problem import Problem
from telic.optimize.proposing.history import Attempt, history_text
from telic.optimize.proposing.instructions import Ground, propose_instruction
from telic.optimize.racing import race
from telic.optimize.strategy import Asking, Choice, Ranked, Strategy
from telic.program.state import ProgramState

_TOLD = 10
"""Attempts, the best ones, that a proposal is told of."""

Statistics = dict[str, list[float]]


@dataclass
class Ascent:
    """One search.

    Attributes:
        problem: what is compiled; candidates are compared on its validation examples.
        breadth: wordings looked at each time, the one in use among them the first time.
        depth: rounds.
        lm: the model that proposes; `None` for `settings.lm`.
        temperature: of the proposals.
        racing: stop candidates early that fall behind.
        best: statistics of the best wordings so far, by predictor and round, in percent.
        latest: statistics of the newest wordings, by predictor and round, in percent.
        notes: what a user should know.
    """

    problem: Problem
    breadth: int
    depth: int
    lm: BaseLM | None
    temperature: float
    racing: bool
    best: dict[str, Statistics] = field(default_factory=dict)
    latest: dict[str, Statistics] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    _tried: dict[str, dict[Wording, float]] = field(default_factory=dict)
    _ranked: dict[str, Ranked] = field(default_factory=dict)

    def strategy(self) -> Strategy:
        """Improve, round by round, whatever predictor's turn it is."""
        current = self.problem.start
        for round_ in range(self.depth):
            for path in current.paths:
                new = yield from self._proposals(current, path, round_)
                label = "as given" if current == self.problem.start else "best so far"
                candidates = {label: current}
                for number, wording in enumerate(new, 1):
                    where = "" if len(current.paths) == 1 else f" of {path}"
                    candidates[f"round {round_ + 1} wording {number}{where}"] = with_wording(
                        current, path, wording
                    )
                ranking = yield from race(self.problem, candidates, keep=(label,), racing=self.racing)
                self._learn(path, round_, ranking, new)
                current = ranking[0].candidate
        ranked = sorted(self._ranked.values(), key=lambda r: (r.stopped, -r.mean))
        return Choice(current, tuple(ranked), tuple(self.notes))

    def _proposals(self, state: ProgramState, path: str, round_: int) -> Asking[list[Wording]]:
        """New wordings for a predictor, none of them tried before."""
        predictor = dict(self.problem.student.named_predictors())[path]
        tried = self._tried.get(path, {})
        now = wording_of(state, path)
        attempts = [Attempt(_told(wording, now), score) for wording, score in tried.items()]
        ground = Ground(
            predictor.signature.typed_signature,
            now.instruction,
            earlier=history_text(attempts, _TOLD),
        )
        asks = [
            propose_instruction(
                ground,
                lm=self.lm,
                rollout=self.breadth * round_ + number + 1,
                temperature=self.temperature,
                why=f"propose instructions for {path}",
                prefix=shows_prefixes(predictor),
            )
            for number in range(self.breadth - (round_ == 0))
        ]
        found: dict[Wording, None] = {}
        for reply in (yield asks):
            wording = wording_in(reply.value, now)
            if wording is None:
                why = (reply.failure or "the reply was empty").splitlines()[0]
                self.notes.append(f"A proposal for {path} gave no instruction: {why}")
            elif wording != now and wording not in tried:
                found[wording] = None
        return list(found)

    def _learn(self, path: str, round_: int, ranking: Sequence[Ranked], new: Sequence[Wording]) -> None:
        """Keep the scores of a race."""
        tried = self._tried.setdefault(path, {})
        for ranked in ranking:
            tried[wording_of(ranked.candidate, path)] = ranked.mean
            known = self._ranked.get(ranked.candidate.hash)
            label = ranked.label if known is None else known.label
            scores = {**(known.scores if known else {}), **ranked.scores}
            stopped = len(scores) < len(self.problem.valset)
            self._ranked[ranked.candidate.hash] = Ranked(ranked.candidate, label, scores, stopped)
        best = sorted(tried.values(), reverse=True)[: self.breadth]
        _add(self.best.setdefault(path, {}), round_, best)
        _add(self.latest.setdefault(path, {}), round_, [tried[w] for w in new])


def _told(wording: Wording, now: Wording) -> str:
    if wording.prefix == now.prefix:
        return wording.instruction
    return f"{wording.instruction}\n(prefix: {wording.prefix})"


def _add(statistics: Statistics, round_: int, scores: Sequence[float]) -> None:
    """Add a round; without scores there is nothing to add."""
    if not scores:
        return
    percent = [100 * score for score in scores]
    row = {
        "depth": float(round_),
        "max": max(percent),
        "average": fmean(percent),
        "min": min(percent),
        "std": pstdev(percent),
    }
    for name, value in row.items():
        statistics.setdefault(name, []).append(round(value, 4))
