"""What `import telic as dspy` finds beyond telic's own names: what only DSPy has, and its submodules."""

from __future__ import annotations

from typing import Any

from telic.compat.dspy.installer import table_module
from telic.compat.dspy.modules import MODULES

_NAMES = {*MODULES["dspy"].split(), *(path.split(".")[1] for path in MODULES if path.count(".") == 1)}


def __getattr__(name: str) -> Any:
    if name not in _NAMES:
        raise AttributeError(f"DSPy has no top-level name '{name}'")
    return getattr(table_module("dspy"), name)
