"""What is looked at before an evaluation pays for anything: the devset, and how many errors are allowed."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from math import inf
from typing import Any

from telic.data.example import Example
from telic.errors import DataError, InputError
from telic.runtime.settings import settings


def checked_devset(devset: Any) -> list[Any]:
    """The devset as a list of examples with inputs.

    Raises:
        DataError: it is empty, not a sequence of examples, or has rows without inputs.
    """
    rows = list(devset)
    if not rows:
        raise DataError("The devset is empty: there is nothing to evaluate on.")
    for index, row in enumerate(rows):
        if not isinstance(row, Example):
            raise DataError(
                f"Row {index} of the devset is a {type(row).__name__}, not an Example. Write "
                "telic.Example(row).with_inputs('question'), naming the fields that are inputs."
            )
        try:
            row.inputs()
        except DataError as error:
            raise DataError(f"Row {index} of the devset: {error.message}") from None
    return rows


def error_limit(max_errors: float | None, examples: int) -> float:
    """How many errors are allowed among so many examples; one less under `settings.stop_at_max_errors`.

    Raises:
        InputError: `max_errors` is neither a count nor a share.
    """
    wanted = settings.max_errors if max_errors is None else max_errors
    if isinstance(wanted, (int, float)) and not isinstance(wanted, bool) and wanted >= 0:
        if wanted == inf or float(wanted).is_integer():
            return max(wanted - 1, 0) if settings.stop_at_max_errors else wanted
        if wanted < 1:
            return wanted * examples
    raise InputError(
        f"max_errors={wanted!r} must be a count (0, 10, …) or a share of the devset above 0 and below 1."
    )


def check_options(unknown: Mapping[str, Any]) -> None:
    """Refuse options that an evaluation does not have, or (`settings.refuse_unfit_inputs`) warn of them.

    Raises:
        InputError: there is one.
    """
    if not unknown:
        return
    message = f"Evaluate has no option {', '.join(map(repr, unknown))}."
    if settings.refuse_unfit_inputs:
        raise InputError(message)
    logging.getLogger("telic.evaluate").warning("%s It is ignored.", message)
