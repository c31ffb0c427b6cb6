"""Classes of LMs in saved programs: found by name, and only telic's own unless the caller trusts the file."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from telic.errors import ProgramFileError

_OWN = "telic.lm.model.LM"
_ALIASES = {"dspy.clients.lm.LM": _OWN, _OWN: _OWN}
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
