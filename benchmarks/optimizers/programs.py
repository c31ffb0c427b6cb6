"""What both sides are made of: DSPy's names mean the same in both libraries, so it is written once.

`lib` is `telic` or `dspy` throughout.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.optimizers.tasks import Row, Task, answer


def program(lib: Any, task: Task) -> Any:
    """The program as declared."""
    (source, kind), (target, made) = task.source, task.target
    fields = {source: (kind, lib.InputField()), target: (made, lib.OutputField())}
    signature = lib.Signature(fields, task.instructions)
    return _calculating(lib, signature) if task.measured != target else lib.Predict(signature)


def _calculating(lib: Any, signature: Any) -> Any:
    class Calculator(lib.Module):  # type: ignore[misc]
        """Writes an equation and leaves the arithmetic to a calculator."""

        def __init__(self) -> None:
            super().__init__()
            self.write = lib.Predict(signature)

        def forward(self, question: str) -> Any:
            equation = self.write(question=question).equation
            return lib.Prediction(equation=equation, answer=answer(equation))

    return Calculator()


def examples(lib: Any, task: Task, rows: list[Row]) -> list[Any]:
    """Rows as the library has them."""
    return [lib.Example(**row).with_inputs(task.source[0]) for row in rows]


def metric(task: Task) -> Callable[..., float]:
    """The score of a run, from 0 to 1."""

    def score(example: Any, prediction: Any, trace: Any = None) -> float:
        return task.score(example[task.measured], prediction[task.measured])

    return score


def telling_metric(lib: Any, task: Task) -> Callable[..., Any]:
    """The score, with what is wrong in words."""

    def score(gold: Any, pred: Any, trace: Any = None, pred_name: Any = None, pred_trace: Any = None) -> Any:
        expected, given = gold[task.measured], pred[task.measured]
        reached = task.score(expected, given)
        return lib.Prediction(
            score=reached, feedback="Right." if reached == 1 else task.wrong(expected, given)
        )

    return score


def optimizer(lib: Any, task: Task, job: Mapping[str, Any], proposing: Any) -> Any:
    """An optimizer with the parameters of the job.

    Args:
        lib: the library.
        task: gives the metric.
        job: see `benchmarks.optimizers.phases`.
        proposing: the model that writes instructions.
    """
    made = job["optimizer"]
    kind = getattr(lib, made["class"])
    parameters = {**made["parameters"], "num_threads": job["threads"], "seed": job["seed"]}
    if made["proposes"] == "reflection_lm":
        parameters["metric"] = telling_metric(lib, task)
    else:
        parameters["metric"] = metric(task)
    if made["proposes"]:
        parameters[made["proposes"]] = proposing
    if "seed" not in inspect.signature(kind.__init__).parameters:
        del parameters["seed"]  # DSPy's random search has none: its candidates have numbers
    return kind(**parameters)
