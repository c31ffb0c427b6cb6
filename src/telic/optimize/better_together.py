"""`BetterTogether`: several optimizers in turn, each going on from what the one before it made.

After Soylu, Potts and Khattab (2024), "Fine-Tuning and Prompt Optimization: Two Great Steps that Work Better
Together" (arXiv:2407.10930): steps of prompts (`p`) and of weights (`w`), in any order.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from telic._json import stable_hash
from telic.data.splits import split
from telic.errors import CompileError
from telic.optimize.bootstrap_finetune import BootstrapFinetune
from telic.optimize.optimizer import Optimizer
from telic.optimize.problem import Problem, make_problem
from telic.optimize.random_search import BootstrapFewShotWithRandomSearch
from telic.optimize.strategy import Ask, Choice, Evaluating, Ranked, Strategy, Trial
from telic.program.state import ProgramState

_ARROW = "->"
START = "as given"


class BetterTogether(Optimizer):
    """Chain optimizers, and keep the best program on the way.

    Each step is a compile of its own, with its own run in the record; after each, the program is evaluated on
    the validation examples. A step that fails ends the chain with the best program so far, and a note.

    Args:
        metric: scores a run.
        **optimizers: by the name they have in the strategy; anything with `compile(student, trainset=…)`.
            Without any, `p` is `BootstrapFewShotWithRandomSearch(metric)`, and `w` is
            `BootstrapFinetune(metric)`.

    Raises:
        CompileError: one of them has no `compile`.
    """

    def __init__(self, metric: Any, **optimizers: Any) -> None:
        for name, optimizer in optimizers.items():
            if not callable(getattr(optimizer, "compile", None)):
                raise CompileError(
                    f"BetterTogether({name}={optimizer!r:.100}): an optimizer has a method compile(student, "
                    "trainset=…)."
                )
        self.metric = metric
        self.optimizers = optimizers or {
            "p": BootstrapFewShotWithRandomSearch(metric),
            "w": BootstrapFinetune(metric),
        }
        self.seed = 0

    def get_params(self) -> dict[str, Any]:
        """Steps by name: what kind each is, and its parameters."""
        return {"metric": self.metric, "seed": self.seed, **{k: _told(v) for k, v in self.optimizers.items()}}

    def compile(
        self,
        student: Any,
        *,
        trainset: Sequence[Any],
        teacher: Any = None,
        valset: Sequence[Any] | None = None,
        num_threads: int | None = None,
        max_errors: int | None = None,
        provide_traceback: bool | None = None,
        seed: int | None = None,
        valset_ratio: float = 0.1,
        shuffle_trainset_between_steps: bool = True,
        strategy: str = "p -> w -> p",
        optimizer_compile_args: Mapping[str, Mapping[str, Any]] | None = None,
        run_id: str | None = None,
    ) -> Any:
        """Return the best of the programs that the steps made, the given one among them.

        Args:
            student: the program.
            trainset: examples for the steps.
            teacher: given to each step that takes one.
            valset: examples to choose by, given to each step that takes some; drawn from the trainset by
                default.
            num_threads: given to steps that take it, and used for evaluations here; so is `max_errors`.
            max_errors: errors after which to stop.
            provide_traceback: likewise given.
            seed: of the order of examples and of the draw of the valset.
            valset_ratio: share of the trainset that becomes the valset where none is given. At 0 nothing is
                evaluated, and the last program is returned.
            shuffle_trainset_between_steps: give each step the examples in another order.
            strategy: names of the steps in order, joined by `->`.
            optimizer_compile_args: further arguments by step, which come before those above.
            run_id: name of the run in the record; by default made from everything it depends on.

        Returns:
            The program, with `candidate_programs` (best first; `strategy` tells the steps that made each) and
            `flag_compilation_error_occurred`.

        Raises:
            CompileError: the strategy or the arguments name a step that there is no optimizer for.
        """
        args = {name: dict(given) for name, given in (optimizer_compile_args or {}).items()}
        steps = self._steps(strategy, args)
        self.seed, self.num_threads, self.max_errors = seed or 0, num_threads, max_errors
        if valset is None and valset_ratio > 0 and len(trainset) > 1:
            share = max(1, round(valset_ratio * len(trainset)))
            valset, trainset = split(trainset, [share, -1], self.seed)
        problem = make_problem(student, trainset=trainset, valset=valset, metric=self.metric, seed=self.seed)
        given = {
            "teacher": teacher, "valset": valset, "num_threads": num_threads, "max_errors": max_errors,
            "provide_traceback": provide_traceback,
        }  # fmt: skip
        chain = _Chain(self.optimizers, steps, given, args, shuffle_trainset_between_steps)
        evaluated = valset is not None
        options = {"steps": steps, "evaluated": evaluated, "shuffled": chain.shuffled}
        run = chain.strategy(problem, evaluated=evaluated)
        program = self.run(problem, run, run_id=run_id, options=options)
        return _told_as_documented(program, chain.failed, evaluated=evaluated)

    def _steps(self, strategy: str, args: Mapping[str, Mapping[str, Any]]) -> list[str]:
        steps = [name.strip() for name in strategy.split(_ARROW)]
        unknown = [name for name in steps if name not in self.optimizers]
        if "w" in unknown and "w" not in self.optimizers:
            raise CompileError(
                f"The strategy '{strategy}' has a step of weights, and no optimizer of weights was given. "
                "Give one as BetterTogether(metric, p=…, w=telic.BootstrapFinetune(metric)); or leave the "
                "step out: strategy='p'."
            )
        if unknown:
            raise CompileError(
                f"The strategy '{strategy}' names {unknown}; there are {sorted(self.optimizers)}. Steps are "
                f"joined by '{_ARROW}', as in 'p {_ARROW} p'."
            )
        if surplus := sorted(set(args) - set(self.optimizers)):
            raise CompileError(f"optimizer_compile_args: {surplus}; there are {sorted(self.optimizers)}.")
        if taken := sorted(name for name, given in args.items() if "student" in given):
            raise CompileError(f"optimizer_compile_args[{taken[0]!r}]: the student is given by the chain.")
        for name, given in args.items():
            if refused := sorted(set(given) - set(_accepted(self.optimizers[name].compile, given))):
                raise CompileError(
                    f"optimizer_compile_args[{name!r}]: its compile() does not take {refused}."
                )
        return steps


class _Chain:
    """The strategy: every step is work to be done, whose result is the state it came to."""

    def __init__(
        self,
        optimizers: Mapping[str, Any],
        steps: Sequence[str],
        given: Mapping[str, Any],
        args: Mapping[str, Mapping[str, Any]],
        shuffled: bool,
    ) -> None:
        self.optimizers = optimizers
        self.steps = steps
        self.given = given
        self.args = args
        self.shuffled = shuffled
        self.failed = False

    def strategy(self, problem: Problem, *, evaluated: bool) -> Strategy:
        """Step by step, the best last."""
        state, done = problem.start, START
        ranking, notes = [], []
        ranking.append((yield from _evaluated(problem, state, done)) if evaluated else Ranked(state, done))
        for number, name in enumerate(self.steps):
            (reply,) = yield [self._ask(problem, number, name, state)]
            if reply.failure is not None:
                self.failed = True
                notes.append(f"Step {number + 1} ({name}) failed, and ended the chain: {reply.failure}")
                break
            state = ProgramState.from_json(reply.value["state"])
            done = f" {_ARROW} ".join(self.steps[: number + 1])
            notes += [f"{done}: {note}" for note in reply.value["notes"]]
            if evaluated:
                ranking.append((yield from _evaluated(problem, state, done)))
            else:
                ranking.append(Ranked(state, done))
        ranking.sort(key=lambda ranked: -ranked.mean)
        return Choice(ranking[0].candidate if evaluated else state, tuple(ranking), tuple(notes))

    def _ask(self, problem: Problem, number: int, name: str, state: ProgramState) -> Ask:
        rows = list(problem.trainset)
        if self.shuffled:
            problem.rng("order", number).shuffle(rows)
        optimizer = self.optimizers[name]
        parts = problem.fingerprints(), self.steps, number, state.hash, _told(optimizer)
        # A run of one's own name goes on where it was, and one that is finished is read back.
        chosen = {k: v for k, v in self.given.items() if v is not None}
        given = {**chosen, "trainset": rows, "run_id": f"{stable_hash(parts)[:12]}-{number + 1}{name}"}
        accepted = {**_accepted(optimizer.compile, given), **self.args.get(name, {})}

        def step(number: int, name: str, state: str) -> dict[str, Any]:
            compiled = optimizer.compile(before.apply(problem.student), **accepted)
            report = getattr(compiled, "report", None)
            after = ProgramState.of(compiled)
            if after.paths != before.paths:
                raise CompileError(
                    f"Step '{name}' returned a program with other predictors: {list(after.paths)}."
                )
            return {"state": after.to_json(), "notes": list(report.notes) if report else []}

        before = state
        inputs = {"number": number, "name": name, "state": state.hash}
        like = {"state": state.to_json(), "notes": []}
        return Ask(
            step,
            inputs,
            name=f"step {number + 1}: {name}",
            like=like,
            why=f"step {number + 1}, {name}",
            compiles=isinstance(optimizer, Optimizer),
        )


def _told_as_documented(program: Any, failed: bool, *, evaluated: bool) -> Any:
    for row in program.candidate_programs:
        row["strategy"] = "" if row["label"] == START else row["label"]
        row["score"] = row["score"] if evaluated else None
    program.flag_compilation_error_occurred = failed
    return program


def _evaluated(problem: Problem, state: ProgramState, label: str) -> Evaluating[Ranked]:
    (result,) = yield [Trial(state, problem.validation, why=label)]
    return Ranked(state, label, {o.example: o.score for o in result.outcomes})


def _accepted(compiling: Callable[..., Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that a `compile` takes, of those that there are."""
    parameters = inspect.signature(compiling).parameters
    any_name = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    return {k: v for k, v in given.items() if k in parameters or (any_name and k != "run_id")}


def _told(optimizer: Any) -> dict[str, Any]:
    """An optimizer as JSON: its class, and what of its parameters can be told."""
    parameters = optimizer.get_params() if hasattr(optimizer, "get_params") else vars(optimizer)
    plain = {k: v for k, v in parameters.items() if v is None or isinstance(v, (str, int, float, bool))}
    return {"optimizer": type(optimizer).__qualname__, **plain}
