"""The settings under which telic does as DSPy documents, where its own way is another."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

CHOICES: Mapping[str, Any] = MappingProxyType(
    {
        # A call with missing or unknown inputs goes on, with a warning.
        "refuse_unfit_inputs": False,
        # An answer the adapter cannot read is asked for once more as JSON, and not repaired.
        "json_fallback": True,
        "max_repairs": 0,
        # In an evaluation, whatever goes wrong with an example is scored with the failure score.
        "score_errors": True,
        "stop_at_max_errors": True,
        # Async tools are not called from sync code, unless the user allows it.
        "allow_tool_async_sync_conversion": False,
        # Predictor calls are kept in `dspy.settings.trace`.
        "trace": [],
        "max_history_size": 10_000,
        # Tools are called natively where an adapter is told to, and not otherwise.
        "native_agent_tools": False,
        # Modules have a history of their own; parameters of reasoning models are looked at early.
        "module_history": True,
        "reasoning_rules": True,
        # Every try of BestOfN and Refine is drawn at temperature 1, and may raise what it likes.
        "first_try_sampled": True,
        "forgive_any_error": True,
        # Saved programs can be read by DSPy.
        "state_layout": "dspy",
        # An answer from the cache is not streamed: the prediction alone comes.
        "stream_recorded": False,
        "history_outputs_only": True,
        # Settings of one's own; and only who configured first may go on to.
        "refuse_unknown_settings": False,
        "configure_by_first_only": True,
    }
)
"""Setting to value. Each is a line of docs/from-dspy.md."""
