"""The phrasings of vendors, mapped onto our exceptions."""

import json

import pytest

from telic.errors import (
    ContextWindowExceededError,
    LMAuthError,
    LMBillingError,
    LMConfigurationError,
    LMInvalidRequestError,
    LMRateLimitError,
    LMServerError,
    LMTimeoutError,
    LMUnsupportedModelError,
)
from telic.lm.http.failures import Asked, complaint_of, failure_of
from telic.lm.http.retry import Retries, retry_after

ASKED = Asked("openai/m", "openai", "http://h/v1", "OPENAI_API_KEY")


def failure(status, body, **headers):
    content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return failure_of(status, headers, complaint_of(content), ASKED)


def said(message, code=None, kind=None):
    return {"error": {"message": message, "code": code, "type": kind}}


TOO_LONG = [
    (
        400,
        said(
            "This model's maximum context length is 4097 tokens. However, you requested 5000",
            "context_length_exceeded",
        ),
    ),
    (400, {"object": "error", "message": "This model's maximum context length is 2048 tokens.", "code": 400}),
    (
        400,
        said(
            "the request exceeds the available context size, try increasing it",
            400,
            "exceed_context_size_error",
        ),
    ),
    (400, said("The decoder prompt (length 5000) is longer than the maximum model length of 4096.")),
    (
        422,
        {
            "error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096",
            "error_type": "validation",
        },
    ),
    (400, said("The input (9000 tokens) is longer than the model's context length (8192 tokens).")),
    (400, said("prompt is too long: 210000 tokens > 200000 maximum", None, "invalid_request_error")),
    (400, [said("The input token count (1100000) exceeds the maximum number of tokens allowed (1048576).")]),
    (400, said("Please reduce the length of the messages or completion.", "context_length_exceeded")),
    (400, said("This model's maximum prompt length is 131072 but the request contains 140000 tokens.")),
    (400, said("Your input exceeds the context window of this model.")),
    (500, said("the input length exceeds the context length")),
]


@pytest.mark.parametrize(("status", "body"), TOO_LONG)
def test_a_prompt_beyond_the_window_is_recognised(status, body):
    error = failure(status, body)
    assert type(error) is ContextWindowExceededError
    assert "Shorten" in str(error)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, said("Incorrect API key provided", "invalid_api_key"), LMAuthError),
        (403, said("Country not supported"), LMAuthError),
        (402, said("Insufficient Balance"), LMBillingError),
        (
            429,
            said("You exceeded your current quota, please check your plan", "insufficient_quota"),
            LMBillingError,
        ),
        (400, said("Your credit balance is too low to access the API."), LMBillingError),
        (429, said("Rate limit reached for gpt-4o", "rate_limit_exceeded"), LMRateLimitError),
        (
            413,
            said("Request too large for model on tokens per minute", "rate_limit_exceeded"),
            LMRateLimitError,
        ),
        (
            404,
            said("The model `gpt-9` does not exist or you do not have access to it.", "model_not_found"),
            LMUnsupportedModelError,
        ),
        (404, said('model "llama9" not found, try pulling it first'), LMUnsupportedModelError),
        (400, said("gpt-9 is not a valid model ID", 400), LMUnsupportedModelError),
        (400, said("Invalid model: x", None, "invalid_model"), LMUnsupportedModelError),
        (404, "<html><body><h1>404 Not Found</h1></body></html>", LMConfigurationError),
        (404, {"detail": "Not Found"}, LMConfigurationError),
        (404, said("File Not Found", 404, "not_found_error"), LMConfigurationError),
        (404, said("Invalid URL (POST /v2/chat/completions)"), LMConfigurationError),
        (400, {"detail": [{"loc": ["body", "messages"], "msg": "field required"}]}, LMInvalidRequestError),
        (422, said("temperature must be <= 2"), LMInvalidRequestError),
        (307, "", LMConfigurationError),
        (408, "", LMTimeoutError),
        (500, "Internal Server Error", LMServerError),
        (503, said("Loading model", 503, "unavailable_error"), LMServerError),
        (529, said("Overloaded", None, "overloaded_error"), LMServerError),
    ],
)
def test_each_status_and_code_has_its_exception(status, body, kind):
    error = failure(status, body)
    assert type(error) is kind
    assert error.status == status
    assert error.model == "openai/m"
    assert "http://h/v1" in str(error)


def test_what_the_provider_said_is_kept_for_programs():
    error = failure(
        429, said("slow down", "rate_limit_exceeded"), **{"x-request-id": "req_1", "retry-after": "7"}
    )
    assert error.request_id == "req_1"
    assert error.retry_after == 7
    assert error.provider_code == "rate_limit_exceeded"


def test_keys_and_long_pages_do_not_get_into_messages():
    error = failure(400, said("bad key sk-abcdefghijklmnop in request " + "x" * 5000))
    assert "sk-abc" not in str(error)
    assert len(str(error)) < 800


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"x-ratelimit-reset-requests": "1m30s", "x-ratelimit-reset-tokens": "20ms"}, 0.02),
        ({"x-ratelimit-reset": "12"}, 12.0),
        ({}, None),
    ],
)
def test_when_to_come_back_is_read_from_any_header(headers, seconds):
    assert retry_after(headers, limited=True) == seconds


def test_a_date_in_the_past_means_now():
    assert retry_after({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, limited=True) == 0.0


def test_back_off_doubles_with_jitter_and_ends():
    retries = Retries(3, 1.0, None)
    waits = [retries.wait(LMServerError("x")) for _ in range(3)]
    assert all(low <= wait <= 2 * low for low, wait in zip([0.5, 1.0, 2.0], waits, strict=True))
    with pytest.raises(LMServerError, match="asked 4 times"):
        retries.wait(LMServerError("x"))


def test_what_will_not_pass_is_raised_at_once():
    with pytest.raises(LMAuthError, match=r"^x$"):
        Retries(3, 1.0, None).wait(LMAuthError("x"))


def test_a_server_that_says_at_once_for_ever_is_asked_less_and_less_and_then_left():
    retries = Retries(1, 0.5, None)
    waits = [retries.wait(LMRateLimitError("x", retry_after=0.0)) for _ in range(64)]
    with pytest.raises(LMRateLimitError):
        retries.wait(LMRateLimitError("x", retry_after=0.0))
    assert waits[0] < 0.1
    assert waits[-1] >= 8
    assert sum(waits) < 700
