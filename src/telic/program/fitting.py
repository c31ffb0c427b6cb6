"""A call's inputs made to fit its signature, or refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from telic.runtime.settings import settings
from telic.signatures.inputs import check_inputs, misfits, type_mismatches


def fitted(signature: Any, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    """The inputs of a call, with defaults for those that were left out.

    Values that are plainly of another type than declared are logged (`settings.warn_on_type_mismatch`). Under
    `settings.refuse_unfit_inputs = False`, missing and unknown inputs are logged too, and left out.

    Raises:
        InputError: inputs are missing or unknown.
    """
    if not settings.refuse_unfit_inputs and inputs.keys() != signature._input_names:
        missing, unknown, inputs = misfits(signature, inputs)
        if missing:
            _warn("Not all inputs were given. Missing: %s; given: %s.", missing, list(inputs))
        if unknown:
            _warn("Unknown inputs are ignored: %s. Known: %s.", unknown, list(signature.input_fields))
    else:
        inputs = check_inputs(signature, inputs)
    if settings.history_outputs_only:
        inputs = {name: _asked_only(signature, value) for name, value in inputs.items()}
    if settings.warn_on_type_mismatch:
        for problem in type_mismatches(signature, inputs):
            _warn("The input %s.", problem)
    return inputs


def _asked_only(signature: Any, value: Any) -> Any:
    """A conversation whose turns have every output of the signature; one that they lack is `None`."""
    from telic.types.history import History

    if not isinstance(value, History):
        return value
    lacking = dict.fromkeys(signature.output_fields)
    return History(messages=[{**lacking, **turn} for turn in value.messages])


def _warn(text: str, *facts: Any) -> None:
    import logging

    logging.getLogger("telic").warning(text, *facts)
