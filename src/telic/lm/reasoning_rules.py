"""What OpenAI's reasoning models take, looked at when an LM is made (the setting `reasoning_rules`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from telic.errors import LMConfigurationError
from telic.lm.http.dialect import OPENAI, traits_of

LEAST_TOKENS = 16_000
"""Fewer leave such a model too little to think and answer."""


def ruled(model: str, kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters for a model; those of reasoning models have `max_completion_tokens` for `max_tokens`.

    Raises:
        LMConfigurationError: it is a reasoning model, and it takes no such temperature, or so few tokens are
            not enough for it.
    """
    if not traits_of(model, OPENAI).reasoning:
        return dict(kwargs)
    temperature, most = kwargs.get("temperature"), kwargs.get("max_tokens")
    if temperature not in (None, 1.0) or (most is not None and most < LEAST_TOKENS):
        raise LMConfigurationError(
            f"{model} is one of OpenAI's reasoning models, which require temperature=1.0 or None and "
            f"max_tokens of at least {LEAST_TOKENS} or None, not temperature={temperature} and "
            f"max_tokens={most}.",
            model=model,
        )
    return {"max_completion_tokens" if k == "max_tokens" else k: v for k, v in kwargs.items()}
