"""The search of SIMBA as a strategy."""

from __future__ import annotations

import random
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from math import exp
from typing import Any

from telic.errors import BudgetExceededError
from telic.lm.base import BaseLM
from telic.optimize.demos.packing import pack
from telic.optimize.problem import Problem
from telic.optimize.racing import race
from telic.optimize.simba.buckets import Bucket, score_of, sorted_buckets
from telic.optimize.simba.demonstrations import with_demo, with_fewer_demos
from telic.optimize.simba.rules import rule_ask, with_rules
from telic.optimize.strategy import Asking, Choice, Evaluating, Outcome, Ranked, Strategy, Trial
from telic.program.state import ProgramState

START = "as given"


@dataclass(frozen=True)
class Options:
    """What a search is to do; see `SIMBA`."""

    batch_size: int
    num_candidates: int
    max_steps: int
    max_demos: int
    lm: BaseLM | None
    longest_input: int
    sampling_temperature: float
    candidate_temperature: float
    racing: bool


@dataclass(eq=False)
class Known:
    """A candidate with its scores by training example, of the minibatch it was tried on."""

    state: ProgramState
    label: str
    scores: dict[int, float] = field(default_factory=dict)

    @property
    def mean(self) -> float:
        """Mean score; 0 where it was not run."""
        return sum(self.scores.values()) / len(self.scores) if self.scores else 0.0


