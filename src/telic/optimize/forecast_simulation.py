"""A strategy run without a model: its trials get made-up scores, its asks are answered from `Ask.like`.

What a strategy asks for depends on the scores it is told: bootstrapping goes on until enough runs were good,
a race stops who falls behind. So it is run several times, each time told of another world.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn, TypeAlias

from telic._json import stable_hash
from telic.budget.caps import Budget
from telic.errors import CompileError
from telic.optimize.asking import plain_value
from telic.optimize.forecast_calls import Range, Shape, Take, by_model, shapes, size_of
from telic.optimize.problem import Problem
from telic.optimize.running import running_by
from telic.optimize.strategy import Ask, Choice, Outcome, Reply, Result, Strategy, Trial
from telic.program.predictor_state import demo_to_json
from telic.runtime import scope as scopes
from telic.runtime.settings import settings

Measured: TypeAlias = dict[Any, tuple[Any, list[Shape]]]
Quality: TypeAlias = Literal["good", "bad", "mixed", "rare", "spread", "rising", "unread"]


@dataclass(frozen=True, slots=True)
class World:
    """What a simulated strategy is told.

    Attributes:
        train: how runs on training examples are scored: all `good`, all `bad`, `mixed` (every other one is
            good), `rare` (one in seven), `spread` (each candidate has a quality of its own), `rising` (each
            new candidate is better), or `unread`: no answer can be read.
        val: the same for validation examples.
        asks: whether models reply to asks as they should; otherwise every reply is a failure.
        seed: of chance.
    """

    train: Quality
    val: Quality
    asks: bool = True
    seed: int = 0


LIKELY = tuple(World("spread", "spread", seed=seed) for seed in range(3))
"""Worlds whose mean is what is expected."""
EXTREME = (
    World("good", "good"),
    World("good", "spread"),
    World("good", "rising"),
    World("bad", "bad"),
    World("mixed", "good"),
    World("mixed", "mixed"),
    World("rare", "good"),
    World("rare", "spread"),
    World("rising", "rising"),
    World("unread", "unread"),
    World("rare", "bad", asks=False),
    World("good", "spread", asks=False),
)
"""Worlds among which the fewest and the most calls are looked for."""


@dataclass
class Simulation:
    """One world, and what strategies took in it. Call it in the place of the engine.

    Attributes:
        world: what strategies are told.
        measured: shapes of programs, shared by simulations.
        takes: what was taken, by model.
        scores: how many runs were scored.
        steps: how often strategies asked for something.
    """

    world: World
    measured: Measured = field(default_factory=dict)
    takes: dict[str, Take] = field(default_factory=dict)
    scores: int = 0
    steps: int = 0
    _paid: set[Any] = field(default_factory=set)
    _known: dict[Any, Outcome | Reply] = field(default_factory=dict)
    _order: dict[str, int] = field(default_factory=dict)

    def run(self, problem: Problem, strategy: Strategy, budget: Budget | None = None) -> Choice:
        """Ask, tell, until the strategy chooses; no more is taken than budgets in force allow."""
        before = dict(self.takes)
        choice = self._chosen(problem, strategy)
        caps = [each for each in (*scopes.current().budgets, budget) if isinstance(each, Budget)]
        left = [each.caps["calls"] - each.spent.calls for each in caps if "calls" in each.caps]
        if left:
            self.takes = capped(before, self.takes, max(0, min(left)))
        return choice

    def _chosen(self, problem: Problem, strategy: Strategy) -> Choice:
        told: Sequence[Any] | None = None
        while True:
            try:
                asked = list(next(strategy)) if told is None else list(strategy.send(told))
            except StopIteration as end:
                choice: Choice = end.value
                return choice
            self.steps += 1
            told = [self._told(problem, each) for each in asked]

    def _told(self, problem: Problem, asked: Any) -> Result | Reply:
        return self._result(problem, asked) if isinstance(asked, Trial) else self._reply(asked)

    # Trials.

    def _result(self, problem: Problem, trial: Trial) -> Result:
        return Result(trial, tuple(self._outcome(problem, trial, example) for example in trial.examples))

    def _outcome(self, problem: Problem, trial: Trial, example: int) -> Outcome:
        how = (trial.pool, trial.teacher, trial.rollout, trial.keep_steps, trial.feedback_for)
        key = (trial.candidate.hash, *how, example)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._made_up(problem, trial, example)
        assert isinstance(known, Outcome)
        return known

    def _made_up(self, problem: Problem, trial: Trial, example: int) -> Outcome:
        pool = problem.trainset if trial.pool == "train" else problem.valset
        row = demo_to_json(pool[example])
        self._take_run(problem, trial, stable_hash(row))
        score = None
        if problem.metric is not None:
            self.scores += 1
            score = self._score(trial, stable_hash(row))
        unread = "unread" in (self.world.train if trial.pool == "train" else self.world.val)
        again = sum(shape.calls.worst for shape in self._program_shapes(problem, False))
        return Outcome(
            example,
            score,
            "AdapterParseError: made up" if unread else None,
            feedback="The answer is not what was asked for." if trial.feedback_for else None,
            steps=tuple(_steps(problem, row)) if trial.keep_steps and not unread else (),
            calls=round(again) if unread else 1,
            tokens=100,
        )

    def _take_run(self, problem: Problem, trial: Trial, row: str) -> None:
        other = trial.teacher and (problem.teacher is not problem.student or problem.teacher_settings)
        found = self._program_shapes(problem, bool(other))
        # One request is asked once, whatever it is asked for, where answers are recorded.
        key = (bool(other), trial.candidate.hash, row, trial.rollout)
        if all(shape.recorded for shape in found):
            if key in self._paid:
                return
            self._paid.add(key)
        paths = set(trial.candidate.paths)
        taken = [
            (shape.model, shape.take(size_of(trial.candidate, shape.path) if shape.path in paths else 0))
            for shape in found
        ]
        self._add(taken, self._metric_shapes(problem))

    def _add(self, taken: list[tuple[str, Take]], metric: list[Shape]) -> None:
        more = [(shape.model, shape.take(shape.size)) for shape in metric]
        self.takes = by_model([*self.takes.items(), *taken, *more])

    def _program_shapes(self, problem: Problem, teacher: bool) -> list[Shape]:
        program = problem.teacher if teacher else problem.student
        return self._measured(program, problem, problem.teacher_settings if teacher else {})

    def _metric_shapes(self, problem: Problem) -> list[Shape]:
        metric = problem.metric.metric if problem.metric else None
        return self._measured(metric, problem, {}) if hasattr(metric, "named_predictors") else []

    def _measured(self, program: Any, problem: Problem, chosen: Mapping[str, Any]) -> list[Shape]:
        key = (id(program), bool(chosen))
        if key not in self.measured:
            with settings.context(**chosen):
                found = shapes(program, [demo_to_json(row) for row in problem.trainset])
            # The program is kept, so that no other gets its id.
            self.measured[key] = (program, found)
        return self.measured[key][1]

    def _score(self, trial: Trial, row: str) -> float:
        world = self.world
        kind = world.train if trial.pool == "train" else world.val
        candidate = trial.candidate.hash
        self._order.setdefault(candidate, len(self._order))
        flat = {"good": 1.0, "bad": 0.0, "unread": 0.0, "mixed": 0.5, "rare": 0.15}
        if kind in flat:
            return float(_chance(world.seed, candidate, row, trial.rollout) < flat[kind])
        if kind == "rising":
            quality = 1.0 - 0.9 * 0.75 ** self._order[candidate]
        else:
            quality = 0.2 + 0.7 * _chance(world.seed, candidate)
        # Some examples are harder than others, for all candidates alike.
        return float(_chance(world.seed, row) < quality)

    # Asks.

    def _reply(self, ask: Ask) -> Reply:
        known = self._known.get(ask.key)
        if known is None:
            self._take_ask(ask)
            known = self._known[ask.key] = self._answer(ask)
        assert isinstance(known, Reply)
        return known

    def _answer(self, ask: Ask) -> Reply:
        if ask.compiles:
            return Reply(ask, plain_value(ask.program(**ask.inputs)))
        if not self.world.asks:
            return Reply(ask, failure="AdapterParseError: made up", calls=1, tokens=100)
        like = ask.like
        if like is None and hasattr(ask.program, "predictors"):
            like = dict.fromkeys(ask.program.predictors()[-1].signature.output_fields, "some words")
        value = None if like is None else {name: _varied(text, ask.key) for name, text in like.items()}
        return Reply(ask, value, calls=1, tokens=100, cost=0.0)

    def _take_ask(self, ask: Ask) -> None:
        if not hasattr(ask.program, "named_predictors"):
            return
        with settings.context(**({} if ask.lm is None else {"lm": ask.lm})):
            found = shapes(ask.program, [dict(ask.inputs)], growing=False)
        self._add([(shape.model, shape.take(shape.size)) for shape in found], [])


class NoCalls:
    """A budget that lets no call through: what a forecast runs under."""

    def reserve(self, request: Any) -> NoReturn:
        """Refuse."""
        raise CompileError(
            f"A forecast makes no calls, but {request.model} was asked outside of the strategy's trials and "
            "asks. Yield an Ask for it, so that it is journaled, and can be forecast."
        )

    def settle(self, ticket: Any, response: Any) -> None:
        """Never reached."""


def simulate(world: World, compile_: Callable[[], Any], measured: Measured) -> Simulation:
    """What a compile takes in a world.

    Args:
        world: what its strategies are told.
        compile_: calls `compile` of the optimizer.
        measured: shapes of programs as far as they are known; more are added.
    """
    made = Simulation(world, measured)
    budgets = (*scopes.current().budgets, NoCalls())
    with running_by(made.run), scopes.within(budgets=budgets):
        compile_()
    return made


def capped(before: Mapping[str, Take], after: Mapping[str, Take], calls: float) -> dict[str, Take]:
    """What was taken, where of what was added no more than so many calls could be made.

    Args:
        before: by model.
        after: the same and more.
        calls: what a budget allows in between.
    """
    made = sum((take.calls for take in after.values()), Range())
    earlier = sum((take.calls for take in before.values()), Range())
    added = Range(made.low - earlier.low, made.expected - earlier.expected, made.worst - earlier.worst)
    share = [min(1.0, calls / n) if n > 0 else 1.0 for n in (added.low, added.expected, added.worst)]
    return {model: take.since(before.get(model, Take()), share) for model, take in after.items()}


def _steps(problem: Problem, row: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """A run's steps as demos: the example's own values, and made-up ones for what it has none for."""
    steps = []
    for path, predictor in problem.student.named_predictors():
        fields = [*predictor.signature.input_fields, *predictor.signature.output_fields]
        made = f"what {path} made of {stable_hash(row)[:6]}"
        steps.append((path, {name: row.get(name, made) for name in fields}))
    return steps


def _varied(value: Any, key: str) -> Any:
    """Prose is made different for every ask; anything else is taken as it is."""
    if isinstance(value, str) and " " in value:
        return f"{value} ({key[:6]})"
    if isinstance(value, list):
        return [_varied(part, f"{index}{key}") for index, part in enumerate(value)]
    return value


def _chance(*purpose: Any) -> float:
    """A number in [0, 1) that is a function of its purpose."""
    return int(stable_hash(list(purpose))[:12], 16) / 16**12
