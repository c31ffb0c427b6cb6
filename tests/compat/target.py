"""What the behavioural tests run against: telic by DSPy's names, or (`TELIC_COMPAT_TARGET=dspy`) DSPy itself.

The second proves that what a test expects is what DSPy does.
"""

from __future__ import annotations

import os
from typing import Any

TARGET = os.environ.get("TELIC_COMPAT_TARGET", "telic")
REAL = TARGET == "dspy"

if REAL:
    import dspy  # type: ignore[import-not-found,unused-ignore]
    import dspy.datasets
    import dspy.datasets.gsm8k
    import dspy.experimental
else:
    from telic.compat.dspy import install, uninstall

    install()
    import dspy  # type: ignore[import-not-found,unused-ignore]

    uninstall()


def fresh() -> None:
    """The state of a new process."""
    if not REAL:
        from telic.testing import reset

        reset()
        return
    settings: Any = dspy.settings
    defaults = dict(
        lm=None, adapter=None, rm=None, callbacks=[], trace=[], track_usage=False, num_threads=8, max_errors=10,
        provide_traceback=False, disable_history=False, allow_tool_async_sync_conversion=False,
        max_history_size=10_000, max_trace_size=10_000, warn_on_type_mismatch=True, usage_tracker=None,
    )  # fmt: skip
    import sys

    from dspy.dsp.utils import settings as module  # noqa: F401

    owner = sys.modules["dspy.dsp.utils.settings"]
    owner.config_owner_thread_id = None
    owner.config_owner_async_task = None
    settings.configure(**defaults)
    owner.config_owner_thread_id = None
    owner.config_owner_async_task = None
    dspy.configure_cache(enable_disk_cache=False, enable_memory_cache=True)
    dspy.clients.base_lm.GLOBAL_HISTORY.clear()
