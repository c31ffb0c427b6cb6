"""`telic.compile`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from telic.optimize.auto.purse import BudgetLike
from telic.optimize.auto.search import Auto


def compile(
    program: Any,
    metric: Any,
    trainset: Sequence[Any],
    valset: Sequence[Any] | None = None,
    *,
    budget: BudgetLike = None,
    run_id: str | None = None,
    teacher: Any = None,
    teacher_settings: Mapping[str, Any] | None = None,
    **options: Any,
) -> Any:
    """Make a program better; what is tried follows from budget, data and model.

    `report.notes` of the result says what was tried, and why. Like any compile, it can be killed and called
    again: it goes on where it was.

    Args:
        program: what to compile; it is not changed.
        metric: scores a run: `metric(example, prediction[, trace])`.
        trainset: examples that demos are made of.
        valset: examples that candidates are compared on; by default up to half of the trainset is kept back
            for that.
        budget: LM calls, or caps by name such as `{"usd": 2.0}`, or `telic.budget(…)`; caps of enclosing
            blocks hold too. Without any, 300 to 2,000 runs of the program are planned, by the size of the
            valset.
        run_id: name of the run in the record; by default made from everything it depends on.
        teacher: a program with the same predictors that makes demonstrations.
        teacher_settings: settings for the teacher, such as `{"lm": larger_model}`.
        **options: of `telic.optimize.Auto`: `prompt_model`, `adapters`, `attribute`, `metric_threshold`,
            `num_threads`, `max_errors`, `seed`.

    Returns:
        A copy of the program, with `report`, `candidate_programs` and `provenance`.

    Raises:
        CompileError: there is nothing to compile, or too many errors.
        DataError: an empty set, or an example without inputs.
        InputError: the budget is not one.
        MetricError: the metric cannot be called.
        RunMismatchError: `run_id` names a run of another program, data set or metric.
    """
    optimizer = Auto(metric, budget=budget, teacher_settings=teacher_settings, **options)
    return optimizer.compile(program, trainset=trainset, valset=valset, teacher=teacher, run_id=run_id)
