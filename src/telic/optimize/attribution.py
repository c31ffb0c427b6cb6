"""Which demo earns its place, and which hurts: every demo left out once, on the same examples.

Leave-one-out is the plainest counterfactual: what would the score be without it? (Of training data: Cook,
1977, "Detection of influential observation"; of demos in prompts: Nguyen and Wong, 2023, arXiv:2302.11042,
who average over many subsets instead. The pairs of one program are enough to tell what to leave out of it.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from telic.errors import CompileError, DataError
from telic.evaluate.pairing import Comparison, paired
from telic.optimize.auto.purse import BudgetLike, within
from telic.optimize.optimizer import Optimizer
from telic.optimize.problem import Problem, make_problem
from telic.optimize.racing import ALPHA, rung_sizes
from telic.optimize.strategy import Choice, Evaluating, Ranked, Strategy, Trial
from telic.program.predictor_state import demo_to_json
from telic.program.state import ProgramState

WHOLE = "all demos"
_NO_EFFECT_AFTER = 24
"""Examples after which a demo that never made a difference is not looked at any further."""
Verdict = Literal["earns its place", "hurts", "no difference shown"]


@dataclass(frozen=True)
class DemoEffect:
    """What a demo does for the score.

    Attributes:
        path: its predictor.
        index: its place among the predictor's demos, from 0.
        demo: the demo, as JSON.
        comparison: the program with it (`b`) against the program without it (`a`).
    """

    path: str
    index: int
    demo: Mapping[str, Any]
    comparison: Comparison

    @property
    def points(self) -> float:
        """How much it adds to the score, in percentage points; below 0 where it hurts."""
        return self.comparison.difference

    @property
    def verdict(self) -> Verdict:
        """What can be said with 95 % confidence of this demo by itself; of 20, one is judged wrongly."""
        if not self.comparison.significant:
            return "no difference shown"
        return "earns its place" if self.points > 0 else "hurts"

    def to_json(self) -> dict[str, Any]:
        """All of it."""
        row = {"path": self.path, "index": self.index, "demo": dict(self.demo), "verdict": self.verdict}
        return {**row, **self.comparison.to_json()}

    def __str__(self) -> str:
        low, high = self.comparison.interval
        shown = "; ".join(f"{k}: {v}" for k, v in self.demo.items() if k != "augmented")
        shown = shown if len(shown) <= 80 else f"{shown[:79]}…"
        return (
            f"{self.path}[{self.index}] {self.points:+.1f} points ({low:+.1f} to {high:+.1f}, "
            f"{self.comparison.n} examples), {self.verdict}: {shown}"
        )


@dataclass(frozen=True)
class Attribution:
    """Effects of all demos, the most useful first.

    Attributes:
        effects: of each demo.
        score: percent of the program with all demos.
        run_id: the run in the record.
        notes: what a user should know.
    """

    effects: tuple[DemoEffect, ...]
    score: float
    run_id: str
    notes: tuple[str, ...] = ()

    @property
    def harmful(self) -> tuple[DemoEffect, ...]:
        """Those shown to hurt, the worst first."""
        return tuple(reversed([effect for effect in self.effects if effect.verdict == "hurts"]))

    def without_harmful(self, program: Any) -> Any:
        """A copy of the program without the demos that are shown to hurt; evaluate it before you trust it."""
        state = without(ProgramState.of(program), [(e.path, e.index) for e in self.harmful])
        return state.apply(program)

    def to_json(self) -> dict[str, Any]:
        """All of it."""
        rows = [effect.to_json() for effect in self.effects]
        return {"run": self.run_id, "score": self.score, "effects": rows, "notes": list(self.notes)}

    def __str__(self) -> str:
        head = f"{self.score:.1f} % with all {len(self.effects)} demos"
        return "\n".join([head, *map(str, self.effects), *self.notes])


def attribute(
    program: Any,
    metric: Any,
    devset: Sequence[Any],
    *,
    budget: BudgetLike = None,
    racing: bool = True,
    num_threads: int | None = None,
    max_errors: int | None = None,
    run_id: str | None = None,
    seed: int = 0,
) -> Attribution:
    """Find out which demos of a program earn their place, and which hurt.

    The program is run once with all demos, and once without each of them, on the same examples. It takes at
    most (demos + 1) × examples runs.

    Args:
        program: with demos.
        metric: scores a run.
        devset: examples, best ones on which the demos were not chosen. Those that are themselves demos are
            left out.
        budget: LM calls, or caps by name, or `telic.budget(…)`; where it ends, what is known is returned.
        racing: stop looking at a demo once its effect is shown, or once it never made a difference on 24
            examples.
        num_threads: how many examples at once; `settings.num_threads` by default.
        max_errors: errors after which to stop; `settings.max_errors` by default.
        run_id: name of the run in the record; by default made from everything it depends on.
        seed: of the order of examples.

    Raises:
        CompileError: the program has no demos.
        DataError: no example is left.
        MetricError: the metric cannot be called.
    """
    optimizer = LeaveOneOut(metric, racing=racing, num_threads=num_threads, max_errors=max_errors, seed=seed)
    with within(budget):
        compiled = optimizer.compile(program, trainset=devset, run_id=run_id)
    return effects_of(ProgramState.of(program), compiled.report)


class LeaveOneOut(Optimizer):
    """What `attribute` runs: a compile whose candidates lack one demo each, and that changes nothing.

    Args:
        metric: scores a run.
        racing: see `attribute`.
        num_threads: how many examples at once.
        max_errors: errors after which to stop.
        seed: of the order of examples.
    """

    def __init__(
        self,
        metric: Any,
        *,
        racing: bool = True,
        num_threads: int | None = None,
        max_errors: int | None = None,
        seed: int = 0,
    ) -> None:
        self.metric = metric
        self.racing = racing
        self.num_threads = num_threads
        self.max_errors = max_errors
        self.seed = seed

    def compile(self, student: Any, *, trainset: Sequence[Any], run_id: str | None = None) -> Any:
        """Return an unchanged copy of `student`, whose `report.ranking` has the scores."""
        demos = [demo_to_json(demo) for predictor in student.predictors() for demo in predictor.demos]
        if not demos:
            raise CompileError(f"{type(student).__name__} has no demos whose effect could be measured.")
        rows = [row for row in trainset if demo_to_json(row) not in demos]
        if trainset and not rows:
            raise DataError("Every example is also a demo: measure on examples that are none.")
        problem = make_problem(student, trainset=rows, valset=None, metric=self.metric, seed=self.seed)
        left_out = len(trainset) - len(rows)
        return self.run(problem, self.strategy(problem, left_out), run_id=run_id)

    def strategy(self, problem: Problem, left_out: int = 0) -> Strategy:
        """Leave each out; nothing is chosen."""
        order = list(problem.validation)
        problem.rng("order").shuffle(order)
        ranking = yield from leave_one_out(problem.start, order, racing=self.racing)
        notes = (f"{left_out} examples that are demos themselves were left out.",) if left_out else ()
        return Choice(problem.start, tuple(ranking), notes)


def leave_one_out(state: ProgramState, order: Sequence[int], *, racing: bool) -> Evaluating[list[Ranked]]:
    """Scores of a state, and of it without each of its demos; a part of strategies."""
    candidates = {WHOLE: state}
    candidates |= {_label(path, at): without(state, [(path, at)]) for path, at in places(state)}
    known: dict[str, dict[int, float | None]] = {label: {} for label in candidates}
    alive = list(candidates)
    rungs = rung_sizes(len(order)) if racing else [len(order)]
    begin = 0
    for size in rungs:
        part = tuple(order[begin:size])
        trials = [Trial(candidates[label], part, why=f"{label}, {size} of {len(order)}") for label in alive]
        results = yield trials
        for label, result in zip(alive, results, strict=True):
            known[label].update({o.example: o.score for o in result.outcomes})
        begin = size
        whole, alpha = known[WHOLE], ALPHA / len(rungs)
        open_ = [label for label in alive if label != WHOLE and not _settled(known[label], whole, alpha)]
        if not open_:
            break
        alive = [WHOLE, *open_]
    full = len(known[WHOLE])
    return [
        Ranked(candidates[label], label, scores, stopped=len(scores) < full)
        for label, scores in known.items()
    ]


def effects_of(state: ProgramState, report: Any) -> Attribution:
    """The effects, read from the report of a run of `LeaveOneOut`."""
    effects, whole = compared(state, report.ranking)
    stopped = (report.stopped,) if report.stopped else ()
    return Attribution(effects, round(100 * whole.mean, 2), report.run_id, (*report.notes, *stopped))


def compared(state: ProgramState, ranking: Sequence[Ranked]) -> tuple[tuple[DemoEffect, ...], Ranked]:
    """Effects, the most useful first, and what the whole scored."""
    by_hash = {ranked.candidate.hash: ranked for ranked in ranking}
    whole = by_hash.get(state.hash) or Ranked(state, WHOLE)
    effects = []
    for path, at in places(state):
        lacking = by_hash.get(without(state, [(path, at)]).hash)
        pairs = _pairs(lacking.scores, whole.scores) if lacking else []
        if pairs:
            comparison = paired([a for a, _ in pairs], [b for _, b in pairs])
            effects.append(DemoEffect(path, at, state.demos(path)[at], comparison))
    return tuple(sorted(effects, key=lambda effect: -effect.points)), whole


def places(state: ProgramState) -> list[tuple[str, int]]:
    """Path and index of every demo."""
    return [(path, at) for path in state.paths for at in range(len(state.demos(path)))]


def without(state: ProgramState, left_out: Sequence[tuple[str, int]]) -> ProgramState:
    """The state without some demos."""
    return state.with_demos(
        {
            path: [demo for at, demo in enumerate(state.demos(path)) if (path, at) not in left_out]
            for path in {path for path, _ in left_out}
        }
    )


def _label(path: str, at: int) -> str:
    return f"{path} without demo {at}"


def _pairs(
    scores: Mapping[int, float | None], whole: Mapping[int, float | None]
) -> list[tuple[float, float]]:
    both = ((scores[example], whole.get(example)) for example in scores)
    return [(a, b) for a, b in both if a is not None and b is not None]


def _settled(scores: Mapping[int, float | None], whole: Mapping[int, float | None], alpha: float) -> bool:
    pairs = _pairs(scores, whole)
    if not pairs:
        return False
    comparison = paired([a for a, _ in pairs], [b for _, b in pairs])
    never = comparison.wins + comparison.losses == 0 and comparison.n >= _NO_EFFECT_AFTER
    return never or comparison.p <= alpha
