"""The options MIPROv2 chooses from, made by a teacher and a proposing model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from telic.lm.base import BaseLM
from telic.optimize.bootstrap_few_shot import teacher_state
from telic.optimize.demos.bootstrap import bootstrap
from telic.optimize.mipro.plan import Plan
from telic.optimize.mipro.space import Demos, Space
from telic.optimize.problem import Problem
from telic.optimize.proposing.data_summary import summarise_data
from telic.optimize.proposing.history import Attempt, earlier_attempts, history_text
from telic.optimize.proposing.instructions import Ground, instruction_in, propose_instruction
from telic.optimize.proposing.program_view import ProgramView, describe_program
from telic.optimize.proposing.tips import TIPS, draw_tips
from telic.optimize.random_search import BootstrapFewShotWithRandomSearch
from telic.optimize.strategy import Asking, Evaluating

_DEMOS_IN_CONTEXT = 3
"""Demos that a proposal is shown."""


@dataclass(frozen=True, slots=True)
class Grounding:
    """What proposals are grounded in.

    Attributes:
        data: a summary of the training set.
        program: a description of the program and its steps.
        tips: a tip for each proposal.
        demos: demos of the step.
        history: instructions that were tried before, and the current one with its score.
        batch: examples looked at at once for the summary.
    """

    data: bool = True
    program: bool = True
    tips: bool = True
    demos: bool = True
    history: bool = True
    batch: int = 10


@dataclass(frozen=True, slots=True)
class Proposer:
    """Makes the options.

    Attributes:
        problem: what is compiled.
        plan: how many are wanted.
        grounding: what instructions are grounded in.
        lm: the model that proposes; `None` for `settings.lm`.
        temperature: of the proposals.
        max_bootstrapped: most bootstrapped demos of a set.
        max_labeled: most demos of both kinds of a set.
        notes: what went wrong is added here.
    """

    problem: Problem
    plan: Plan
    grounding: Grounding
    lm: BaseLM | None
    temperature: float
    max_bootstrapped: int
    max_labeled: int
    notes: list[str]

    def demo_sets(self) -> Evaluating[dict[str, list[Demos]]]:
        """Sets of demos by predictor, drawn as by a random search; those given come first."""
        start = self.problem.start
        sets: dict[str, list[Demos]] = {path: [start.demos(path)] for path in start.paths}
        drawer = BootstrapFewShotWithRandomSearch(
            None,
            max_bootstrapped_demos=self.max_bootstrapped,
            max_labeled_demos=self.max_labeled,
        )
        teacher = teacher_state(self.problem, self.max_labeled)
        for number in self._numbers(any(start.demos(path) for path in start.paths)):
            label, state, notes = yield from drawer.candidate(self.problem, teacher, number)
            self.notes.extend(f"demos {label}: {note}" for note in notes)
            for path, options in sets.items():
                if state.demos(path) not in options:
                    options.append(state.demos(path))
        return sets

    def _numbers(self, demos_given: bool) -> list[int]:
        """Candidates of a random search (see there) for all sets but the first."""
        first = [-3] if demos_given else []
        first += [-2] if self.max_labeled else []
        return [*first, *range(-1, self.plan.demo_sets)][: self.plan.demo_sets - 1]

    def shown_demos(self) -> Evaluating[dict[str, list[Demos]]]:
        """A few good runs for proposals to look at, where demos are not chosen."""
        order = range(len(self.problem.trainset))
        made = yield from bootstrap(
            self.problem, teacher_state(self.problem, 0), order, count=_DEMOS_IN_CONTEXT
        )
        return {path: [demos] for path, demos in made.demos.items()}

    def instructions(self, sets: dict[str, list[Demos]], score: float) -> Asking[dict[str, list[str]]]:
        """Instructions by predictor, the given one first.

        Args:
            sets: demos to look at, by predictor; proposals take them in turn.
            score: mean score of the program as given.
        """
        start = self.problem.start
        found = {path: [start.instructions(path)] for path in start.paths}
        wanted = self.plan.instructions - 1
        if wanted < 1:
            return found
        data, view = yield from self._background()
        grounds = {path: self._grounds(path, sets[path], score, data, view, wanted) for path in found}
        asks = [
            propose_instruction(
                ground,
                lm=self.lm,
                rollout=number + 1,
                temperature=self.temperature,
                why="propose instructions",
            )
            for path in found
            for number, ground in enumerate(grounds[path])
        ]
        replies = yield asks
        paths = [path for path in found for _ in range(wanted)]
        for path, reply in zip(paths, replies, strict=True):
            text = instruction_in(reply.value)
            if text is None:
                why = (reply.failure or "the reply was empty").splitlines()[0]
                self.notes.append(f"A proposal for {path} gave no instruction: {why}")
            elif text not in found[path]:
                found[path].append(text)
        return found

    def _background(self) -> Asking[tuple[str, ProgramView]]:
        data, view = "", ProgramView()
        if self.grounding.data:
            examples = list(self.problem.trainset)
            self.problem.rng("data summary").shuffle(examples)
            data = yield from summarise_data(
                examples, batch=self.grounding.batch, lm=self.lm, notes=self.notes
            )
        if self.grounding.program:
            view = yield from describe_program(self.problem.student, lm=self.lm, notes=self.notes)
        return data, view

    def _grounds(
        self, path: str, sets: Sequence[Demos], score: float, data: str, view: ProgramView, count: int
    ) -> list[Ground]:
        predictor: Any = dict(self.problem.student.named_predictors())[path]
        current = self.problem.start.instructions(path)
        tips = draw_tips(count, self.problem.rng("tips", path)) if self.grounding.tips else ["none"] * count
        earlier = ""
        if self.grounding.history:
            tried = [*earlier_attempts(self.problem.student, path), Attempt(current, score)]
            # The current instruction alone is told anyway.
            earlier = history_text(tried) if len({a.instruction for a in tried}) > 1 else ""
        shown = [_best_few(demos) for demos in sets if demos] if self.grounding.demos else []
        return [
            Ground(
                predictor.signature.typed_signature,
                current,
                data,
                view.description,
                view.purposes.get(path, ""),
                shown[number % len(shown)] if shown else (),
                earlier,
                TIPS[tip],
            )
            for number, tip in enumerate(tips)
        ]

    def space(self, instructions: dict[str, list[str]], sets: dict[str, list[Demos]]) -> Space:
        """What there is to choose from."""
        return Space(self.problem.start, instructions, sets if self.plan.demo_sets else {})


def _best_few(demos: Demos) -> Demos:
    """A few demos, runs before labelled examples."""
    return sorted(demos, key=lambda demo: not demo.get("augmented"))[:_DEMOS_IN_CONTEXT]
