"""`InferRules`: rules that a model infers from examples, added to instructions.

An optimizer of DSPy (Khattab et al., 2023, arXiv:2310.03714) without a paper of its own; the idea is that of
instruction induction (Honovich et al., 2022, arXiv:2205.10782).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from telic.data.example import Example
from telic.errors import CompileError, DataError
from telic.evaluate.evaluate import Evaluate
from telic.evaluate.metric import bind_metric
from telic.lm.base import BaseLM
from telic.optimize.bootstrap_few_shot import BootstrapFewShot
from telic.optimize.demos.packing import pack
from telic.optimize.problem import Problem, kept_back
from telic.optimize.proposing.rules import find_rules, rules_in, with_rules
from telic.optimize.proposing.showing import example_text
from telic.optimize.racing import race
from telic.optimize.strategy import Asking, Choice, Strategy
from telic.program.state import ProgramState

if TYPE_CHECKING:
    from telic.budget import Budget

_MOST_EXAMPLES = 40
"""Examples that rules are read off at once."""


class InferRules(BootstrapFewShot):
    """Bootstrap demos, have rules inferred from examples several times, and keep the best program.

    The candidates are the program as given, with demos, and `num_candidates` times with demos and rules.

    Args:
        num_candidates: sets of rules tried.
        num_rules: rules of a set, at most.
        num_threads: how many examples at once; `settings.num_threads` by default.
        teacher_settings: settings for the teacher, such as `{"lm": larger_model}`.
        prompt_model: the model that infers; by default the teacher's, else `settings.lm`.
        racing: stop candidates early that fall behind on the same examples; off, every candidate sees
            every example.
        **kwargs: as for `BootstrapFewShot`: `metric`, `max_bootstrapped_demos`, `max_labeled_demos`, ….
    """

    def __init__(
        self,
        num_candidates: int = 10,
        num_rules: int = 10,
        num_threads: int | None = None,
        teacher_settings: dict[str, Any] | None = None,
        *,
        prompt_model: BaseLM | None = None,
        racing: bool = True,
        **kwargs: Any,
    ) -> None:
        if num_candidates < 1 or num_rules < 1:
            raise CompileError(f"{num_candidates=} and {num_rules=} must be at least 1.")
        super().__init__(teacher_settings=teacher_settings, num_threads=num_threads, **kwargs)
        self.num_candidates = num_candidates
        self.num_rules = num_rules
        self.prompt_model = prompt_model
        self.racing = racing

    def compile(
        self,
        student: Any,
        *,
        teacher: Any = None,
        trainset: Sequence[Any],
        valset: Sequence[Any] | None = None,
        run_id: str | None = None,
        budget: Budget | None = None,
    ) -> Any:
        """Return the best candidate as a copy of `student`.

        Args:
            student: the program.
            teacher: a program with the same predictors; the student itself by default.
            trainset: examples that demos are made of, and rules are read off.
            valset: examples that candidates are compared on; by default the second half of the trainset,
                which then is not trained on.
            run_id: name of the run in the record; by default made from everything it depends on.
            budget: caps of this compile, such as `telic.budget(calls=500)`.

        Raises:
            CompileError: student and teacher do not match, or there are too many errors.
            DataError: an empty set, or a single example to be split in two.
            MetricError: there is no metric, or it cannot be called.
        """
        train, val = kept_back(trainset, valset, lambda count: count - count // 2, "InferRules")
        bind_metric(self.metric)  # it cannot do without one
        problem = self.problem(student, train, teacher, val)
        return self.run(problem, self.strategy(problem), run_id=run_id, budget=budget)

    def strategy(self, problem: Problem) -> Strategy:
        """Bootstrap, infer, race."""
        _, shown = yield from self.bootstrapped(problem)
        notes: list[str] = []
        candidates = {"as given": problem.start, "demos without rules": shown}
        for number, ruled in enumerate((yield from self._ruled(problem, shown, notes)), 1):
            candidates[f"rules {number}"] = ruled
        packed = {}
        for label, state in candidates.items():
            packed[label], found = pack(problem, state)
            notes += [f"{label}: {note}" for note in found]
        ranking = yield from race(problem, packed, keep=("as given",), racing=self.racing)
        return Choice(ranking[0].candidate, tuple(ranking), tuple(notes))

    def _ruled(self, problem: Problem, shown: ProgramState, notes: list[str]) -> Asking[list[ProgramState]]:
        """The candidates with rules, each once."""
        lm = self.prompt_model or self.teacher_settings.get("lm")
        wanted = [(number, path) for number in range(self.num_candidates) for path in shown.paths]
        replies = yield [
            find_rules(
                self._rows(problem, shown, path, number),
                most=self.num_rules,
                lm=lm,
                rollout=number + 1,
                why="infer rules",
            )
            for number, path in wanted
        ]
        found: dict[int, dict[str, str]] = {}
        for (number, path), reply in zip(wanted, replies, strict=True):
            rules = rules_in(reply.value, self.num_rules)
            if rules:
                found.setdefault(number, {})[path] = with_rules(shown.instructions(path), rules)
            else:
                why = (reply.failure or "the reply was empty").splitlines()[0]
                notes.append(f"Set {number + 1} has no rules for {path}: {why}")
        return list(dict.fromkeys(shown.with_instructions(texts) for texts in found.values()))

    def _rows(self, problem: Problem, shown: ProgramState, path: str, number: int) -> list[Mapping[str, Any]]:
        """What rules for a predictor are read off: other examples each time, in another order."""
        predictor = dict(problem.student.named_predictors())[path]
        rows = self.get_predictor_demos(problem.trainset, predictor)
        # A step that the data has no labels for is known by the runs of the teacher alone.
        rows = rows or [dict(demo) for demo in shown.demos(path)]
        problem.rng("rules", path, number).shuffle(rows)
        return list(rows[:_MOST_EXAMPLES])

    # The parts, for subclasses and for use by hand.

    def get_predictor_demos(self, trainset: Sequence[Any], predictor: Any) -> list[dict[str, Any]]:
        """Those training examples that have every field of a predictor but its reasoning, as such fields."""
        names = list(predictor.signature.fields)
        needed = [name for name in names if name != "reasoning"]
        rows = [example.toDict() for example in trainset]
        return [
            {name: row[name] for name in names if name in row}
            for row in rows
            if all(name in row for name in needed)
        ]

    def format_examples(self, demos: Sequence[Any], signature: Any) -> str:
        """Examples as text, a line each, with the fields of a signature."""
        names = set(signature.fields)
        rows = [{k: v for k, v in Example(demo).toDict().items() if k in names} for demo in demos]
        return "\n".join(example_text(row) for row in rows)

    def induce_natural_language_rules(self, predictor: Any, trainset: Sequence[Any]) -> str:
        """Ask for rules for a predictor, now; `""` where the reply has none.

        Raises:
            DataError: no training example has the fields of the predictor.
        """
        rows = self.get_predictor_demos(trainset, predictor)[:_MOST_EXAMPLES]
        if not rows:
            raise DataError(f"No example has all of {', '.join(predictor.signature.fields)}.")
        ask = find_rules(rows, most=self.num_rules, lm=None, rollout=0, why="")
        lm = self.prompt_model or self.teacher_settings.get("lm")
        reply = ask.program(**ask.inputs, **({} if lm is None else {"lm": lm}))
        return rules_in(reply.toDict(), self.num_rules)

    def update_program_instructions(self, predictor: Any, natural_language_rules: str) -> None:
        """Add rules to the instructions of a live predictor."""
        text = with_rules(predictor.signature.instructions, natural_language_rules)
        predictor.signature = predictor.signature.with_instructions(text)

    def evaluate_program(self, program: Any, dataset: Sequence[Any]) -> float:
        """Mean score of a program on examples, in percent."""
        evaluate = Evaluate(
            devset=dataset, metric=self.metric, num_threads=self.num_threads, max_errors=self.max_errors
        )
        return float(evaluate(program).score)
