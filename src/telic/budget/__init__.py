"""Caps on calls, tokens, money and time: `with telic.budget(calls=100, usd=0.50): …`.

The package can be called like the function, since `telic.budget` may name either when it is looked up.
"""

import sys
from types import ModuleType
from typing import Any

from telic.budget.admission import reserving
from telic.budget.caps import Budget, Spent, budget

__all__ = ["Budget", "Spent", "budget", "reserving"]


class _CallableModule(ModuleType):
    def __call__(self, **caps: Any) -> Budget:
        return budget(**caps)


sys.modules[__name__].__class__ = _CallableModule
