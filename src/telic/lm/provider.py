"""DSPy's view of training: an LM has a provider, which finetunes it in a thread and gives back a job.

Optimizers do not come this way: theirs are the backends of `telic.finetune`. What a provider of telic's own
does is done by one of them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextvars import copy_context
from importlib import import_module
from typing import Any

from telic.errors import LMUnsupportedFeatureError
from telic.runtime import cancel, threads

_FINDER = ("telic.finetune.providers", "provider_of")
"""By name: finetuning is built on models, not the other way round."""


class TrainingJob(Future[Any]):
    """A training under way. `result()` is the trained LM, or the exception that ended it.

    Args:
        thread: that trains.
        model: what is trained.
        train_data: rows of `train_data_format`.
        train_data_format: `"chat"` or `"completion"`, or DSPy's constants of these.
        train_kwargs: how to train.

    Attributes:
        lm_kwargs: what the trained LM takes besides its name; set by the provider.
    """

    def __init__(
        self,
        thread: threading.Thread | None = None,
        model: str | None = None,
        train_data: Sequence[Mapping[str, Any]] | None = None,
        train_data_format: Any = None,
        train_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.thread = thread
        self.model = model
        self.train_data = train_data
        self.train_data_format = train_data_format
        self.train_kwargs = dict(train_kwargs or {})
        self.lm_kwargs: dict[str, Any] = {}
        self.stop: Callable[[], None] | None = None
        self.look: Callable[[], Any] | None = None

    def cancel(self) -> bool:
        """Stop it, where the provider can; whether it had not begun."""
        if self.stop is not None:
            self.stop()
        return super().cancel()

    def status(self) -> Any:
        """How it stands: a `JobStatus`, once the provider has begun."""
        return None if self.look is None else self.look()


class ReinforceJob:
    """A course of reinforcement, step by step.

    Args:
        lm: the model.
        train_kwargs: how to train.

    Attributes:
        lm: the model as it is after the steps so far.
        checkpoints: by name, the LM that it was.
    """

    def __init__(self, lm: Any, train_kwargs: Mapping[str, Any] | None = None) -> None:
        self.lm = lm
        self.train_kwargs = dict(train_kwargs or {})
        self.checkpoints: dict[str, Any] = {}
        self.last_checkpoint: str | None = None

    def initialize(self) -> None:
        """Begin; nothing is needed for it."""

    def step(self, train_data: list[Any], train_data_format: Any = None) -> None:
        """Train on groups of rewarded answers."""
        raise _unsupported(self.lm.model, "reinforcement")

    def terminate(self) -> None:
        """End; the model stays as it is."""

    def cancel(self) -> None:
        """End."""
        self.terminate()

    def status(self) -> Any:
        """How many checkpoints there are."""
        return {"checkpoints": list(self.checkpoints)}

    def save_checkpoint(self, checkpoint_name: str) -> None:
        """Keep the model as it is under a name."""
        self.checkpoints[checkpoint_name] = self.lm
        self.last_checkpoint = checkpoint_name


class Provider:
    """Who trains and launches models. This one does neither: derive your own, and give it to
    `LM(…, provider=…)`.

    Attributes:
        finetunable: `finetune` is there.
        reinforceable: `ReinforceJob` is one that can.
    """

    def __init__(self) -> None:
        self.finetunable = False
        self.reinforceable = False
        self.TrainingJob: type[TrainingJob] = TrainingJob
        self.ReinforceJob: type[ReinforceJob] = ReinforceJob

    @staticmethod
    def is_provider_model(model: str) -> bool:
        """Whether a model is one of this provider's."""
        return False

    @staticmethod
    def launch(lm: Any, launch_kwargs: dict[str, Any] | None = None) -> None:
        """Start what serves the model; by default nothing is needed."""

    @staticmethod
    def kill(lm: Any, launch_kwargs: dict[str, Any] | None = None) -> None:
        """Stop it."""

    @staticmethod
    def finetune(
        job: TrainingJob,
        model: str,
        train_data: list[dict[str, Any]],
        train_data_format: Any,
        train_kwargs: dict[str, Any] | None = None,
    ) -> str:
        """Train, blocking, and return the name of the trained model."""
        raise _unsupported(model, "finetuning")


def provider_of(lm: Any) -> Provider:
    """The provider that an LM was given, else the one of its name."""
    if lm.provider is not None:
        given: Provider = lm.provider
        return given
    module, name = _FINDER
    found: Provider = getattr(import_module(module), name)(lm)
    return found


def finetune(
    lm: Any, train_data: list[dict[str, Any]], train_data_format: Any, train_kwargs: dict[str, Any] | None
) -> TrainingJob:
    """Train in a thread; see `LM.finetune`."""
    provider = provider_of(lm)
    if not provider.finetunable:
        raise _unsupported(lm.model, "finetuning")
    options = {**lm.train_kwargs, **(train_kwargs or {})}
    model = lm.finetuning_model or lm.model
    job = provider.TrainingJob(None, model, train_data, train_data_format, options)

    def run() -> Any:
        job.thread = threading.current_thread()
        trained = provider.finetune(job, model, train_data, train_data_format, options)
        return lm.copy(model=trained, **job.lm_kwargs)

    def told(trained: Any, error: BaseException | None) -> None:
        if not job.cancelled():
            # As in DSPy, what ended it is the result, and is not raised.
            job.set_result(trained if error is None else error)

    threads.begin(run, told, copy_context(), cancel.Cancellation(None))
    return job


def reinforce(lm: Any, train_kwargs: Mapping[str, Any] | None) -> ReinforceJob:
    """Begin a course of reinforcement; see `LM.reinforce`."""
    provider = provider_of(lm)
    if not provider.reinforceable:
        raise _unsupported(lm.model, "reinforcement")
    job = provider.ReinforceJob(lm, {**lm.train_kwargs, **(train_kwargs or {})})
    job.initialize()
    return job


def _unsupported(model: str, what: str) -> LMUnsupportedFeatureError:
    return LMUnsupportedFeatureError(
        f"{model}: its provider offers no {what}. Give one that does as LM(…, provider=…), use a model of "
        "'openai/…' or 'local/…', or train by an optimizer with a backend of its own: "
        "BootstrapFinetune(…, backend=…).",
        feature=what,
        model=model,
    )
