"""Programs and states as pickles, for those who ask for them: reading one runs code that is in it."""

from __future__ import annotations

import json
import logging
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from telic._json import dumps, write_atomic
from telic._lazy import require
from telic.errors import ProgramFileError

_log = logging.getLogger("telic")
LAYOUT_OF_DSPY = "3.4.1"
"""The version of DSPy whose files are written where the settings ask for them."""
_PROGRAM, _METADATA = "program.pkl", "metadata.json"


def save_program(program: Any, path: str | Path, modules: Sequence[Any] | None = None) -> None:
    """Write a whole program, code and state, into a folder (`program.pkl` and `metadata.json`).

    Args:
        program: what is written.
        path: the folder; made where it is not there.
        modules: modules whose classes go into the pickle by value, because they will not be importable.

    Raises:
        ProgramFileError: `path` looks like a file.
        MissingExtraError: cloudpickle is not installed.
    """
    folder = Path(path)
    if folder.suffix or folder.is_file():
        raise ProgramFileError(
            f"save_program=True writes a folder, and '{path}' looks like a file: give it no suffix."
        )
    cloudpickle = require("cloudpickle", extra="pickle", purpose="saving a program with its code")
    for module in modules or ():
        cloudpickle.register_pickle_by_value(module)
    try:
        content = cloudpickle.dumps(program)
    finally:
        for module in modules or ():
            cloudpickle.unregister_pickle_by_value(module)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _PROGRAM).write_bytes(content)
    write_atomic(folder / _METADATA, dumps({"dependency_versions": dependency_versions()}, indent=2) + "\n")


def load_program(path: str | Path, *, allow_pickle: bool = False) -> Any:
    """The inverse of `save_program`.

    Raises:
        ProgramFileError: there is nothing of the kind at `path`, or `allow_pickle` was not given.
    """
    if not allow_pickle:
        raise ProgramFileError(
            f"'{path}' holds a pickle, and reading one runs code that is in it. "
            "Say allow_pickle=True if you trust where it comes from."
        )
    folder = Path(path)
    if not folder.exists():
        raise FileNotFoundError(f"There is no folder '{folder}'.")
    if not (folder / _PROGRAM).is_file():
        raise ProgramFileError(f"'{folder}' holds no saved program: there is no '{_PROGRAM}' in it.")
    if (folder / _METADATA).is_file():
        note_versions(json.loads((folder / _METADATA).read_text(encoding="utf-8")), folder)
    return pickle.loads((folder / _PROGRAM).read_bytes())  # at the caller's word


def save_state(state: Mapping[str, Any], path: Path) -> None:
    """Write the state of a program as a pickle."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(
        pickle.dumps({**state, "metadata": {"dependency_versions": dependency_versions(of_dspy=True)}})
    )


def load_state(path: Path, *, allow_pickle: bool) -> dict[str, Any]:
    """The inverse of `save_state`.

    Raises:
        ProgramFileError: `allow_pickle` was not given.
    """
    if not allow_pickle:
        raise ProgramFileError(
            f"'{path.name}' is a pickle, and reading one runs code that is in it. Save programs as JSON, or "
            "say allow_pickle=True if you trust where it comes from."
        )
    state: dict[str, Any] = pickle.loads(path.read_bytes())  # at the caller's word
    return state


def dependency_versions(*, of_dspy: bool = False) -> dict[str, str]:
    """Versions of what reading a saved program depends on.

    Args:
        of_dspy: what DSPy looks for, which takes no other names: its own version is the one whose layout is
            written.
    """
    import sys
    from importlib.metadata import PackageNotFoundError, version

    found = {"python": f"{sys.version_info.major}.{sys.version_info.minor}"}
    for name in ("telic", "cloudpickle"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # not installed, so nothing depends on it
            continue
    if of_dspy:
        found.pop("telic", None)
        found["dspy"] = LAYOUT_OF_DSPY
        if "cloudpickle" in found:
            found["cloudpickle"] = ".".join(found["cloudpickle"].split(".")[:2])
    return found


def note_versions(metadata: Mapping[str, Any], path: Path) -> None:
    """Warn where a program was saved under other versions."""
    mine = dependency_versions()
    for name, saved in (metadata.get("dependency_versions") or {}).items():
        if name in mine and mine[name] != saved:
            _log.warning(
                "'%s' was saved under %s %s, and this is %s %s; it may behave differently.",
                path,
                name,
                saved,
                name,
                mine[name],
            )
