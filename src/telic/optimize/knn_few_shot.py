"""`KNNFewShot`: demonstrations made anew for each call, from the training examples most like its inputs.

After Liu et al. (2022), "What Makes Good In-Context Examples for GPT-3?" (arXiv:2101.06804), with the
bootstrapping of DSPy (Khattab et al., 2023, arXiv:2310.03714) for the steps that have no labels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from telic.errors import CompileError
from telic.modules.knn import KNN
from telic.optimize.bootstrap_few_shot import BootstrapFewShot
from telic.optimize.engine import Engine
from telic.optimize.journal import Journal
from telic.optimize.optimizer import Optimizer
from telic.optimize.progress import Progress
from telic.program.module import Module
from telic.store.memory import MemoryStore


class KNNFewShot(Optimizer):
    """Make a program that, at each call, bootstraps its demos from the `k` nearest training examples.

    The teacher's answers are taken from the record where they are in it, so an example that is near to many
    inputs is paid for once.

    Args:
        k: how many neighbours.
        trainset: examples with their inputs set.
        vectorizer: an `Embedder`, or any function from a list of texts to an array of shape `(n, d)`.
        **few_shot_bootstrap_args: parameters of the `BootstrapFewShot` that is run on the neighbours, such as
            `metric` and `max_bootstrapped_demos`.

    Raises:
        DataError: the trainset is empty, or `k` is not positive.
        CompileError: a parameter that `BootstrapFewShot` does not have.
    """

    def __init__(
        self,
        k: int,
        trainset: Sequence[Any],
        vectorizer: Callable[[list[str]], Any],
        **few_shot_bootstrap_args: Any,
    ) -> None:
        try:
            self.bootstrap = BootstrapFewShot(**few_shot_bootstrap_args)
        except TypeError as error:
            raise CompileError(
                f"KNNFewShot hands its further parameters to BootstrapFewShot: {error}."
            ) from error
        self.few_shot_bootstrap_args = few_shot_bootstrap_args
        self.metric = self.bootstrap.metric
        self.nearest = KNN(k, trainset, vectorizer)

    def compile(self, student: Any, *, teacher: Any = None) -> Any:
        """Return a `NearestDemos` around a copy of `student`; nothing is asked yet.

        Args:
            student: the program.
            teacher: a program with the same predictors that makes the demos; the student itself by default.

        Raises:
            CompileError: there is nothing to compile, or student and teacher do not match.
            DataError: a training example does not say which fields are inputs.
        """
        self.bootstrap.problem(student, self.nearest.trainset, teacher)
        return NearestDemos(student.reset_copy(), _Source(self.nearest, self.bootstrap, teacher))


class NearestDemos(Module):
    """A program whose demos depend on its inputs; made by `KNNFewShot`.

    Attributes:
        program: the student, without demos.
        source: where demos come from.
    """

    def __init__(self, program: Any, source: _Source) -> None:
        self.program = program
        self.source = source

    def forward(self, **inputs: Any) -> Any:
        """Bootstrap on the neighbours of these inputs, then answer; inputs by keyword."""
        return self.source.compiled(self.program, inputs)(**inputs)


class _Source:
    """Neighbours, and how demos are made of them. No module, so that a teacher is no part of the student."""

    def __init__(self, nearest: KNN, bootstrap: BootstrapFewShot, teacher: Any) -> None:
        self.nearest = nearest
        self._bootstrap = bootstrap
        self._teacher = teacher

    def __deepcopy__(self, memo: dict[int, Any]) -> _Source:
        # Nothing of it is learnt, and the vectors are large.
        return self

    def compiled(self, program: Any, inputs: dict[str, Any]) -> Any:
        """A copy of `program` with demos from the neighbours of `inputs`."""
        bootstrap = self._bootstrap
        problem = bootstrap.problem(program, self.nearest(**inputs), self._teacher)
        # A call is no run of its own to be listed and resumed: its journal ends with it.
        journal, progress = Journal(MemoryStore(), "nearest"), Progress("KNNFewShot", show=False)
        engine = Engine(problem, journal, progress, bootstrap.num_threads, bootstrap.max_errors)
        return engine.run(bootstrap.strategy(problem)).candidate.apply(program)
