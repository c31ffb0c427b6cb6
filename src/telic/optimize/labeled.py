"""`LabeledFewShot`: labelled examples as demonstrations, without a model being asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from telic.optimize.demos.packing import pack
from telic.optimize.demos.sampling import class_label, labelled_demo, sample_examples
from telic.optimize.optimizer import Optimizer
from telic.optimize.problem import Problem, make_problem
from telic.optimize.strategy import Choice, Strategy
from telic.program.state import ProgramState


class LabeledFewShot(Optimizer):
    """Give every predictor `k` labelled examples as demos.

    Where the task is a classification, every class is drawn in turn; otherwise the draw is plain.

    Args:
        k: demos for each predictor.
        seed: of the draw.
    """

    def __init__(self, k: int = 16, *, seed: int = 0) -> None:
        self.k = k
        self.seed = seed

    def compile(self, student: Any, *, trainset: Sequence[Any], sample: bool = True) -> Any:
        """Return a copy of `student` with demos.

        Args:
            student: the program.
            trainset: labelled examples.
            sample: draw at random; otherwise take the first `k`.
        """
        problem = make_problem(student, trainset=trainset, valset=None, metric=None, seed=self.seed)
        return self.run(problem, self.strategy(problem, sample=sample), options={"sample": sample})

    def strategy(self, problem: Problem, *, sample: bool = True) -> Strategy:
        """One candidate, nothing to evaluate."""
        state, notes = pack(problem, labelled(problem, problem.start, self.k, "labelled", sample=sample))
        yield from ()
        return Choice(state, notes=notes)


def labelled(
    problem: Problem,
    state: ProgramState,
    count: int,
    *purpose: Any,
    sample: bool = True,
    without: Sequence[int] = (),
) -> ProgramState:
    """`state` with `count` labelled demos at every predictor."""
    demos = {
        path: labelled_demos(problem, path, count, *purpose, sample=sample, without=without)
        for path in state.paths
    }
    return state.with_demos(demos)


def labelled_demos(
    problem: Problem,
    path: str,
    count: int,
    *purpose: Any,
    sample: bool = True,
    without: Sequence[int] = (),
    beside: Sequence[Mapping[str, Any]] = (),
) -> list[dict[str, Any]]:
    """`count` training examples as demos for one predictor, none of those in `without`; where classes are
    drawn evenly, the demos `beside` them count.
    """
    left_out = set(without)
    rows = [example for index, example in enumerate(problem.trainset) if index not in left_out]
    if not sample:
        return [labelled_demo(example) for example in rows[:count]]
    predictor = dict(problem.student.named_predictors())[path]
    label = class_label(rows, predictor.signature.output_fields)
    # The same draw for every predictor of the program, so that its demos tell one story.
    chosen = sample_examples(rows, count, problem.rng("labelled", *purpose), label, beside)
    return [labelled_demo(rows[index]) for index in chosen]
