"""Models that were trained for a program travel with its file: beside `NAME.json` stands the folder
`NAME.models`, and the file names them by paths relative to itself.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from telic.errors import TrainingError
from telic.finetune.artifacts import check_folder

_WEIGHTS = frozenset({".gguf", ".safetensors"})


def bundled(states: Mapping[str, Any], file: Path) -> dict[str, Any]:
    """States with every trained model's folder copied beside `file`, and named from there."""
    return {path: _changed(state, lambda lm: _with_copy(lm, file)) for path, state in states.items()}


def unbundled(states: Mapping[str, Any], file: Path) -> dict[str, Any]:
    """The inverse: paths as they are on this machine, each folder checked.

    Raises:
        TrainingError: a folder is missing, of another base, or not safe to load.
    """
    return {path: _changed(state, lambda lm: _found(lm, file)) for path, state in states.items()}


def _changed(state: Any, change: Any) -> Any:
    lm = state.get("lm") if isinstance(state, Mapping) else None
    told = lm.get("trained") if isinstance(lm, Mapping) else None
    if not isinstance(told, Mapping) or not told.get("folder"):
        return state
    return {**state, "lm": change(lm)}


def _with_copy(lm: Mapping[str, Any], file: Path) -> Any:
    source = Path(lm["trained"]["folder"])
    if not source.is_dir():
        raise TrainingError(f"The folder of the trained model {lm['model']} is gone: {source}.")
    name = f"{file.stem}.models/{source.name}"
    target = file.parent / name
    if not target.exists():
        half = target.with_name(f".{target.name}.tmp")
        shutil.rmtree(half, ignore_errors=True)
        shutil.copytree(source, half, copy_function=_linked)
        half.rename(target)
    return _renamed(lm, str(source), f"./{name}")


def _found(lm: Mapping[str, Any], file: Path) -> Any:
    told = str(lm["trained"]["folder"])
    folder = file.parent.absolute() / told if told.startswith("./") else Path(told)
    check_folder(folder, str(lm["trained"]["base"]))
    return _renamed(lm, told, str(folder))


def _renamed(value: Any, old: str, new: str) -> Any:
    """A state with one path in place of another, wherever it stands."""
    if isinstance(value, str):
        return value.replace(old, new)
    if isinstance(value, Mapping):
        return {key: _renamed(part, old, new) for key, part in value.items()}
    return [_renamed(part, old, new) for part in value] if isinstance(value, list) else value


def _linked(source: str, target: str) -> str:
    """Weights need not be there twice on one disk: they are never changed in place."""
    if Path(source).suffix in _WEIGHTS:
        try:
            os.link(source, target)
        except OSError:  # another disk
            return str(shutil.copy2(source, target))
        return target
    return str(shutil.copy2(source, target))
