"""What a search goes by: facts of the program, the data and the model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from telic.adapters.named import adapter_by_name
from telic.data.splits import split
from telic.errors import LMNotConfiguredError
from telic.optimize.demos.sampling import class_label
from telic.optimize.problem import Problem
from telic.program.pipeline import resolve_lm
from telic.runtime.settings import settings
from telic.types import Capabilities

Label = Callable[[Any], Any]
BLOCK = 7
"""Examples by which most candidates see more: few, so that bad ones cost little."""


@dataclass(frozen=True)
class Facts:
    """Facts of a problem.

    Attributes:
        label: gives the class of an example, where the task is a classification.
        classes: how often each class is among the training examples.
        labelled: paths of predictors of which the training examples give an output.
        complete: the training examples give every output of every predictor.
        teacher: another program or model than the student's makes demonstrations.
        chat: the model has a chat template.
        constrained: the model's answer can be held to a grammar or a JSON schema.
        small: it is known to do better with plain lines than with instructions.
        window: tokens it reads and writes.
        adapters: those to try, the best bet first; `None` stands for what is set already.
        adapters_why: why these.
        order: validation examples in the order they are seen: every stretch has the classes in proportion.
    """

    label: Label | None
    classes: Mapping[Any, int]
    labelled: tuple[str, ...]
    complete: bool
    teacher: bool
    chat: bool
    constrained: bool
    small: bool
    window: int | None
    adapters: tuple[str | None, ...]
    adapters_why: str
    order: tuple[int, ...]

    def notes(self, problem: Problem) -> list[str]:
        """The facts in sentences."""
        data = f"{len(problem.trainset)} examples to learn from, {len(problem.valset)} to choose by"
        if self.classes:
            most, least = max(self.classes.values()), min(self.classes.values())
            data += f"; {len(self.classes)} classes, the rarest {least} and the commonest {most} times"
        window = f"a window of {self.window:,} tokens" if self.window else "an unknown window"
        model = "a chat model" if self.chat else "a base model"
        held = "its answers can be held to the types" if self.constrained else "its answers cannot be held"
        return [f"Data: {data}.", f"Model: {model} with {window}; {held}.", self.adapters_why]


def look_at(problem: Problem, adapters: Sequence[str] | None = None) -> Facts:
    """Find out; nothing is asked of a model.

    Args:
        problem: what is compiled.
        adapters: names of adapters to try, where the user says so.
    """
    lm, capabilities = _model(problem)
    small = capabilities.completion and (
        not capabilities.chat or getattr(lm, "preferred_adapter", None) == "completion"
    )
    label = _label(problem)
    chosen, why = _adapters(problem, small, adapters)
    return Facts(
        label=label,
        classes=Counter(label(example) for example in problem.trainset) if label else {},
        labelled=tuple(path for path, some, _ in _given(problem) if some),
        complete=all(every for _, _, every in _given(problem)),
        teacher=problem.teacher is not problem.student or "lm" in problem.teacher_settings,
        chat=capabilities.chat,
        constrained=capabilities.grammar or capabilities.json_schema,
        small=small,
        window=capabilities.context_window,
        adapters=chosen,
        adapters_why=why,
        order=_order(problem, label),
    )


def _model(problem: Problem) -> tuple[Any, Capabilities]:
    for _, predictor in problem.student.named_predictors():
        try:
            lm = resolve_lm(predictor.lm)
        except LMNotConfiguredError:
            continue  # a program that asks models by itself; a real lack is named at the first run
        return lm, lm.capabilities
    return None, Capabilities()


def _given(problem: Problem) -> list[tuple[str, bool, bool]]:
    """Path, and whether training examples give some, and every, output of the predictor."""
    rows = [set(example.toDict()) for example in problem.trainset]
    return [
        (
            path,
            any(row & set(predictor.signature.output_fields) for row in rows),
            all(set(predictor.signature.output_fields) <= row for row in rows),
        )
        for path, predictor in problem.student.named_predictors()
    ]


def _label(problem: Problem) -> Label | None:
    # The last step's answer is the program's, where several have classes.
    for _, predictor in reversed(problem.student.named_predictors()):
        label = class_label(problem.trainset, predictor.signature.output_fields)
        if label is not None:
            return label
    return None


def _adapters(
    problem: Problem, small: bool, wanted: Sequence[str] | None
) -> tuple[tuple[str | None, ...], str]:
    if wanted is not None:
        made = [adapter_by_name(name).name for name in wanted]
        return tuple(made), f"Adapters: {', '.join(made)}, as asked."
    predictors = problem.student.predictors()
    own = settings.adapter or next((p.adapter for p in predictors if p.adapter), None)
    if own is not None:
        return (None,), "Adapter: the one that was set is kept."
    native = any(adapter_by_name("chat").layout(p.signature).natives for p in predictors)
    if native:
        return ("chat", "json"), "Adapters: chat and JSON, since there are fields with native forms."
    if small:
        return (
            ("completion", "chat", "json"),
            "Adapters: all three, plain lines first, which suit small models and those without a chat form.",
        )
    return ("chat", "json", "completion"), "Adapters: chat, JSON and plain lines."


def _order(problem: Problem, label: Label | None) -> tuple[int, ...]:
    total = len(problem.valset)
    blocks = [BLOCK] * (total // BLOCK)
    seed = problem.rng("order of validation").randrange(2**32)
    stratify = None if label is None else lambda index: label(problem.valset[index])
    parts = split(list(problem.validation), [*blocks, -1], seed, stratify=stratify)
    return tuple(index for part in parts for index in part)
