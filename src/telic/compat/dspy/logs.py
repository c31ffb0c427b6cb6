"""DSPy's switches for log messages, as switches of telic's logger; and the printing of a history."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from telic.lm.transcript import print_transcript

_LOGGER = logging.getLogger("telic")
_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def configure_dspy_loggers(root_module_name: str) -> None:
    """Give the logger of this name a handler of its own, on standard error, at level INFO."""
    logger = logging.getLogger("telic" if root_module_name == "dspy" else root_module_name)
    if not logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter(_FORMAT, "%Y/%m/%d %H:%M:%S"))
        logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False


def disable_logging() -> None:
    """Say nothing."""
    _LOGGER.disabled = True


def enable_logging() -> None:
    """Say it again."""
    _LOGGER.disabled = False


def configure_litellm_logging(level: str = "ERROR") -> None:
    """Set the level of LiteLLM's logger; only providers reached through the bridge use it."""
    logging.getLogger("LiteLLM").setLevel(level)


def enable_litellm_logging() -> None:
    """Let LiteLLM log everything."""
    configure_litellm_logging("DEBUG")


def disable_litellm_logging() -> None:
    """Let LiteLLM log errors only."""
    configure_litellm_logging("ERROR")


def pretty_print_history(
    history: Sequence[Mapping[str, Any]], n: int = 1, file: TextIO | None = None
) -> None:
    """Print the last `n` entries of a history."""
    print_transcript(list(history)[-n:] if n > 0 else [], file)
