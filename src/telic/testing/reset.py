"""Back to the state of a fresh process."""

from __future__ import annotations

import sys

from telic.lm.history import GLOBAL_HISTORY
from telic.runtime.settings import settings
from telic.store.default import configure_cache


def reset() -> None:
    """Forget settings, history and what caches hold in memory; files are not touched.

    Where DSPy's names are installed, settings go back to what DSPy documents.
    """
    settings.reset()
    GLOBAL_HISTORY.clear()
    configure_cache()
    if caching := sys.modules.get("telic.compat.dspy.caching"):
        caching.configure_cache()
        caching.cache.reset_memory_cache()
