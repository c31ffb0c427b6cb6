"""`AvatarOptimizer`: an agent's instructions rewritten from what its good runs do and its bad ones do not.

After AvaTaR (Wu et al., 2024, "AvaTaR: Optimizing LLM Agents for Tool Usage via Contrastive Reasoning",
arXiv:2406.11200): a comparator is shown runs that went well beside runs that did not, and what it finds to
tell them apart becomes the next instruction.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from telic.errors import CompileError
from telic.evaluate.runner import run_examples
from telic.modules.avatar import Avatar
from telic.optimize.optimizer import Optimizer
from telic.optimize.problem import Problem, make_problem
from telic.optimize.proposing.showing import clipped
from telic.optimize.strategy import Ask, Asking, Choice, Outcome, Ranked, Result, Strategy, Trial
from telic.program.predict import Predict
from telic.program.state import ProgramState
from telic.signatures import InputField, OutputField, Signature

_MOST_RUNS = 10
_LONGEST_RUN = 1500
"""Characters of a run that the comparator is shown."""


class CompareRuns(Signature):
    """An agent uses tools. Below are runs that went well and runs that went wrong. Find what the good runs do
    that the bad ones do not: the choice of tools, their inputs, their order, when they stop. Then say in
    general terms, not example by example, what the agent should do differently.
    """

    instruction: str = InputField(desc="what the agent is told now")
    tools: list[str] = InputField(desc="the tools it has")
    good_runs: list[str] = InputField(desc="inputs, actions, answer and score of runs that went well")
    bad_runs: list[str] = InputField(desc="the same of runs that went wrong")
    feedback: str = OutputField(desc="what the agent should do differently")


class RewriteInstruction(Signature):
    """Write a better instruction for an agent that uses tools, by the feedback on the one it has. Keep what
    works, stay short, and name tools where that helps.
    """

    instruction: str = InputField(desc="what the agent is told now")
    feedback: str = InputField(desc="what should change")
    new_instruction: str = OutputField(desc="the whole new instruction")


class AvatarOptimizer(Optimizer):
    """Improve the instruction by which an `Avatar` chooses its actions.

    In each round the agent is run on all examples, some good and some bad runs are compared, and the
    instruction is rewritten by what was found. All runs are needed for that, so candidates are not raced.
    The runs are scored with a trace, since their actions are looked at.

    Args:
        metric: scores a run.
        max_iters: rounds: how often the instruction is rewritten.
        lower_bound: a run with at most this score is a bad one.
        upper_bound: a run with at least this score is a good one.
        max_positive_inputs: good runs shown to the comparator, at most; 10 by default.
        max_negative_inputs: bad runs shown to it, at most; 10 by default.
        optimize_for: `"max"`, or `"min"` for metrics of which less is better; the bounds then change places.
        prompt_model: the model that compares and rewrites; `settings.lm` by default.
        num_threads: how many examples at once; `settings.num_threads` by default.
        max_errors: errors after which to stop; `settings.max_errors` by default.
        seed: of the draw of runs.

    Raises:
        CompileError: another `optimize_for`, or bounds in the wrong order.
    """

    def __init__(
        self,
        metric: Any,
        max_iters: int = 10,
        lower_bound: float = 0,
        upper_bound: float = 1,
        max_positive_inputs: int | None = None,
        max_negative_inputs: int | None = None,
        optimize_for: Literal["max", "min"] = "max",
        *,
        prompt_model: Any = None,
        num_threads: int | None = None,
        max_errors: int | None = None,
        seed: int = 0,
    ) -> None:
        if optimize_for not in ("max", "min"):
            raise CompileError(f'AvatarOptimizer(optimize_for={optimize_for!r}) must be "max" or "min".')
        if lower_bound >= upper_bound:
            raise CompileError(f"AvatarOptimizer: lower_bound={lower_bound} must be below {upper_bound=}.")
        self.metric = metric
        self.max_iters = max_iters
        self.lower_bound = lower_bound
        self.upper_bound = upper_bound
        self.max_positive_inputs = max_positive_inputs or _MOST_RUNS
        self.max_negative_inputs = max_negative_inputs or _MOST_RUNS
        self.optimize_for = optimize_for
        self.prompt_model = prompt_model
        self.num_threads = num_threads
        self.max_errors = max_errors
        self.seed = seed

    def compile(self, student: Any, *, trainset: Sequence[Any], run_id: str | None = None) -> Any:
        """Return a copy of `student` with the instruction that did best on the trainset.

        Args:
            student: an `Avatar`, or a program with one in it.
            trainset: examples to run it on.
            run_id: name of the run in the record; by default made from everything it depends on.

        Raises:
            CompileError: there is not exactly one `Avatar` in the program.
            DataError: the trainset is empty.
            MetricError: the metric cannot be called.
        """
        problem = make_problem(student, trainset=trainset, valset=None, metric=self.metric, seed=self.seed)
        return self.run(problem, self.strategy(problem), run_id=run_id)

    def process_example(self, actor: Any, example: Any, return_outputs: bool) -> Any:
        """Run a program on one example: its score, or `(example, prediction, score)`; 0 where it failed."""
        (outcome,) = run_examples(actor, [example], self.metric, num_threads=1)
        score = outcome.score or 0
        return (example, outcome.prediction, score) if return_outputs else score

    def thread_safe_evaluator(
        self, devset: Sequence[Any], actor: Any, return_outputs: bool = False, num_threads: int | None = None
    ) -> Any:
        """Run a program on examples: its mean score, or `(mean, [(example, prediction, score), …])`."""
        outcomes = run_examples(actor, devset, self.metric, num_threads=num_threads or self.num_threads)
        rows = [(outcome.example, outcome.prediction, outcome.score or 0) for outcome in outcomes]
        mean = sum(score for _, _, score in rows) / len(rows) if rows else 0.0
        return (mean, rows) if return_outputs else mean

    def strategy(self, problem: Problem) -> Strategy:
        """Run, compare, rewrite; the best instruction of all rounds."""
        if problem.metric is None:
            raise CompileError(
                "AvatarOptimizer needs a metric: it learns from what is scored well and badly."
            )
        agent = _Agent(problem.student)
        state, notes = problem.start, []
        ranking: list[Ranked] = []
        for number in range(self.max_iters + 1):
            label = "as given" if number == 0 else f"round {number}"
            (result,) = yield [Trial(state, problem.validation, keep_steps=True, why=label)]
            ranking.append(Ranked(state, label, {o.example: o.score for o in result.outcomes}))
            good, bad = self._good_and_bad(problem, result, number)
            if not bad:
                notes.append(f"{label}: no run was bad enough to learn from.")
                break
            if number < self.max_iters:
                text = yield from self._rewritten(problem, agent, state, good, bad, number)
                if text is None:
                    notes.append(f"{label}: no new instruction could be read.")
                else:
                    state = state.with_instructions({agent.path: text})
        sign = 1 if self.optimize_for == "max" else -1
        ranking.sort(key=lambda ranked: -sign * ranked.mean)
        return Choice(ranking[0].candidate, tuple(ranking), tuple(notes))

    def _good_and_bad(
        self, problem: Problem, result: Result, number: int
    ) -> tuple[list[Outcome], list[Outcome]]:
        scored = [(outcome, outcome.score) for outcome in result.outcomes if outcome.score is not None]
        high = [outcome for outcome, score in scored if score >= self.upper_bound]
        low = [outcome for outcome, score in scored if score <= self.lower_bound]
        good, bad = (high, low) if self.optimize_for == "max" else (low, high)
        chance = problem.rng("runs", number)
        return (
            chance.sample(good, min(self.max_positive_inputs, len(good))),
            chance.sample(bad, min(self.max_negative_inputs, len(bad))),
        )

    def _rewritten(
        self,
        problem: Problem,
        agent: _Agent,
        state: ProgramState,
        good: Sequence[Outcome],
        bad: Sequence[Outcome],
        number: int,
    ) -> Asking[str | None]:
        instruction = state.instructions(agent.path)
        compare = Ask(
            Predict(CompareRuns),
            {
                "instruction": instruction,
                "tools": agent.tools,
                "good_runs": [agent.told(problem, outcome) for outcome in good],
                "bad_runs": [agent.told(problem, outcome) for outcome in bad],
            },
            lm=self.prompt_model,
            rollout=number,
            like={"feedback": "Search before you answer, and stop once the answer was found."},
            why="compare runs",
        )
        (found,) = yield [compare]
        feedback = (found.value or {}).get("feedback")
        if not feedback:
            return None
        rewrite = Ask(
            Predict(RewriteInstruction),
            {"instruction": instruction, "feedback": str(feedback)},
            lm=self.prompt_model,
            rollout=number,
            like={"new_instruction": f"{instruction} Search before you answer."},
            why="rewrite the instruction",
        )
        (written,) = yield [rewrite]
        return str((written.value or {}).get("new_instruction") or "").strip() or None


class _Agent:
    """The `Avatar` of a program: where its instruction is, its tools, and how its runs are told."""

    def __init__(self, program: Any) -> None:
        agents = [module for _, module in program.named_sub_modules(Avatar)]
        if len(agents) != 1:
            raise CompileError(
                f"AvatarOptimizer improves the instruction of an Avatar; {type(program).__name__} has "
                f"{len(agents)} of them. Make it telic.modules.avatar.Avatar(signature, tools), or a program "
                "with one."
            )
        paths = {id(predictor): path for path, predictor in program.named_predictors()}
        self.path = paths[id(agents[0].actor)]
        self.tools = [str(tool.format()) for tool in agents[0].tools]
        self._finish = paths[id(agents[0].finish)]

    def told(self, problem: Problem, outcome: Outcome) -> str:
        """A run in a few lines."""
        inputs = problem.valset[outcome.example].inputs().toDict()
        steps = [values for path, values in outcome.steps if path == self._finish]
        lines = [f"inputs: {_short(inputs)}"]
        last: Mapping[str, Any] = steps[-1] if steps else {}
        for action in last.get("actions") or ():
            lines.append(f"{action['tool_name']}({action['tool_input_query']!r}) -> {action['tool_output']}")
        answer = {name: value for name, value in last.items() if name != "actions" and name not in inputs}
        lines.append(f"answer: {_short(answer)}" if answer else f"no answer: {outcome.failure or 'it ended'}")
        lines.append(f"score: {outcome.score:g}" + (f", {outcome.feedback}" if outcome.feedback else ""))
        return clipped("\n".join(lines), _LONGEST_RUN)


def _short(values: Mapping[str, Any]) -> str:
    return json.dumps(dict(values), ensure_ascii=False, default=str)
