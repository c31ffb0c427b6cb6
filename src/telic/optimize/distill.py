"""`distill`: one small model in the place of a program that costs more: one of a larger model, of many demos,
or of several programs at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from telic.optimize.bootstrap_finetune import BootstrapFinetune


def distill(
    program: Any,
    student: Any = None,
    *,
    trainset: Sequence[Any],
    lm: Any = None,
    metric: Any = None,
    valset: Sequence[Any] | None = None,
    budget: Any = None,
    run_id: str | None = None,
    **options: Any,
) -> Any:
    """Train a student's model on what `program` answers; the student asks without demos.

    Sequence-level distillation (Kim and Rush, 2016, arXiv:1606.07947): the teacher's own outputs are learnt.

    Args:
        program: the teacher. One with the student's predictors teaches each of them its steps; any other,
            such as an ensemble, teaches a student of one predictor its answers.
        student: the program to train a model for; by default the teacher's own, or its first where it is an
            ensemble, without demos.
        trainset: inputs to ask the teacher; labels only where the metric needs them.
        lm: the model to train; by default the student's own.
        metric: which answers to learn; without one, all that could be read.
        valset: examples to measure on, before and after.
        budget: caps, as `telic.budget` makes them.
        run_id: name of the run in the record.
        **options: of `BootstrapFinetune`: `backend`, `train_kwargs`, `adapter`, `multitask`, …

    Returns:
        The student with trained models.

    Raises:
        CompileError: the teacher cannot teach this student.
        TrainingError: as for `BootstrapFinetune`.
    """
    if student is None:
        members = getattr(program, "programs", None)
        student = members[0] if isinstance(members, list) and members else program
    student = student.deepcopy()
    student._compiled = False
    if lm is not None:
        student.set_lm(lm)
    optimizer = BootstrapFinetune(metric, exclude_demos=True, **options)
    return optimizer.compile(student, trainset, program, valset=valset, budget=budget, run_id=run_id)
