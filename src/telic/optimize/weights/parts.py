"""What of a program is trained as one model, and how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from telic._json import stable_hash
from telic.errors import CompileError
from telic.finetune.data import Format, TrainingExample
from telic.finetune.rendering import format_for, render_example
from telic.lm.base import BaseLM
from telic.optimize.problem import Problem
from telic.program.adapting import adapter_for
from telic.program.pipeline import resolve_lm
from telic.program.state import ProgramState


@dataclass(frozen=True)
class Part:
    """Predictors that one model is trained for.

    Attributes:
        paths: of the predictors.
        lm: the model to train.
        adapters: path to the adapter that its prompts are written by.
        options: how to train, as the backend takes it.
    """

    paths: tuple[str, ...]
    lm: BaseLM
    adapters: Mapping[str, Any]
    options: Mapping[str, Any]

    @property
    def label(self) -> str:
        """Its predictors, in a few words."""
        return ", ".join(self.paths)

    @property
    def identity(self) -> list[Any]:
        """What a run depends on of it, as JSON."""
        return [list(self.paths), self.lm.dump_state(), self.lm.endpoint]


def parts_of(
    problem: Problem,
    *,
    multitask: bool,
    options: Mapping[Any, Any] | None,
    adapter: Any,
) -> list[Part]:
    """The models to train: one for each LM of the program, or one for each predictor.

    Args:
        problem: whose student.
        multitask: predictors of one LM share what is trained.
        options: for all, or by LM.
        adapter: for all, or by LM; by default the one that each predictor speaks through.

    Raises:
        LMNotConfiguredError: a predictor has no LM.
    """
    found: dict[Any, list[tuple[str, Any, Any]]] = {}
    for path, predictor in problem.student.named_predictors():
        lm = resolve_lm(predictor.lm)
        key = stable_hash([lm.dump_state(), lm.endpoint]) if multitask else path
        own = _of_lm(adapter, lm) or predictor.adapter
        found.setdefault(key, []).append((path, lm, adapter_for(own, lm)))
    return [
        Part(
            tuple(path for path, _, _ in rows),
            rows[0][1],
            {path: spoken for path, _, spoken in rows},
            {**(getattr(rows[0][1], "train_kwargs", None) or {}), **(_of_lm(options, rows[0][1]) or {})},
        )
        for rows in found.values()
    ]


class Writer:
    """Writes training examples of a program's steps, as its predictors will ask.

    Args:
        problem: whose student.
        exclude_demos: leave the predictors' demos out of the prompts.
    """

    def __init__(self, problem: Problem, *, exclude_demos: bool) -> None:
        self.predictors = dict(problem.student.named_predictors())
        self.exclude_demos = exclude_demos

    def example(self, part: Part, path: str, values: Mapping[str, Any]) -> TrainingExample | None:
        """The example of a step; `None` where it lacks an output."""
        signature = self.predictors[path].signature
        slots = part.adapters[path].layout(signature).outputs
        if any(values.get(slot.name) is None and not slot.none_allowed for slot in slots):
            return None
        outputs = {name: values.get(name) for name in signature.output_fields}
        return self._written(part, path, _inputs(signature, values), outputs)

    def unread(self, part: Part, path: str, values: Mapping[str, Any], text: str) -> TrainingExample | None:
        """The example of an answer that could not be read, as the model wrote it; `None` where the inputs are
        not known.
        """
        signature = self.predictors[path].signature
        inputs = _inputs(signature, values)
        if set(inputs) != set(signature.input_fields):
            return None
        like = self._written(part, path, inputs, dict.fromkeys(signature.output_fields, "…"))
        return TrainingExample(like.prompt, text, from_text=like.from_text)

    def sample(self, part: Part) -> TrainingExample:
        """What the part's examples are like."""
        path = part.paths[0]
        fields = self.predictors[path].signature
        asked = dict.fromkeys(fields.input_fields, "…")
        return self._written(part, path, asked, dict.fromkeys(fields.output_fields, "…"))

    def format(self, part: Part) -> Format:
        """How the part's examples are trained on."""
        return format_for(part.lm, self.sample(part))

    def _written(
        self, part: Part, path: str, inputs: Mapping[str, Any], outputs: Mapping[str, Any]
    ) -> TrainingExample:
        predictor = self.predictors[path]
        demos = () if self.exclude_demos else predictor.demos
        return render_example(part.adapters[path], part.lm, predictor.signature, demos, inputs, outputs)


def with_trained(
    state: ProgramState, lms: Mapping[str, BaseLM], *, without_demos: Sequence[str] = ()
) -> ProgramState:
    """The state with trained LMs at their predictors."""
    made = state.with_lm({path: lm.dump_state() for path, lm in lms.items()})
    return made.with_demos(dict.fromkeys(without_demos, ()))


def _inputs(signature: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in signature.input_fields if name in values}


def _of_lm(given: Any, lm: BaseLM) -> Any:
    """What is given for an LM: the same for all, or by LM."""
    if not isinstance(given, Mapping) or not any(isinstance(key, BaseLM) for key in given):
        return given
    mine = [value for key, value in given.items() if key is lm or key.dump_state() == lm.dump_state()]
    if not mine:
        raise CompileError(f"Nothing is given for {lm.model}; there are {[key.model for key in given]}.")
    return mine[0]
