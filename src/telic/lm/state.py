"""Classes of LMs in saved programs: found by name, and only telic's own unless the caller trusts the file."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from telic.errors import ProgramFileError
from telic.runtime.settings import settings

_OWN = "telic.lm.model.LM"
_DSPYS = "dspy.clients.lm.LM"
_ALIASES = {_DSPYS: _OWN, _OWN: _OWN}
SECRET_PARAMS = frozenset(
    {"api_key", "api_base", "base_url", "headers", "extra_headers", "organization", "azure_ad_token"}
)
"""Call parameters that say how to reach a model, not what to ask it; never part of a request or a saved
state.
"""
_NOT_PARAMS = frozenset({"class", "_dspy_lm_class"})


def constructor_of(
    state: Mapping[str, Any], *, allow_custom_lm_class: bool = False
) -> tuple[Any, dict[str, Any]]:
    """The class and the arguments that make the LM of a saved state; one written by DSPy is read too.

    Args:
        state: what `dump_state` wrote.
        allow_custom_lm_class: import a class that is not telic's own, as named in the state.

    Raises:
        ProgramFileError: the state names a foreign class and that is not allowed, or it cannot be imported.
    """
    name = state.get("class") or state.get("_dspy_lm_class") or _OWN
    if name not in _ALIASES and not allow_custom_lm_class:
        raise ProgramFileError(
            f"The saved LM is of class '{name}', which telic does not know. If you trust the file, load it "
            "with "
            f"allow_unsafe_lm_state=True (the class is then imported), or set the LM yourself with set_lm()."
        )
    module, _, attribute = _ALIASES.get(name, name).rpartition(".")
    try:
        cls = getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise ProgramFileError(f"The saved LM's class '{name}' cannot be imported: {error}") from error
    return cls, {k: v for k, v in state.items() if k not in _NOT_PARAMS and v is not None}


def state_of(lm: Any) -> dict[str, Any]:
    """What it takes to make `lm` again, without secrets and without how it is reached.

    Under `settings.state_layout = "dspy"`, by DSPy's names, with what is not set as `None`.
    """
    name = f"{type(lm).__module__}.{type(lm).__qualname__}"
    facts = {
        "model": lm.model,
        "model_type": lm.model_type,
        "cache": lm.cache,
        "num_retries": lm.num_retries,
    }
    kwargs = {k: v for k, v in lm.kwargs.items() if k not in SECRET_PARAMS and k != "rollout_id"}
    if settings.state_layout != "dspy":
        return {"class": name, **facts, **{k: v for k, v in kwargs.items() if v is not None}}
    if name != _OWN:
        return {"_dspy_lm_class": name, **facts, **kwargs}
    own = ("finetuning_model", "launch_kwargs", "train_kwargs")
    return {"_dspy_lm_class": _DSPYS, **facts, **kwargs, **{k: getattr(lm, k) for k in own}}
