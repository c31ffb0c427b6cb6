"""DSPy's names for what telic has.

    import telic.compat.dspy
    telic.compat.dspy.install()
    import dspy                      # means telic from here on

A program that uses top-level names alone needs no `install()`: `import telic.compat.dspy as dspy` gives them.
"""

from telic._lazy import exports

_TABLE = {
    "install": "telic.compat.dspy.installer",
    "uninstall": "telic.compat.dspy.installer",
    "installed": "telic.compat.dspy.installer",
    "NotInThisVersionError": "telic.compat.dspy.absent",
}

__getattr__, __dir__ = exports(__name__, _TABLE)
__all__ = sorted(_TABLE)
