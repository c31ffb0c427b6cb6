"""A call's inputs made to fit its signature, or refused."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from telic.runtime.settings import settings
from telic.signatures.inputs import check_inputs, misfits, type_mismatches

logger = logging.getLogger("telic")


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
            logger.warning("Not all inputs were given. Missing: %s; given: %s.", missing, list(inputs))
        if unknown:
            logger.warning(
                "Unknown inputs are ignored: %s. Known: %s.", unknown, list(signature.input_fields)
            )
    else:
        inputs = check_inputs(signature, inputs)
    if settings.warn_on_type_mismatch:
        for problem in type_mismatches(signature, inputs):
            logger.warning("The input %s.", problem)
    return inputs
