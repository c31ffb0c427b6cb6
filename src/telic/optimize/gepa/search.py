"""The search of GEPA as a strategy: reflect on a few runs, keep what does better, merge what fits together.

Of Agrawal et al. (2025), algorithm 1.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from telic.errors import BudgetExceededError
from telic.lm.base import BaseLM
from telic.optimize.gepa.merging import find_merge, telling_examples
from telic.optimize.gepa.pool import Member, Pool
from telic.optimize.gepa.proposing import Rewriter
from telic.optimize.gepa.reflection import Record, records
from telic.optimize.gepa.selecting import SearchState, Selector, round_robin
from telic.optimize.problem import Problem
from telic.optimize.racing import race
from telic.optimize.strategy import Ask, Choice, Evaluating, Outcome, Ranked, Result, Strategy, Trial
from telic.program.state import ProgramState

START = "as given"
_MERGE_EXAMPLES = 5
"""Validation examples that a merge is tried on before it sees all of them."""


@dataclass(frozen=True)
class Options:
    """What a search is to do; see `GEPA`."""

    allowance: int
    names: tuple[str, ...]
    minibatch_size: int = 3
    selection: Literal["pareto", "current_best"] = "pareto"
    lm: BaseLM | None = None
    skip_perfect: bool = True
    failures: bool = False
    proposer: Callable[..., Any] | None = None
    selector: Selector | str = "round_robin"
    merges: int = 0
    perfect: float = 1.0
    keep_outputs: bool = False
    racing: bool = True


@dataclass
class Search:
    """One search; afterwards it tells what was found.

    Attributes:
        problem: what is compiled.
        options: what to do.
        pool: candidates found.
        spent: runs scored, counted as in the paper: every candidate that enters the pool is counted with the
            whole validation set, though racing, or the journal, may have spared a part.
        full_evals: candidates that met the validation set.
        outputs: candidate hash and validation example to what the program returned, where kept.
    """

    problem: Problem
    options: Options
    pool: Pool = field(default_factory=Pool)
    spent: int = 0
    full_evals: int = 0
    outputs: dict[tuple[str, int], Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    _stopped: list[Ranked] = field(default_factory=list)
    _merges: int = 0
    _merge_due: bool = False
    _tried: set[tuple[int, int, int]] = field(default_factory=set)
    _refused: set[str] = field(default_factory=set)

    def strategy(self) -> Strategy:
        """Score the start; then rewrite and merge until the allowance is used up, or all is perfect."""
        self.rewriter = Rewriter(self.problem, self.options.lm, self.options.proposer)
        self.inputs = {p: list(q.signature.input_fields) for p, q in self.problem.student.named_predictors()}
        yield from self._enter(self.problem.start, START, ())
        try:
            yield from self._evolve()
        except BudgetExceededError:
            # Everything in the pool has met the whole validation set; nothing else is to be trusted.
            return self.choice()
        return self.choice()

    def _evolve(self) -> Generator[Any, Any, None]:
        iteration = 0
        while self.spent < self.options.allowance and not self._perfect():
            iteration += 1
            merged = (yield from self._merge(iteration)) if self._merge_due else False
            if not merged:
                yield from self._rewrite(iteration)

    def _perfect(self) -> bool:
        return all(score >= self.options.perfect for score in self.pool.best.scores.values())

    def choice(self) -> Choice:
        """The best candidate so far, with all others."""
        notes = list(dict.fromkeys([*self.notes, *self.rewriter.notes]))
        ranking = (*self.pool.ranking(), *self._stopped)
        return Choice(self.pool.best.state, ranking, tuple(notes))

    # Rewriting.

    def _rewrite(self, iteration: int) -> Generator[Any, Any, None]:
        parent = self._parent(iteration)
        batch = self._minibatch(iteration)
        early = self._early(parent)
        trial = Trial(
            parent.state,
            batch,
            "train",
            keep_steps=True,
            why=f"runs to reflect on, {iteration}",
            feedback_for=tuple(name for name in early or self.options.names if name in self.inputs),
        )
        (before,) = yield [trial]
        self.spent += len(batch)
        if self.options.skip_perfect and all(s >= self.options.perfect for s in self._scores(before)):
            return
        names = early or (yield from self._selected(iteration, parent, before))
        shown = self._records(iteration, names, before)
        texts = yield from self.rewriter.rewritten(parent.state.components(), shown)
        child = parent.state.with_components(texts)
        if not texts or child in self.pool or child.hash in self._refused:
            return
        (after,) = yield [Trial(child, batch, "train", why=f"the same with new texts, {iteration}")]
        self.spent += len(batch)
        if sum(self._scores(after)) > sum(self._scores(before)):
            label = f"{', '.join(texts)} rewritten in {iteration}"
            yield from self._enter(child, label, (parent.number,))

    def _parent(self, iteration: int) -> Member:
        if self.options.selection == "current_best":
            return self.pool.best
        return self.pool.draw(self.problem.rng("parent", iteration))

    def _minibatch(self, iteration: int) -> tuple[int, ...]:
        """The next examples; the training set is gone through in another order each time."""
        total = len(self.problem.trainset)
        size = min(self.options.minibatch_size, total)
        begin = (iteration - 1) * size
        return tuple(self._at(place, total) for place in range(begin, begin + size))

    def _at(self, place: int, total: int) -> int:
        order = list(range(total))
        self.problem.rng("epoch", place // total).shuffle(order)
        return order[place % total]

    def _early(self, parent: Member) -> list[str] | None:
        """The components to rewrite, where that is known before the runs are there."""
        if self.options.selector == "round_robin":
            return [round_robin(parent, self.options.names)]
        return list(self.options.names) if self.options.selector == "all" else None

    def _selected(
        self, iteration: int, parent: Member, before: Result
    ) -> Generator[Sequence[Ask], Sequence[Any], list[str]]:
        """Ask the user's selector. It may do anything, so its word is journaled."""
        selector: Any = self.options.selector
        state = SearchState.of(self.pool, iteration, self.spent)
        runs = [_trajectory(self.problem.trainset, outcome) for outcome in before.outcomes]

        def select(**_: Any) -> dict[str, list[str]]:
            chosen = selector(
                state=state,
                trajectories=runs,
                subsample_scores=self._scores(before),
                candidate_idx=parent.number,
                candidate=parent.state.components(),
            )
            return {"components": list(chosen)}

        inputs = {"iteration": iteration, "candidate": parent.number}
        ask = Ask(
            select,
            inputs,
            name="component selector",
            like={"components": list(self.options.names)},
            why="select components",
        )
        (reply,) = yield [ask]
        if reply.failure is not None:
            self.notes.append(f"The component selector failed in iteration {iteration}: {reply.failure}")
        found = (reply.value or {}).get("components", ())
        return [name for name in found if name in self.options.names]

    def _records(self, iteration: int, names: Sequence[str], result: Result) -> Mapping[str, list[Record]]:
        runs = [(self.problem.trainset[outcome.example], outcome) for outcome in result.outcomes]
        found = {
            name: records(
                name,
                self.inputs.get(name),
                runs,
                self.problem.rng("call", iteration, name),
                failures=self.options.failures,
            )
            for name in names
        }
        return {name: shown for name, shown in found.items() if shown}

    # Merging.

    def _merge(self, iteration: int) -> Generator[Any, Any, bool]:
        """Try a merge; whether there was one to try."""
        self._merge_due = False
        merge = find_merge(self.pool, self._tried, self.problem.rng("merge", iteration))
        if merge is None or merge.state.hash in self._refused:
            return False
        self._merges += 1
        some = telling_examples(merge, _MERGE_EXAMPLES, self.problem.rng("merge examples", iteration))
        label = f"merge of {merge.one.number} and {merge.other.number}"
        (result,) = yield [Trial(merge.state, some, why=f"{label}, {len(some)} examples")]
        self.spent += len(some)
        known = [sum(parent.scores[e] for e in some) for parent in (merge.one, merge.other)]
        if sum(self._scores(result)) >= max(known):
            yield from self._enter(merge.state, label, (merge.one.number, merge.other.number))
        else:
            self._refused.add(merge.state.hash)
        return True

    # The validation set.

    def _enter(self, state: ProgramState, label: str, parents: tuple[int, ...]) -> Generator[Any, Any, None]:
        """Score a candidate on the validation set and take it into the pool, unless it is shown to be worse
        than what it was made from.
        """
        candidates = {label: state}
        if parents:
            rival = max((self.pool.members[p] for p in parents), key=lambda member: member.mean)
            candidates = {rival.label: rival.state, label: state} if self.options.racing else candidates
        keep = [other for other in candidates if other != label]
        ranking = yield from self._observed(
            race(self.problem, candidates, keep=keep, racing=self.options.racing)
        )
        found_at = self.spent
        self.spent += len(self.problem.valset)
        (found,) = (ranked for ranked in ranking if ranked.label == label)
        if found.stopped:
            self._stopped.append(found)
            self._refused.add(state.hash)
            return
        self.full_evals += 1
        scores = {e: self._score(s) for e, s in sorted(found.scores.items())}
        self.pool.add(state, label, parents, scores, found_at)
        self._merge_due = self._merges < self.options.merges

    def _observed(self, racing: Evaluating[list[Ranked]]) -> Evaluating[list[Ranked]]:
        """A race, with what programs returned kept where that is wanted."""
        keep = self.options.keep_outputs
        try:
            trials = next(racing)
            while True:
                kept = [replace(trial, keep_steps=True, feedback_for=()) for trial in trials]
                results = yield kept if keep else trials
                for result in results if keep else ():
                    digest = result.trial.candidate.hash
                    self.outputs |= {(digest, o.example): o.output for o in result.outcomes}
                trials = racing.send(results)
        except StopIteration as end:
            ranking: list[Ranked] = end.value
            return ranking

    def _scores(self, result: Result) -> list[float]:
        return [self._score(score) for score in result.scores]

    def _score(self, score: float | None) -> float:
        return self.problem.failure_score if score is None else score


def _trajectory(trainset: Sequence[Any], outcome: Outcome) -> dict[str, Any]:
    """A run for a component selector."""
    return {
        "example_ind": outcome.example,
        "example": trainset[outcome.example],
        "prediction": outcome.output,
        "trace": list(outcome.steps),
        "score": outcome.score,
        "feedback": outcome.feedback,
    }
