"""What a strategy is: it asks for candidates to be evaluated, is told the scores, and in the end names the
best.

A strategy is written as a generator: each `yield` asks (a list of trials), what the `yield` gives back tells
(their results, in the same order), and what it returns is its choice. It must be a function of the problem
and of what it was told alone: no clock, no files, no shared random generator (there is
`problem.rng("purpose", step)`). A killed run then goes on by running the strategy again and answering from
the journal what was already paid for.

    def three_seeds(problem):
        trials = [Trial(with_demos_of(problem, seed), problem.validation) for seed in range(3)]
        results = yield trials
        best = max(results, key=lambda result: result.mean)
        return Choice(best.trial.candidate)

What a strategy wants from a model (instructions, advice, rules) it asks for in the same way: a step of `Ask`s
gives back their `Reply`s. They too are run by the engine, and journaled.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeAlias, TypeVar

from telic._json import stable_hash
from telic.lm.base import BaseLM
from telic.optimize.scores import mean
from telic.program.state import ProgramState
from telic.signatures.validation import to_jsonable

V = TypeVar("V")
Pool: TypeAlias = Literal["train", "val"]


@dataclass(frozen=True, slots=True)
class Trial:
    """One thing to evaluate: a candidate on some examples.

    Attributes:
        candidate: the state to run the program with.
        examples: positions in the pool.
        pool: the training or the validation examples.
        teacher: run the teacher program instead of the student, and keep each example out of its own demos.
        rollout: which sample of the program this is; others than 0 are drawn at temperature 1.
        keep_steps: also bring back what each predictor was given and gave, as demonstrations, and the
            program's output.
        feedback_for: predictor paths for which the metric is also asked by name, with their calls in the run
            (metrics with five arguments); the score is that of a question without a trace. `None`: the metric
            is asked once, with the trace where steps are kept.
        why: what it is for, in a few words, for the journal and the live view.
    """

    candidate: ProgramState
    examples: tuple[int, ...]
    pool: Pool = "val"
    teacher: bool = False
    rollout: int = 0
    keep_steps: bool = False
    why: str = ""
    feedback_for: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one example came to.

    Attributes:
        example: position in the pool.
        score: the metric's score; `None` where there is none because of an error.
        failure: why the model's answer could not be read, where it could not (it then scores 0).
        feedback: what the metric said.
        steps: `(predictor path, inputs and outputs as JSON)` in order of calling, where asked for.
        calls: LM calls made or taken from the record.
        tokens: prompt and completion tokens of the program's calls, whether made or taken from the record.
        cost: US dollars that these cost when they were made, `None` where unknown.
        feedback_by: predictor path to what the metric said of it, where asked for and called.
        output: what the program returned, as JSON, where steps were asked for.
        unread: `(predictor path, the model's text)` where it could not be read and steps were asked for.
        seconds: that the program's calls took when they were made, one after the other.
    """

    example: int
    score: float | None
    failure: str | None = None
    feedback: Any = None
    steps: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    calls: int = 0
    tokens: int = 0
    cost: float | None = None
    feedback_by: Mapping[str, Any] = field(default_factory=dict)
    output: Any = None
    unread: tuple[str, str] | None = None
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Without what is empty."""
        row: dict[str, Any] = {"example": self.example, "score": self.score, "calls": self.calls}
        row |= {"tokens": self.tokens, "cost": self.cost}
        row |= {k: v for k in ("failure", "feedback", "output") if (v := getattr(self, k)) is not None}
        if self.steps:
            row["steps"] = [[path, dict(values)] for path, values in self.steps]
        if self.feedback_by:
            row["feedback_by"] = dict(self.feedback_by)
        if self.unread is not None:
            row["unread"] = list(self.unread)
        if self.seconds:
            row["seconds"] = round(self.seconds, 4)
        return row

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Outcome:
        """The inverse of `to_json`."""
        return cls(
            row["example"],
            row["score"],
            row.get("failure"),
            row.get("feedback"),
            tuple((path, values) for path, values in row.get("steps", ())),
            row.get("calls", 0),
            row.get("tokens", 0),
            row.get("cost"),
            row.get("feedback_by", {}),
            row.get("output"),
            tuple(row["unread"]) if "unread" in row else None,
            row.get("seconds", 0.0),
        )


@dataclass(frozen=True, slots=True)
class Result:
    """A trial and its outcomes, in the order of its examples."""

    trial: Trial
    outcomes: tuple[Outcome, ...]

    @property
    def scores(self) -> list[float | None]:
        """One score per example; `None` where an error left none."""
        return [outcome.score for outcome in self.outcomes]

    @property
    def mean(self) -> float:
        """Mean of the scores there are; 0 where there is none."""
        return mean(self.scores)


@dataclass(frozen=True, eq=False)
class Ask:
    """Something other than an evaluation that a strategy needs done, once: a proposal, a piece of advice.

    Attributes:
        program: called with `inputs`; what it returns is brought back as JSON. A class with a `forward`, or a
            function, may do anything here whose result is JSON.
        inputs: keyword arguments, as JSON.
        lm: the model to ask; `None` for `settings.lm`.
        rollout: which sample this is; others than 0 are drawn anew.
        temperature: of the sampling, where it is to differ from the model's own.
        name: what tells this from other asks with the same inputs; by default the state of the program.
        like: what a reply may look like, for forecasts: output fields to plausible values.
        why: what it is for, in a few words, for the journal and the live view.
        compiles: what it does is to run other optimizers, and models are asked through these alone; a
            forecast does that too, and counts what they take.
    """

    program: Callable[..., Any]
    inputs: Mapping[str, Any]
    lm: BaseLM | None = None
    rollout: int = 0
    temperature: float | None = None
    name: str = ""
    like: Mapping[str, Any] | None = None
    why: str = ""
    compiles: bool = False

    @cached_property
    def key(self) -> str:
        """Stable hash of what the reply depends on: the same in every process."""
        lm = None if self.lm is None else [self.lm.dump_state(), self.lm.endpoint]
        name = self.name or _identity(self.program)
        return stable_hash([name, to_jsonable(dict(self.inputs)), lm, self.rollout, self.temperature])


@dataclass(frozen=True, slots=True)
class Reply:
    """What an ask came to.

    Attributes:
        ask: what was asked.
        value: the fields that the program returned (or its JSON value); `None` where it gave none.
        failure: why there is none: an answer that could not be read, or an error.
        calls: LM calls made or taken from the record.
        tokens: prompt and completion tokens of these.
        cost: US dollars, `None` where unknown.
        note: what was cut of its inputs to fit the model's window.
    """

    ask: Ask
    value: Any = None
    failure: str | None = None
    calls: int = 0
    tokens: int = 0
    cost: float | None = None
    note: str | None = None

    def to_json(self) -> dict[str, Any]:
        """All but what was asked."""
        row = {"value": self.value, "calls": self.calls, "tokens": self.tokens, "cost": self.cost}
        told = {"failure": self.failure, "note": self.note}
        return row | {name: text for name, text in told.items() if text is not None}


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate with what is known of it.

    Attributes:
        candidate: its state.
        label: what it is, in a few words.
        scores: score by validation example.
        stopped: it fell behind before it had seen every example.
    """

    candidate: ProgramState
    label: str
    scores: Mapping[int, float | None] = field(default_factory=dict)
    stopped: bool = False

    @property
    def mean(self) -> float:
        """Mean of the scores there are; 0 where there is none."""
        return mean(self.scores.values())


@dataclass(frozen=True, slots=True)
class Choice:
    """What a strategy ends with.

    Attributes:
        candidate: the state chosen.
        ranking: every candidate it considered, best first.
        notes: what a user should know, a sentence each.
    """

    candidate: ProgramState
    ranking: tuple[Ranked, ...] = ()
    notes: tuple[str, ...] = ()


Step: TypeAlias = Sequence[Trial] | Sequence[Ask]
Strategy: TypeAlias = Generator[Step, Sequence[Any], Choice]
Evaluating: TypeAlias = Generator[Sequence[Trial], Sequence[Result], V]
"""A part of strategies that evaluates, and comes to a `V`."""
Asking: TypeAlias = Generator[Sequence[Ask], Sequence[Reply], V]
"""A part of strategies that asks, and comes to a `V`."""


def _identity(program: Any) -> Any:
    if hasattr(program, "named_predictors"):
        return [type(program).__qualname__, ProgramState.of(program).hash]
    return f"{getattr(program, '__module__', '')}.{getattr(program, '__qualname__', repr(type(program)))}"
