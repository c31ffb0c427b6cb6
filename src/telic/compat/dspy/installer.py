"""`install()`: put DSPy's modules in place, and choose the settings DSPy's documentation asks for."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from telic.compat.dspy.absent import ABSENT, Absent
from telic.compat.dspy.choices import CHOICES
from telic.compat.dspy.modules import MODULES
from telic.compat.dspy.names import NAMES
from telic.runtime.settings import settings
from telic.types.forms import Forms

VERSION = "3.4.1"
"""The version of DSPy whose names and documented behaviour these are."""


class TableModule(ModuleType):
    """A module of names that are taken from telic when they are first asked for.

    Args:
        name: its dotted path.
        names: what is in it.
    """

    def __init__(self, name: str, names: str) -> None:
        super().__init__(name, f"DSPy's {name}, from telic.")
        self.__path__: list[str] = []
        self.__spec__ = ModuleSpec(name, None, is_package=True)
        self.__package__ = name
        self.__all__ = sorted(dict.fromkeys(names.split()))
        if name == "dspy":
            self.__version__ = VERSION

    def __getattr__(self, name: str) -> Any:
        # A name wins over a module of the same name: `dspy.streaming.streamify` is the function.
        if name in self.__dict__["__all__"]:
            value = thing(name)
        elif f"{self.__name__}.{name}" in MODULES:
            value = table_module(f"{self.__name__}.{name}")
        else:
            raise AttributeError(f"module '{self.__name__}' has no attribute '{name}'")
        self.__dict__[name] = value
        return value

    def __reduce__(self) -> tuple[Any, ...]:
        # A program that is pickled with its code takes along what that code refers to.
        return (table_module, (self.__name__,))

    def __dir__(self) -> list[str]:
        own = f"{self.__name__}."
        below = {path[len(own) :] for path in MODULES if path.startswith(own)}
        return sorted({*self.__all__, *(path for path in below if "." not in path), *self.__dict__})


_made: dict[str, TableModule] = {}
_replaced: dict[str, ModuleType] | None = None


def thing(name: str) -> Any:
    """What DSPy's name means, wherever DSPy has it; an `Absent` for what telic does not have yet."""
    if name in ABSENT:
        return Absent(name, ABSENT[name])
    module, _, attribute = NAMES[name].partition(":")
    return getattr(import_module(module), attribute)


def table_module(path: str) -> TableModule:
    """The module of DSPy's at `path`; always the same object."""
    found = _made.get(path)
    if found is None:
        found = _made[path] = TableModule(path, MODULES[path])
    return found


def install() -> None:
    """Make `import dspy` and DSPy's submodule paths mean telic, and telic do as DSPy documents.

    The settings of `telic.compat.dspy.choices` become defaults of the process, to which `settings.reset()`
    goes back. Modules of DSPy itself that were imported before are kept aside for `uninstall`. Installing
    twice does nothing.
    """
    global _replaced
    if _replaced is not None:
        return
    _replaced = _imported()
    for path in _replaced:
        del sys.modules[path]
    sys.modules.update({path: table_module(path) for path in MODULES})
    settings.set_defaults(**CHOICES)
    Forms.strict = True  # adapters see no settings


def uninstall() -> None:
    """Take away what `install` put in place; nothing where it is not."""
    global _replaced
    if _replaced is None:
        return
    for path in _imported():
        del sys.modules[path]
    sys.modules.update(_replaced)
    _replaced = None
    settings.set_defaults()
    Forms.strict = False


def installed() -> bool:
    """Whether `import dspy` means telic now."""
    return _replaced is not None


def _imported() -> dict[str, ModuleType]:
    return {
        path: module for path, module in sys.modules.items() if path == "dspy" or path.startswith("dspy.")
    }
