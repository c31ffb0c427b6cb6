"""A backend by a provider of the user's own, as DSPy has them: it trains, and says the model's name."""

from __future__ import annotations

from typing import Any

from telic.errors import TrainingError
from telic.finetune.backend import Backend, JobStatus, TrainedModel, TrainingForecast, TrainingSpec
from telic.finetune.data import Format
from telic.finetune.formats import TrainDataFormat
from telic.finetune.serving import provenance_of


class ProviderBackend:
    """Has a provider's `finetune` do the training, which has no jobs: it is over when that returns.

    What it made is known to this object alone, so a compile that is killed while it trains trains again.

    Args:
        provider: has `finetune(job, model, train_data, train_data_format, train_kwargs)`.
    """

    name = "provider"
    formats: frozenset[Format] = frozenset({"chat", "completion"})
    poll = 0.0

    def __init__(self, provider: Any) -> None:
        self.provider = provider
        self._made: dict[str, TrainedModel] = {}

    def check(self, spec: TrainingSpec) -> None:
        """Formats, and that there is something to train on; the provider says the rest."""
        own: Backend | None = getattr(self.provider, "backend", None)
        if own is not None:
            own.check(spec)
        if spec.data.format not in self.formats or spec.start is not None:
            raise TrainingError(f"A provider trains on chat or completion, not on '{spec.data.format}'.")
        if not spec.data.rows:
            raise TrainingError("The training set is empty.")

    def forecast(self, spec: TrainingSpec) -> TrainingForecast:
        """By the size of the data; what a provider takes is not known."""
        tokens = len(spec.data.to_jsonl()) // 4
        return TrainingForecast(tokens=tokens, notes=("What a provider takes for training is not known.",))

    def submit(self, spec: TrainingSpec) -> str:
        """Train."""
        if spec.key not in self._made:
            rows = [row.to_row(spec.data.format) for row in spec.data]
            format = TrainDataFormat(spec.data.format)
            options = dict(spec.options)
            job = self.provider.TrainingJob(None, spec.model, rows, format, options)
            model = self.provider.finetune(job, spec.model, rows, format, options)
            kwargs = getattr(job, "lm_kwargs", {})
            told = provenance_of(self.name, spec, provider=type(self.provider).__qualname__)
            self._made[spec.key] = TrainedModel(model, kwargs, None, told)
        return spec.key

    def status(self, job: str) -> JobStatus:
        """Done."""
        self.result(job)
        return JobStatus("succeeded")

    def cancel(self, job: str) -> None:
        """Nothing is under way."""

    def result(self, job: str) -> TrainedModel:
        """What the provider made."""
        if job not in self._made:
            raise TrainingError(f"There is no job '{job}' of this provider in this process.")
        return self._made[job]
