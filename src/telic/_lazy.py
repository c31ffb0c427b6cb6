"""Optional and heavy parts, loaded where they are used."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

from telic.errors import MissingExtraError


def require(module: str, *, extra: str, purpose: str) -> ModuleType:
    """Import `module`, or say which extra brings it.

    Args:
        module: dotted name, e.g. `"xllamacpp"`.
        extra: the extra of telic that installs it, e.g. `"local"`.
        purpose: what it is needed for, to finish the sentence "… is needed for {purpose}".

    Raises:
        MissingExtraError: the module is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != module.partition(".")[0]:
            raise
        raise MissingExtraError(
            f"The package '{module}' is needed for {purpose}. Install it with: pip install 'telic[{extra}]'"
        ) from error


def exports(
    package: str, table: dict[str, str], beyond: str | None = None
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Make the PEP 562 pair `(__getattr__, __dir__)` for a package whose names load at first use.

    Args:
        package: the package's `__name__`.
        table: public name to `"module"`, `"module:attribute"` where the attribute has another name, or
            `"module:"` for the module itself.
        beyond: a module that is asked for names which are not in the table; they are not listed.
    """

    def load(name: str) -> Any:
        target = table.get(name)
        if target is None:
            if beyond is None or name.startswith("_") or not hasattr(import_module(beyond), name):
                raise AttributeError(f"module '{package}' has no attribute '{name}'")
            target = beyond
        module, colon, attribute = target.partition(":")
        value: Any = import_module(module)
        if attribute or not colon:
            value = getattr(value, attribute or name)
        # Bound once, so that the next access does not come through here.
        import_module(package).__dict__[name] = value
        return value

    def names() -> list[str]:
        return sorted(table)

    return load, names
