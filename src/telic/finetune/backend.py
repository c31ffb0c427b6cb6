"""What trains a model, from outside: a `Backend` is given a `TrainingSpec`, and gives back a job, how it
goes, and a `TrainedModel`.

Training takes long and costs, and what waits for it may be killed. So a job is named by what is trained on
what: the same spec is the same job, in every process, and submitting it again finds it instead of starting
it twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

from telic._json import stable_hash
from telic.finetune.data import Format, TrainingSet

State: TypeAlias = Literal["queued", "running", "succeeded", "failed", "cancelled"]

ENDED: frozenset[State] = frozenset({"succeeded", "failed", "cancelled"})
"""States that a job stays in."""


@dataclass(frozen=True)
class TrainingSpec:
    """What is to be trained, on what, and how.

    Attributes:
        model: the base, by the name that `telic.LM` takes: `local/smollm2-135m`, `openai/gpt-4o-mini-…`.
        data: what to learn.
        validation: what the loss is measured on besides, where there is any.
        options: how to train; a backend says which it knows, and refuses others by name. Usual ones:
            `epochs`, `learning_rate`, `batch_size`, `lora` (rank, or false for all weights), `seed`.
        folder: where a backend on this machine keeps checkpoints and the model; by default under the
            store's home. It does not tell one job from another.
        start: folder of a model trained before, to go on from; `None` starts from the base.
    """

    model: str
    data: TrainingSet
    validation: TrainingSet | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    folder: Path | None = None
    start: Path | None = None

    @cached_property
    def key(self) -> str:
        """Hash of all that the outcome depends on; equal specs have equal keys in every process.

        A model to go on from is told by its folder's name, which a backend makes from the key of the job.
        """
        validation = None if self.validation is None else self.validation.fingerprint
        start = None if self.start is None else self.start.name
        return stable_hash([self.model, self.data.fingerprint, validation, dict(self.options), start])


@dataclass(frozen=True, slots=True)
class TrainingForecast:
    """What a training would take, told without starting it.

    Attributes:
        memory_bytes: main (or GPU) memory of this machine at the peak; 0 for a remote backend.
        seconds: wall-clock time; `None` where unknown.
        steps: steps of the optimiser.
        tokens: tokens trained on, all epochs together.
        usd: US dollars; `None` where the price is unknown.
        notes: what a user should know, a sentence each.
    """

    memory_bytes: int = 0
    seconds: float | None = None
    steps: int = 0
    tokens: int = 0
    usd: float | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class JobStatus:
    """How a job stands.

    Attributes:
        state: where it is.
        step: steps done.
        steps: steps in all; 0 where unknown.
        loss: the latest training loss.
        seconds_left: estimate.
        error: why it failed, where it did; never a key.
        message: the latest word of the backend.
    """

    state: State
    step: int = 0
    steps: int = 0
    loss: float | None = None
    seconds_left: float | None = None
    error: str | None = None
    message: str = ""

    @property
    def ended(self) -> bool:
        """Whether it will stay as it is."""
        return self.state in ENDED


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """What a training made, and how to call it: `telic.LM(trained.model, **trained.kwargs)`.

    Attributes:
        model: the name that `telic.LM` takes.
        kwargs: further arguments of `telic.LM`, such as `adapter=` (paths as text).
        folder: the model's own folder on this machine, with `provenance.json`; `None` for a remote model.
        provenance: base, hash of the data, options, losses, licence, versions; JSON.
    """

    model: str
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    folder: Path | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As JSON, paths as text."""
        folder = None if self.folder is None else str(self.folder)
        told = {"model": self.model, "kwargs": dict(self.kwargs), "folder": folder}
        return {**told, "provenance": dict(self.provenance)}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> TrainedModel:
        """The inverse of `to_json`."""
        folder = Path(row["folder"]) if row.get("folder") else None
        return cls(row["model"], row.get("kwargs", {}), folder, row.get("provenance", {}))


@runtime_checkable
class Backend(Protocol):
    """Trains models. `telic.testing.check_backend` says whether one keeps its word."""

    @property
    def name(self) -> str:
        """Short, as in `backend="local"`."""

    @property
    def formats(self) -> frozenset[Format]:
        """The formats of training sets that it takes."""

    def check(self, spec: TrainingSpec) -> None:
        """Find everything that would stop the training and can be known before it: a missing package, too
        little memory, an unknown model or option, a row longer than the context.

        Raises:
            TrainingError: says what is wrong and what to do (a missing package is a MissingExtraError).
        """

    def forecast(self, spec: TrainingSpec) -> TrainingForecast:
        """What the training would take. Nothing is started or uploaded."""

    def submit(self, spec: TrainingSpec) -> str:
        """Start the training, or find the job that an equal spec started before, and return its id.

        A job that was killed half-way goes on from its last checkpoint; one that failed or was cancelled is
        started anew. The id is on disk, or at the server, before this returns.
        """

    def status(self, job: str) -> JobStatus:
        """How a job stands.

        Raises:
            TrainingError: there is no such job.
        """

    def cancel(self, job: str) -> None:
        """Stop a job; one that has ended stays as it is."""

    def result(self, job: str) -> TrainedModel:
        """The model that a job made.

        Raises:
            TrainingError: the job has not succeeded; says its state and error.
        """
