"""litellm's exceptions, mapped onto telic's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from telic.errors import (
    ContextWindowExceededError,
    LMBillingError,
    LMConfigurationError,
    LMError,
    LMInvalidRequestError,
    LMTimeoutError,
    LMTransportError,
    LMUnsupportedFeatureError,
    redact,
)
from telic.lm.http.failures import Asked, Complaint, failure_of

_BY_NAME: dict[str, type[LMError]] = {
    "ContextWindowExceededError": ContextWindowExceededError,
    "ContentPolicyViolationError": LMInvalidRequestError,
    "UnsupportedParamsError": LMUnsupportedFeatureError,
    "BudgetExceededError": LMBillingError,
    "PaymentRequiredError": LMBillingError,
    "Timeout": LMTimeoutError,
    "APIConnectionError": LMTransportError,
}
_UNKNOWN_PROVIDER = "LLM Provider NOT provided"
_NO_CONNECTION = "Connection error"


def failure_from(error: Exception, asked: Asked, secret: str | None) -> LMError:
    """Make our exception for one of litellm's.

    Args:
        error: what litellm raised.
        asked: who was asked.
        secret: the key in use, to keep it out of the message.
    """
    text = str(getattr(error, "message", None) or error)
    text = text.partition("\nTraceback")[0]
    text = redact(text.replace(secret, "***") if secret else text)[:600]
    if _UNKNOWN_PROVIDER in text:
        return LMConfigurationError(
            f"No provider is called {asked.provider!r}. Write provider/model, as in "
            "'anthropic/claude-sonnet-4-5'; "
            f"for an OpenAI-compatible server, 'openai/{asked.model}' and api_base=…",
            model=asked.model,
        )
    headers = _headers_of(error)
    known = next((_BY_NAME[kind.__name__] for kind in type(error).__mro__ if kind.__name__ in _BY_NAME), None)
    if known is None and _NO_CONNECTION in text:
        known = LMTransportError
    status = getattr(error, "status_code", None)
    if known is None:
        code = str(getattr(error, "code", None) or "")
        known_status = status if isinstance(status, int) else 500
        return failure_of(known_status, headers, Complaint(text, code, True), asked)
    return known(
        f"{asked.model} through litellm: {text}",
        model=asked.model,
        provider=asked.provider,
        status=status if isinstance(status, int) else None,
        request_id=headers.get("x-request-id") or headers.get("request-id"),
    )


def _headers_of(error: Exception) -> Mapping[str, str]:
    """The provider's headers, lower case; litellm keeps them in one place or the other."""
    for holder in (error, getattr(error, "response", None)):
        for name in ("litellm_response_headers", "headers"):
            headers: Any = getattr(holder, name, None)
            if headers:
                return {str(key).lower(): str(value) for key, value in dict(headers).items()}
    return {}
