"""Which backend trains a model."""

from __future__ import annotations

from typing import Any

from telic.errors import TrainingError
from telic.finetune.backend import Backend
from telic.lm.model import LM

_LOCAL = "local"


def backend_for(lm: Any, backend: Backend | str | None = None) -> Backend:
    """The backend that trains `lm`: the one asked for, else by the model's provider: `local/…` on this
    machine, others where they are served, over OpenAI's finetuning interface.

    Args:
        lm: the model to train.
        backend: a `Backend`, `"local"`, `"remote"`, or `None` to choose.

    Raises:
        TrainingError: there is no such backend, or none that trains this model.
        MissingExtraError: its packages are not installed.
    """
    if backend is not None and not isinstance(backend, str):
        return backend
    own = getattr(lm, "provider", None)
    if backend is None and own is not None and getattr(own, "finetunable", False):
        from telic.finetune.by_provider import ProviderBackend

        return ProviderBackend(own)
    provider = str(lm.model).partition("/")[0]
    name = backend or (_LOCAL if provider == _LOCAL else "remote")
    if name == _LOCAL:
        from telic.finetune.local.backend import LocalBackend

        return LocalBackend()
    if name == "remote":
        return _remote(lm)
    raise TrainingError(
        f"There is no training backend '{name}': give 'local', 'remote', or an object with the methods of "
        "telic.finetune.Backend."
    )


def _remote(lm: Any) -> Backend:
    from telic.finetune.remote.backend import RemoteBackend
    from telic.lm.http.table import PROVIDERS

    provider = str(lm.model).partition("/")[0]
    if provider not in PROVIDERS:
        raise TrainingError(
            f"Nothing is known that trains {lm.model}: its provider '{provider}' does not speak OpenAI's "
            "protocol. Give a backend of your own: BootstrapFinetune(…, backend=my_backend); its methods are "
            "those of telic.finetune.Backend."
        )
    return RemoteBackend.of(lm) if isinstance(lm, LM) else RemoteBackend()
