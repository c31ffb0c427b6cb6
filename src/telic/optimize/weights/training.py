"""The step of a strategy that trains: checked and reckoned before, within the budget, found again after a
kill.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from telic.budget.caps import Budget
from telic.errors import TrainingError
from telic.finetune.backend import Backend, TrainedModel, TrainingForecast, TrainingSpec
from telic.finetune.choosing import backend_for
from telic.finetune.data import Format, TrainingExample, TrainingSet
from telic.finetune.job import train
from telic.finetune.serving import base_of, trained_lm
from telic.lm.base import BaseLM
from telic.optimize import running
from telic.optimize.strategy import Ask, Reply
from telic.optimize.weights.parts import Part
from telic.runtime import scope as scopes

_PROBES = 10


@dataclass
class Planned:
    """A training that a strategy wants, with who does it.

    Attributes:
        part: what of the program.
        backend: who trains.
        spec: what on what.
    """

    part: Part
    backend: Backend
    spec: TrainingSpec


@dataclass
class Diary:
    """What a strategy trained, for forecasts and the program's provenance.

    Attributes:
        planned: trainings asked for, in order.
        trained: what they made, with the predictors it was made for.
    """

    planned: list[Planned] = field(default_factory=list)
    trained: list[tuple[Part, TrainedModel]] = field(default_factory=list)

    def used_in(self, program: Any) -> list[tuple[Part, TrainedModel]]:
        """Those that a program's predictors ask."""
        lms = [predictor.lm for predictor in program.predictors() if _is_trained(predictor.lm)]
        asked = {_place(lm.model, lm.trained["folder"]) for lm in lms}
        return [(part, made) for part, made in self.trained if _place(made.model, made.folder) in asked]


def backend_of(part: Part, chosen: Backend | str | None, sample: TrainingExample, needs: Format) -> Backend:
    """Who trains a part; whatever stops it is said here, before a call is paid for.

    Args:
        part: what is trained.
        chosen: the backend that was asked for.
        sample: what its examples are like.
        needs: how they are trained on.

    Raises:
        TrainingError: nobody can, and why.
        MissingExtraError: a package is missing.
    """
    backend = backend_for(part.lm, chosen)
    if needs not in backend.formats:
        raise TrainingError(
            f"{part.label}: its prompts make training data of the format '{needs}', and the backend "
            f"'{backend.name}' trains on {', '.join(sorted(backend.formats))}. "
            + ("Choose another adapter, or another backend." if needs != "reinforce" else "Use 'local'.")
        )
    advantage = 1.0 if needs == "reinforce" else None
    probes = (
        replace(sample, completion=f"{sample.completion} {number}", advantage=advantage)
        for number in range(_PROBES)
    )
    backend.check(TrainingSpec(base_of(part.lm), TrainingSet(needs, tuple(probes)), options=part.options))
    return backend


def spec_of(
    part: Part,
    data: TrainingSet,
    validation: TrainingSet | None = None,
    *,
    start: Path | None = None,
    folder: Path | None = None,
) -> TrainingSpec:
    """What is trained for a part: its base, on from what it was trained to before."""
    told = part.lm.trained or {}
    before = Path(told["folder"]) if told.get("folder") and start is None else start
    model = base_of(part.lm) if before is not None else part.lm.model
    return TrainingSpec(model, data, validation, part.options, folder, before)


def training_asks(planned: Sequence[Planned], why: str) -> list[Ask]:
    """Questions to the backends: their replies are trained models, as JSON."""
    if running.current() is None:
        for each in planned:
            each.backend.check(each.spec)
    return [_ask(each, f"{why} for {each.part.label}") for each in planned]


def trained_by(planned: Planned, reply: Reply) -> tuple[TrainedModel, BaseLM]:
    """What an ask was replied with, and the LM of it.

    Raises:
        TrainingError: the training failed.
    """
    if reply.failure is None:
        trained = TrainedModel.from_json(reply.value)
    elif running.current() is None:
        raise TrainingError(reply.failure.removeprefix("TrainingError: "))
    else:  # a forecast imagines failures too
        trained = TrainedModel(planned.part.lm.model)
    return trained, trained_lm(trained, planned.part.lm)


def joined(forecasts: Sequence[TrainingForecast]) -> TrainingForecast:
    """Several trainings, one after the other."""

    def total(values: Sequence[float | None]) -> float | None:
        known = [value for value in values if value is not None]
        return sum(known) if len(known) == len(values) else None

    return TrainingForecast(
        max((each.memory_bytes for each in forecasts), default=0),
        total([each.seconds for each in forecasts]),
        sum(each.steps for each in forecasts),
        sum(each.tokens for each in forecasts),
        total([each.usd for each in forecasts]),
        tuple(dict.fromkeys(note for each in forecasts for note in each.notes)),
    )


def told(count: int, forecast: TrainingForecast) -> str:
    """A forecast of trainings as a sentence."""
    parts = [f"about {forecast.tokens:,} tokens"]
    if forecast.memory_bytes:
        parts.append(f"{forecast.memory_bytes / 1e9:.1f} GB of memory")
    if forecast.seconds is not None:
        parts.append(f"{forecast.seconds:,.0f} s")
    parts.append("price unknown" if forecast.usd is None else f"${forecast.usd:,.2f}")
    return f"Training takes besides: {count} {'job' if count == 1 else 'jobs'}, {', '.join(parts)}."


def _ask(planned: Planned, why: str) -> Ask:
    def train_model(key: str, model: str) -> dict[str, Any]:
        forecast = planned.backend.forecast(planned.spec)
        for budget in scopes.current().budgets:
            if isinstance(budget, Budget):
                budget.charge(f"Training {model}", forecast.usd, forecast.seconds)
        return train(planned.backend, planned.spec).to_json()

    spec = planned.spec
    like = TrainedModel(planned.part.lm.model).to_json()
    inputs = {"key": spec.key, "model": spec.model}
    return Ask(train_model, inputs, name=f"train by {planned.backend.name}", like=like, why=why)


def _is_trained(lm: BaseLM | None) -> bool:
    return lm is not None and bool(lm.trained)


def _place(model: str, folder: Any) -> str:
    return str(folder) if folder else model
