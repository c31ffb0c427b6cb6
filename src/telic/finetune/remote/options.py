"""What can be said about how a remote model is trained, and what the server is told of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from telic.errors import TrainingError
from telic.finetune.data import Format

_HYPERPARAMETERS = {
    "epochs": "n_epochs",
    "n_epochs": "n_epochs",
    "batch_size": "batch_size",
    "learning_rate_multiplier": "learning_rate_multiplier",
}
_OF_PREFERENCE = {"beta": "beta"}
_OF_JOB = ("seed", "suffix", "integrations")

KNOWN = (*_HYPERPARAMETERS, *_OF_PREFERENCE, *_OF_JOB)


def check_options(options: Mapping[str, Any], format: Format) -> None:
    """Refuse what the interface has no place for.

    Raises:
        TrainingError: an option is not known; names those that are.
    """
    unknown = sorted(set(options) - set(KNOWN))
    if "learning_rate" in unknown:
        raise TrainingError(
            "A remote backend takes learning_rate_multiplier (of the provider's own rate), not learning_rate."
        )
    if unknown:
        raise TrainingError(
            f"The remote backend does not know the options {unknown}; it knows {list(KNOWN)}."
        )
    if "beta" in options and format != "preference":
        raise TrainingError("The option 'beta' is for sets of preferences only.")


def job_body(model: str, format: Format, options: Mapping[str, Any]) -> dict[str, Any]:
    """The body that begins a job, without the files."""
    named = {**_HYPERPARAMETERS, **_OF_PREFERENCE}
    hyper = {named[name]: value for name, value in options.items() if name in named and value is not None}
    body: dict[str, Any] = {"model": model}
    body |= {name: options[name] for name in _OF_JOB if options.get(name) is not None}
    if format == "preference":
        body["method"] = {"type": "dpo", "dpo": {"hyperparameters": hyper}}
    elif hyper:
        # Servers that speak the interface know this place of old; not all know `method`.
        body["hyperparameters"] = hyper
    return body


def epochs_of(options: Mapping[str, Any]) -> int | None:
    """How often the data is gone through; `None` where the provider decides."""
    told = options.get("epochs", options.get("n_epochs"))
    return int(told) if isinstance(told, (int, float, str)) and str(told).isdigit() else None
