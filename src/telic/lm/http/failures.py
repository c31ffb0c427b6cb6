"""Every way a provider fails, mapped onto telic's exceptions in one place."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from telic.errors import (
    ContextWindowExceededError,
    LMAuthError,
    LMBillingError,
    LMConfigurationError,
    LMError,
    LMInvalidRequestError,
    LMRateLimitError,
    LMServerError,
    LMTimeoutError,
    LMUnexpectedError,
    LMUnsupportedModelError,
    redact,
)
from telic.lm.http.retry import retry_after

_TOO_LONG = re.compile(
    r"(?i)context.?length.?exceeded|exceed_context_size|maximum context length|maximum prompt length"
    r"|context[ _](?:window|length|size)|maximum model length|prompt is too long|input is too long"
    r"|input token count|reduce the length of|max_new_tokens`? must be|too many tokens|longer than the model"
)
_NO_CREDIT = re.compile(
    r"(?i)insufficient_quota|insufficient.?balance|insufficient.?credit|billing_(?:hard_limit|not_active)"
    r"|credit balance is too low|payment required"
)
_NO_MODEL = re.compile(
    r"(?i)model_not_found|model_not_available|unknown model|invalid model|no such model"
    r"|is not a valid model"
    r"|model\b.{0,120}?\b(?:does not exist|not found|is not a valid|not available|is not supported)"
)
_NO_PATH = re.compile(r"(?i)(?:(?:file|page|route|path) )?not found\.?|invalid url.*|no route.*")
_LONGEST_MESSAGE = 600


@dataclass(frozen=True, slots=True)
class Asked:
    """Who was asked, for the message of an error.

    Attributes:
        model: `provider/name`.
        provider: the provider.
        endpoint: its base URL, without secrets.
        key_name: the environment variable that holds the key, or `None`.
    """

    model: str
    provider: str
    endpoint: str
    key_name: str | None = None


@dataclass(frozen=True, slots=True)
class Complaint:
    """What a provider's error body says.

    Attributes:
        message: for people, redacted and cut to a few lines.
        code: for machines; empty where there is none.
        known: the body is an error object as APIs send it (not some web server's page).
    """

    message: str
    code: str = ""
    known: bool = False


def complaint_of(body: bytes) -> Complaint:
    """Read the body of an error answer, whatever its shape."""
    text = body.decode("utf-8", "replace").strip()
    try:
        payload = json.loads(text)
    except ValueError:
        return Complaint(_short(re.sub(r"<[^>]*>|\s+", " ", text).strip()))
    return complaint_in(payload)


def complaint_in(payload: Any) -> Complaint:
    """Read an error object: OpenAI's `{"error": {…}}`, FastAPI's `{"detail": …}`, plain `{"message": …}`."""
    if isinstance(payload, list) and payload:
        payload = payload[0]
    if not isinstance(payload, Mapping):
        return Complaint(_short(str(payload)))
    error = payload.get("error") or payload.get("detail") or payload
    if not isinstance(error, Mapping):
        return Complaint(_short(str(error)), str(payload.get("code") or ""), True)
    code = [str(error[name]) for name in ("code", "type", "status") if error.get(name)]
    message = error.get("message") or error.get("error") or json.dumps(dict(error))
    return Complaint(_short(str(message)), " ".join(code), True)


def failure_of(status: int, headers: Mapping[str, str], said: Complaint, asked: Asked) -> LMError:
    """Make the exception for an answer that is an error.

    Args:
        status: HTTP status.
        headers: of the answer, case-insensitive.
        said: what its body says.
        asked: who was asked.
    """
    kind, advice = _kind_of(status, said, asked)
    wait = retry_after(headers, limited=status == 429) if kind in (LMRateLimitError, LMServerError) else None
    message = said.message or "(no message)"
    where = f"{asked.model} at {asked.endpoint} answered {status}: {message}"
    return kind(
        f"{where}\n{advice}" if advice else where,
        model=asked.model,
        provider=asked.provider,
        provider_code=said.code.partition(" ")[0] or None,
        status=status,
        request_id=headers.get("x-request-id") or headers.get("request-id") or headers.get("cf-ray"),
        retry_after=wait,
    )


def _kind_of(status: int, said: Complaint, asked: Asked) -> tuple[type[LMError], str]:
    """The class of the exception, and what to do about it."""
    words = f"{said.code} {said.message}"
    if status == 402 or (status in (400, 403, 429) and _NO_CREDIT.search(words)):
        return LMBillingError, "The account has no credit left: check the provider's billing page."
    if status == 429:
        return LMRateLimitError, ""
    if status in (401, 403):
        return LMAuthError, f"Check {asked.key_name or 'api_key'}, and that it may use this model."
    if status in (400, 413, 422, 500) and _TOO_LONG.search(words):
        return ContextWindowExceededError, "Shorten the inputs, use fewer demos, or lower max_tokens."
    if status == 413 and "rate_limit" in said.code:
        return LMRateLimitError, ""
    if status == 404 and not _NO_MODEL.search(words) and (not said.known or _NO_PATH.fullmatch(said.message)):
        return LMConfigurationError, "There is nothing at that address: check api_base (most end in /v1)."
    if status == 404 or (status in (400, 422) and _NO_MODEL.search(words)):
        return LMUnsupportedModelError, "Check the model's name; the provider's /models lists what there is."
    if status in (408, 504):
        return LMTimeoutError, ""
    if status >= 500 or status in (409, 425):
        return LMServerError, ""
    if 300 <= status < 400:
        return LMConfigurationError, "It sends requests elsewhere: set api_base to the final address."
    if status >= 400:
        return LMInvalidRequestError, ""
    return LMUnexpectedError, ""


def _short(text: str) -> str:
    text = redact(text)
    return text if len(text) <= _LONGEST_MESSAGE else f"{text[:_LONGEST_MESSAGE]}…"
