"""From a trained model to the LM that programs call."""

from __future__ import annotations

from typing import Any

from telic.finetune.backend import TrainedModel, TrainingSpec
from telic.lm.base import BaseLM
from telic.lm.model import LM


def trained_lm(trained: TrainedModel, base: BaseLM) -> BaseLM:
    """The LM of a trained model: asked as `base` is (parameters, address, key), under its own name.

    A backend whose models are served by a class of its own names it in `trained.kwargs["class"]`.
    """
    told = {"base": base_of(base), "folder": None if trained.folder is None else str(trained.folder)}
    if "class" in trained.kwargs:
        state = {**base.dump_state(), **trained.kwargs, "model": trained.model, "trained": told}
        return BaseLM.load_state(state, allow_custom_lm_class=True)
    if isinstance(base, LM):
        return base.copy(model=trained.model, trained=told, **trained.kwargs)
    kept = {k: v for k, v in base.kwargs.items() if v is not None}
    return LM(trained.model, cache=base.cache, **{**kept, **trained.kwargs}, trained=told)


def base_of(lm: BaseLM) -> str:
    """The model that `lm` was trained from in the first place; itself, where it was not."""
    return str(lm.trained["base"]) if lm.trained else lm.model


def provenance_of(backend: str, spec: TrainingSpec, **more: Any) -> dict[str, Any]:
    """What every backend notes of a model it made: base, data, options, and what the backend knows besides
    (losses, versions, licence).
    """
    return {
        "backend": backend,
        "base": spec.model,
        "format": spec.data.format,
        "examples": len(spec.data),
        "data": spec.data.fingerprint,
        "options": dict(spec.options),
        "key": spec.key,
        **({"about": dict(spec.data.about)} if spec.data.about else {}),
        **({"started_from": spec.start.name} if spec.start is not None else {}),
        **more,
    }
