"""Back to the state of a fresh process."""

from __future__ import annotations

from telic.lm.history import GLOBAL_HISTORY
from telic.runtime.settings import settings
from telic.store.default import configure_cache


def reset() -> None:
    """Forget settings, history and what caches hold in memory; files are not touched."""
    settings.reset()
    GLOBAL_HISTORY.clear()
    configure_cache()
