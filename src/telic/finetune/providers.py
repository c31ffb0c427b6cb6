"""DSPy's providers, by telic's backends: `openai/…` at the provider, `local/…` on this machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean, pstdev
from typing import Any, cast

from telic.errors import DataError
from telic.finetune.backend import Backend, TrainedModel, TrainingSpec
from telic.finetune.choosing import backend_for
from telic.finetune.data import Format, TrainingExample, TrainingSet, format_of
from telic.finetune.job import wait_for
from telic.finetune.serving import base_of, trained_lm
from telic.lm.model import LM
from telic.lm.provider import Provider, ReinforceJob, TrainingJob

_SAME = 1e-6


class BackendProvider(Provider):
    """A provider that has a backend do its work.

    Args:
        backend: who trains; by default as the model's name says.
    """

    def __init__(self, backend: Backend | None = None) -> None:
        super().__init__()
        self.finetunable = True
        self.reinforceable = True
        self.backend = backend
        self.ReinforceJob = BackendReinforceJob
        # DSPy's is a static method, and its users call it so; this one knows its backend.
        self.finetune = self._finetune  # type: ignore[method-assign]

    def _finetune(
        self,
        job: TrainingJob,
        model: str,
        train_data: list[dict[str, Any]],
        train_data_format: Any,
        train_kwargs: dict[str, Any] | None = None,
    ) -> str:
        data = training_set(train_data, train_data_format)
        backend = self.backend or backend_for(LM(model))
        spec = TrainingSpec(model, data, options=train_kwargs or {})
        backend.check(spec)
        name = backend.submit(spec)
        job.stop, job.look = lambda: backend.cancel(name), lambda: backend.status(name)
        trained = wait_for(backend, name)
        job.lm_kwargs = lm_kwargs(trained, model)
        return trained.model


class OpenAIProvider(BackendProvider):
    """Models of OpenAI, and of servers that speak its finetuning interface."""

    def __init__(self, backend: Backend | None = None) -> None:
        super().__init__(backend)
        self.reinforceable = False

    @staticmethod
    def is_provider_model(model: str) -> bool:
        """By the name."""
        return model.startswith(("openai/", "ft:"))


class LocalProvider(BackendProvider):
    """Models on this machine; they are served in this process, so nothing has to be launched."""

    @staticmethod
    def is_provider_model(model: str) -> bool:
        """By the name."""
        return model.startswith("local/")


class BackendReinforceJob(ReinforceJob):
    """Reinforcement by a backend: each step goes on from the model of the one before."""

    def initialize(self) -> None:
        """Choose the backend."""
        self.backend = backend_for(self.lm, getattr(self.lm.infer_provider(), "backend", None))

    def step(self, train_data: list[Any], train_data_format: Any = None) -> None:
        """Train on groups of rewarded answers.

        Args:
            train_data: groups, each a list of `{"messages": …, "completion": {"content": …}, "reward": …}`.
            train_data_format: `"grpo_chat"`.
        """
        rows = [row for group in train_data for row in _with_advantages(group)]
        if not rows:
            return
        backend = self.backend
        folder = (self.lm.trained or {}).get("folder")
        spec = TrainingSpec(
            base_of(self.lm),
            TrainingSet("reinforce", tuple(rows)),
            options=self.train_kwargs,
            start=Path(folder) if folder else None,
        )
        backend.check(spec)
        trained = wait_for(backend, backend.submit(spec))
        self.lm = cast(LM, trained_lm(trained, self.lm))


def provider_of(lm: LM) -> Provider:
    """The provider of an LM by its name."""
    if LocalProvider.is_provider_model(lm.model):
        return LocalProvider(backend_for(lm))
    if OpenAIProvider.is_provider_model(lm.model):
        return OpenAIProvider(backend_for(lm))
    return Provider()


def training_set(rows: Sequence[Mapping[str, Any]], told: Any) -> TrainingSet:
    """Rows as DSPy has them, as a set.

    Raises:
        DataError: there are none, or they are not of the format.
    """
    if not rows:
        raise DataError("There are no rows to train on.")
    name = str(getattr(told, "value", told) or format_of(rows[0]))
    format = cast(Format, name)
    return TrainingSet(format, tuple(TrainingExample.from_row(row, format) for row in rows))


def lm_kwargs(trained: TrainedModel, base: str) -> dict[str, Any]:
    """What `LM.copy` takes besides the name to make the LM of a trained model."""
    told = {"base": base, "folder": None if trained.folder is None else str(trained.folder)}
    return {**trained.kwargs, "trained": told}


def _with_advantages(group: Any) -> list[TrainingExample]:
    rows = list(group["group"] if isinstance(group, Mapping) else group)
    rewards = [float(row["reward"]) for row in rows]
    spread = pstdev(rewards) if len(rewards) > 1 else 0.0
    if spread < _SAME:
        return []
    mean = fmean(rewards)
    return [
        TrainingExample(
            tuple(row["messages"]), row["completion"]["content"], advantage=round((reward - mean) / spread, 6)
        )
        for row, reward in zip(rows, rewards, strict=True)
    ]
