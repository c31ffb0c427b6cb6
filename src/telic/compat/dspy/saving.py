"""`load` and `load_settings`: whole programs and settings out of pickles, at the caller's word."""

from __future__ import annotations

from typing import Any

from telic.program.pickled import load_program
from telic.runtime.settings import settings


def load(path: str, allow_pickle: bool = False) -> Any:
    """The program in a folder that `program.save(path, save_program=True)` wrote.

    Args:
        path: the folder.
        allow_pickle: loading it runs code that is in it; say `True` if you trust where it comes from.

    Raises:
        ProgramFileError: there is no such folder, or `allow_pickle` was not given.
    """
    return load_program(path, allow_pickle=allow_pickle)


def load_settings(path: str, allow_pickle: bool = False) -> dict[str, Any]:
    """What `settings.save(path)` wrote; give it to `configure(**…)` to put it in force."""
    return settings.load(path, allow_pickle=allow_pickle)
