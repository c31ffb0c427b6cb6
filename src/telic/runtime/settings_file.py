"""Settings as a file: a pickle, because settings may hold any object; read at the caller's word only."""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from telic._lazy import require
from telic.errors import InputError


def save_settings(values: Mapping[str, Any], path: str | Path, modules: Sequence[Any] | None = None) -> None:
    """Write settings.

    Args:
        values: what to write.
        path: the file.
        modules: modules whose classes go into the pickle by value.

    Raises:
        MissingExtraError: cloudpickle is not installed.
    """
    cloudpickle = require("cloudpickle", extra="pickle", purpose="saving settings")
    for module in modules or ():
        cloudpickle.register_pickle_by_value(module)
    try:
        content = cloudpickle.dumps(dict(values))
    finally:
        for module in modules or ():
            cloudpickle.unregister_pickle_by_value(module)
    Path(path).write_bytes(content)


def load_settings(path: str | Path, *, allow_pickle: bool = False) -> dict[str, Any]:
    """Read settings; they are not put in force.

    Raises:
        InputError: `allow_pickle` was not given.
    """
    if not allow_pickle:
        raise InputError(
            f"'{path}' is a pickle, and reading one runs code that is in it. "
            "Say allow_pickle=True if you trust where it comes from."
        )
    values: dict[str, Any] = pickle.loads(Path(path).read_bytes())  # at the caller's word
    return values
