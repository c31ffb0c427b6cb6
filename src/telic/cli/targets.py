"""Names on the command line made into objects: `module:object`, `file.py:object`."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import typer


def load_object(spec: str, what: str) -> Any:
    """The object that `module:name` or `file.py:name` names; the working directory is importable.

    Args:
        spec: as the user wrote it; the name may be dotted.
        what: what it should be, for messages: "program", "metric".

    Raises:
        BadParameter: there is no such file, module or name.
    """
    place, colon, name = spec.rpartition(":")
    if not colon or not place or not name:
        raise typer.BadParameter(f"a {what} is written 'module:name' or 'file.py:name', not '{spec}'.")
    value: Any = _module(place, what)
    for part in name.split("."):
        try:
            value = getattr(value, part)
        except AttributeError:
            known = [n for n in vars(value) if not n.startswith("_")] if isinstance(value, ModuleType) else []
            hint = f" It has: {', '.join(sorted(known)[:20])}." if known else ""
            raise typer.BadParameter(f"'{place}' has no {what} '{name}'.{hint}") from None
    return value


def _module(place: str, what: str) -> ModuleType:
    if place.endswith(".py"):
        return _module_of_file(Path(place), what)
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        return import_module(place)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{place}.".startswith(f"{error.name}."):
            raise
        raise typer.BadParameter(f"there is no module '{place}' to take the {what} from.") from None


def _module_of_file(path: Path, what: str) -> ModuleType:
    if not path.is_file():
        raise typer.BadParameter(f"there is no file '{path}' to take the {what} from.")
    name = path.stem
    known = sys.modules.get(name)
    if known is not None and getattr(known, "__file__", None) == str(path.resolve()):
        return known
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    spec = spec_from_file_location(name, path.resolve())
    if spec is None or spec.loader is None:
        raise typer.BadParameter(f"'{path}' is not a Python file.")
    module = module_from_spec(spec)
    # Known by its name, so that classes defined in it can be found again and pickled.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
