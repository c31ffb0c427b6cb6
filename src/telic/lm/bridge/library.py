"""Loading litellm so that it stays quiet: no network at import, no telemetry, no advertisements."""

from __future__ import annotations

import logging
import os
import threading
from functools import cache
from typing import Any

from telic._lazy import require
from telic.errors import MissingExtraError

_PRICES_FROM_PACKAGE = "LITELLM_LOCAL_MODEL_COST_MAP"
_lock = threading.Lock()


def load(model: str) -> Any:
    """Import litellm (seconds, the first time).

    Raises:
        MissingExtraError: it is not installed.
    """
    with _lock:
        try:
            return _load()
        except MissingExtraError as error:
            raise MissingExtraError(
                f"{model} is reached through a library that is not installed: pip install 'telic[bridge]'. "
                "If an OpenAI-compatible server of yours has it, write 'openai/<name there>' and api_base."
            ) from error


@cache
def _load() -> Any:
    before = os.environ.get(_PRICES_FROM_PACKAGE)
    if before is None:
        # Otherwise its import downloads a price list, and waits for it where there is no network.
        os.environ[_PRICES_FROM_PACKAGE] = "True"
    try:
        litellm: Any = require("litellm", extra="bridge", purpose="providers with a protocol of their own")
    finally:
        if before is None:
            del os.environ[_PRICES_FROM_PACKAGE]
    quiet(litellm)
    return litellm


def quiet(litellm: Any) -> None:
    """Switch off what litellm does unasked."""
    litellm.telemetry = False
    litellm.suppress_debug_info = True
    for name in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy"):
        logger = logging.getLogger(name)
        if logger.level in (logging.NOTSET, logging.DEBUG, logging.INFO, logging.WARNING):
            logger.setLevel(logging.ERROR)