@dataclass
class Search:
    """One search; afterwards it tells what was found.

    Attributes:
        problem: what is compiled.
        options: what to do.
        logs: step to what became of it: mean scores of the samples and of the candidates.
    """

    problem: Problem
    options: Options
    logs: dict[int, dict[str, Any]] = field(default_factory=dict)
    _pool: list[Known] = field(default_factory=list)
    _notes: list[str] = field(default_factory=list)

    def strategy(self) -> Strategy:
        """Sample, change, evaluate; in the end compare the winners of the steps on all examples."""
        self.inputs = {p: list(q.signature.input_fields) for p, q in self.problem.student.named_predictors()}
        self._pool = [Known(self.problem.start, START)]
        winners = [self._pool[0]]
        try:
            yield from self._climb(winners)
        except BudgetExceededError:
            return self._so_far(winners)
        finalists = {known.label: known.state for known in self._spread(winners)}
        ranking = yield from race(self.problem, finalists, keep=(START,), racing=self.options.racing)
        return Choice(ranking[0].candidate, tuple(ranking), tuple(dict.fromkeys(self._notes)))

    def _climb(self, winners: list[Known]) -> Generator[Any, Any, None]:
        for step in range(self.options.max_steps):
            batch = self._batch(step)
            runs = yield from self._sampled(step, batch)
            made = yield from self._changed(step, runs)
            if made:
                winners.append((yield from self._evaluated(step, batch, made)))

    def _so_far(self, winners: Sequence[Known]) -> Choice:
        """The last winner that did better than the programs whose runs were sampled on the same examples."""
        better = [
            winner
            for winner, log in zip(winners[1:], self._won(), strict=True)
            if winner.mean > log["sampled"]
        ]
        best = better[-1] if better else winners[0]
        others = [known for known in (best, *winners) if known is best or known.scores]
        ranking = [Ranked(known.state, known.label, dict(known.scores)) for known in dict.fromkeys(others)]
        note = "The search was ended before its winners were compared on all examples."
        return Choice(best.state, tuple(ranking), (*dict.fromkeys(self._notes), note))

    def _won(self) -> list[dict[str, Any]]:
        return [log for log in self.logs.values() if "winner" in log]

    def _batch(self, step: int) -> tuple[int, ...]:
        total = len(self.problem.trainset)
        size = min(self.options.batch_size, total)
        per_epoch = total // size
        order = list(range(total))
        self.problem.rng("epoch", step // per_epoch).shuffle(order)
        begin = step % per_epoch * size
        return tuple(order[begin : begin + size])

    def _sampled(self, step: int, batch: Sequence[int]) -> Evaluating[list[Outcome]]:
        """Run each example several times, each time with a program drawn by its scores so far."""
        count = self.options.num_candidates
        random_ = self.problem.rng("sample", step)
        parts: dict[tuple[int, int], list[int]] = {}
        for example in batch:
            for sample in range(count):
                place = self._drawn(self.options.sampling_temperature, random_)
                parts.setdefault((place, sample), []).append(example)
        trials = [
            Trial(
                self._pool[place].state,
                tuple(examples),
                "train",
                # One of the samples is the teacher's, where there is one.
                teacher=sample == 0 and bool(self.problem.teacher_settings),
                rollout=step * count + sample,
                keep_steps=True,
                why=f"sampled runs of step {step + 1}",
                feedback_for=(),
            )
            for (place, sample), examples in parts.items()
        ]
        results = yield trials
        outcomes = [outcome for result in results for outcome in result.outcomes]
        self.logs[step] = {"sampled": sum(map(score_of, outcomes)) / len(outcomes)}
        return outcomes

    def _changed(self, step: int, runs: Sequence[Outcome]) -> Asking[list[Known]]:
        """New candidates, each from the runs of one example: with a demo, or with a rule."""
        random_ = self.problem.rng("change", step)
        average = sum(map(score_of, runs)) / len(runs)
        demos: list[ProgramState] = []
        rules: list[tuple[ProgramState, Bucket]] = []
        for bucket in sorted_buckets(runs):
            if len(demos) + len(rules) >= self.options.num_candidates:
                break
            source = self._pool[self._drawn(self.options.candidate_temperature, random_)].state
            ways = self._ways(bucket, average)
            if not ways:
                continue
            source = with_fewer_demos(source, self.options.max_demos, random_)
            if random_.choice(ways) == "rule":
                rules.append((source, bucket))
            else:
                demos.append(with_demo(source, bucket.best, self.inputs, self.options.longest_input))
        states = [self._packed(state) for state in demos]
        states += yield from self._with_rules(rules)
        known = {each.state for each in self._pool}
        fresh = [state for state in dict.fromkeys(states) if state not in known]
        return [Known(state, f"step {step + 1}, candidate {n}") for n, state in enumerate(fresh, 1)]

    def _ways(self, bucket: Bucket, average: float) -> list[str]:
        """What can be learnt from the runs of an example."""
        best, worst = score_of(bucket.best), score_of(bucket.worst)
        ways = ["rule"] if best > worst else []
        if self.options.max_demos and best > 0 and best >= average and bucket.best.steps:
            ways.append("demo")
        return ways

    def _with_rules(self, wanted: Sequence[tuple[ProgramState, Bucket]]) -> Asking[list[ProgramState]]:
        if not wanted:
            return []
        asks = [
            rule_ask(bucket, self.problem.trainset[bucket.example], state, self.options.lm)
            for state, bucket in wanted
        ]
        replies = yield asks
        for reply in replies:
            if reply.failure is not None:
                self._notes.append(f"A comparison of runs gave no rule: {reply.failure.splitlines()[0]}")
        return [with_rules(state, reply.value) for (state, _), reply in zip(wanted, replies, strict=True)]

    def _packed(self, state: ProgramState) -> ProgramState:
        fitting, notes = pack(self.problem, state)
        self._notes += notes
        return fitting

    def _evaluated(self, step: int, batch: Sequence[int], made: Sequence[Known]) -> Evaluating[Known]:
        """Run the new candidates on the same examples; the best of them."""
        results = yield [
            Trial(known.state, tuple(batch), "train", why=f"{known.label}, {len(batch)} examples")
            for known in made
        ]
        for known, result in zip(made, results, strict=True):
            known.scores |= {outcome.example: score_of(outcome) for outcome in result.outcomes}
            self._pool.append(known)
        winner = max(made, key=lambda known: known.mean)
        self.logs[step] |= {"candidates": [known.mean for known in made], "winner": winner.label}
        return winner

    def _drawn(self, temperature: float, random_: random.Random) -> int:
        """A place in the pool, by the softmax of mean scores; the start has none before it was run."""
        means = [known.mean for known in self._pool]
        if temperature <= 0:
            return means.index(max(means))
        top = max(means)
        weights = [exp((mean - top) / temperature) for mean in means]
        (place,) = random_.choices(range(len(means)), weights=weights)
        return place

    def _spread(self, winners: Sequence[Known]) -> list[Known]:
        """The start, the last winner, and others evenly between, one more than candidates in a step."""
        count = min(self.options.num_candidates + 1, len(winners))
        if count < 2:
            return list(winners)
        places = {round(i * (len(winners) - 1) / (count - 1)) for i in range(count)}
        return [winners[place] for place in sorted(places)]
