"""From a request to the bodies llama.cpp is asked with, and from its chunks to a choice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from telic._json import stable_hash
from telic.errors import (
    ContextWindowExceededError,
    LMError,
    LMInvalidRequestError,
    LMServerError,
    LMUnexpectedError,
    LMUnsupportedFeatureError,
)
from telic.lm.embedded.grammar.made import Made, from_gbnf, from_schema
from telic.lm.embedded.grammar.schema import TooDeepError
from telic.types import Choice, Request

DEFAULT_MAX_TOKENS = 512
"""Tokens written where the request sets no `max_tokens`: a small model may not find an end by itself."""

_PASSED = frozenset(
    (
        *("temperature", "top_p", "top_k", "min_p", "typical_p", "stop", "logit_bias", "ignore_eos"),
        *("presence_penalty", "frequency_penalty", "repeat_penalty", "repeat_last_n"),
        *("dynatemp_range", "dynatemp_exponent", "mirostat", "mirostat_tau", "mirostat_eta"),
        *("dry_multiplier", "dry_base", "dry_allowed_length", "dry_penalty_last_n"),
        *("xtc_probability", "xtc_threshold", "samplers", "chat_template_kwargs"),
    )
)
_READ = frozenset(
    ("max_tokens", "max_completion_tokens", "n", "seed", "logprobs", "top_logprobs", "response_format")
)
_WITHOUT_EFFECT = frozenset(
    ("user", "metadata", "store", "service_tier", "stream", "stream_options", "parallel_tool_calls")
)


def bodies(request: Request) -> list[dict[str, Any]]:
    """One body for each answer wanted.

    Raises:
        LMUnsupportedFeatureError: tools, images, or a parameter that llama.cpp does not have.
        LMInvalidRequestError: a parameter has no such value.
    """
    params = request.params
    unknown = sorted(set(params) - _PASSED - _READ - _WITHOUT_EFFECT)
    if unknown:
        raise LMUnsupportedFeatureError(
            f"{request.model}: the embedded engine has no parameter {', '.join(map(repr, unknown))}.",
            features=unknown,
            model=request.model,
        )
    body: dict[str, Any] = {
        "stream": True,
        "stream_options": {"include_usage": True},
        "return_progress": True,
    }
    body.update((name, params[name]) for name in _PASSED & params.keys())
    body.setdefault("temperature", 0.0)
    body["max_tokens"] = _given_limit(request) or DEFAULT_MAX_TOKENS
    _add_text(body, request)
    _add_constraint(body, request)
    _add_logprobs(body, request)
    count = _whole(request, "n", params.get("n", 1), 1)
    if not body["temperature"]:
        return [body]
    return [{**body, "seed": seed(request, number)} for number in range(count)]


def seed(request: Request, number: int) -> int:
    """The seed of answer `number` of a request: its own `seed`, else from what was asked, so that the same
    request gives the same sample everywhere, and another `rollout_id` another one.
    """
    given = request.params.get("seed")
    if given is not None and request.rollout_id is None and number == 0:
        return int(given) & 0x7FFFFFFF
    origin = given if given is not None else request.key
    return int(stable_hash([origin, request.rollout_id, number])[:8], 16) & 0x7FFFFFFF


def shared_text(request: Request) -> str:
    """What the prompt begins with, as text: requests that share a prefix of it share one of their prompts."""
    if request.prompt is not None:
        return request.prompt
    return "\x00".join(f"{m.get('role')}\x01{_content(m)}" for m in request.messages or ())


def _content(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, str):
        return content
    return "".join(str(part.get("text", "")) for part in content or () if isinstance(part, Mapping))


def _add_text(body: dict[str, Any], request: Request) -> None:
    if request.prompt is not None:
        if not request.prompt:
            raise LMInvalidRequestError(f"{request.model}: the prompt is empty.", model=request.model)
        body["prompt"] = request.prompt
        return
    for message in request.messages or ():
        content = message.get("content")
        for part in content if isinstance(content, list) else ():
            if isinstance(part, Mapping) and part.get("type", "text") != "text":
                raise LMUnsupportedFeatureError(
                    f"{request.model} reads only text, not {part.get('type')!r}.",
                    feature=str(part.get("type")),
                    model=request.model,
                )
    body["messages"] = list(request.messages or ())


def _add_constraint(body: dict[str, Any], request: Request) -> None:
    made = _constraint(request)
    if made is None:
        return
    body["grammar"] = made.text
    if made.most_tokens is not None and not _given_limit(request):
        # Nobody set a limit, and there is a longest answer: it may be written to its end.
        body["max_tokens"] = max(made.most_tokens, DEFAULT_MAX_TOKENS)


def _constraint(request: Request) -> Made | None:
    wanted = request.params.get("response_format")
    schema = request.constraint.json_schema if request.constraint is not None else None
    if schema is None and isinstance(wanted, Mapping):
        if wanted.get("type") == "json_schema":
            described = wanted.get("json_schema")
            schema = described.get("schema") if isinstance(described, Mapping) else wanted.get("schema")
        elif wanted.get("type") == "json_object":
            schema = wanted.get("schema") or {"type": "object"}
    if schema is not None:
        try:
            return from_schema(schema, _given_limit(request) or DEFAULT_MAX_TOKENS)
        except TooDeepError as error:
            raise LMInvalidRequestError(
                f"{request.model}: the type {error} of the JSON schema holds itself without end.",
                model=request.model,
            ) from error
    if request.constraint is not None and request.constraint.grammar is not None:
        return from_gbnf(request.constraint.grammar)
    return None


def _given_limit(request: Request) -> int | None:
    limit = request.params.get("max_tokens", request.params.get("max_completion_tokens"))
    return None if limit is None else _whole(request, "max_tokens", limit, 1)


def _add_logprobs(body: dict[str, Any], request: Request) -> None:
    wanted = request.params.get("logprobs")
    if not wanted:
        return
    most = request.params.get("top_logprobs") or (wanted if not isinstance(wanted, bool) else 1)
    most = _whole(request, "top_logprobs", most, 1)
    if "prompt" in body:
        body["logprobs"] = most
    else:
        body.update(logprobs=True, top_logprobs=most)


def _whole(request: Request, name: str, value: Any, low: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < low:
        raise LMInvalidRequestError(
            f"{request.model}: {name}={value!r} must be a whole number of at least {low}.",
            model=request.model,
        )
    return value


class Answer:
    """What has been heard of one answer.

    Attributes:
        usage: OpenAI-shaped, once it has come.
        timings: llama.cpp's own, in milliseconds, once they have come.
    """

    def __init__(self) -> None:
        self.usage: dict[str, Any] = {}
        self.timings: dict[str, Any] = {}
        self._error: dict[str, Any] | None = None
        self._texts: list[str] = []
        self._reasoning: list[str] = []
        self._logprobs: list[Any] = []
        self._finish: str | None = None

    def hear(self, chunk: Mapping[str, Any]) -> None:
        """Take in one chunk."""
        if "error" in chunk:
            self._error = dict(chunk["error"])
            return
        for choice in chunk.get("choices") or ():
            delta = choice.get("delta") or {}
            self._texts.append(choice.get("text") or delta.get("content") or "")
            self._reasoning.append(delta.get("reasoning_content") or "")
            self._logprobs.extend((choice.get("logprobs") or {}).get("content") or ())
            self._finish = choice.get("finish_reason") or self._finish
        self.usage = chunk.get("usage") or self.usage
        self.timings = chunk.get("timings") or self.timings

    def choice(self, request: Request) -> Choice:
        """The whole answer. Raises what the engine reported instead of one."""
        if self._error is not None:
            raise error_of(self._error, request)
        if self._finish is None:
            raise LMServerError(f"{request.model} stopped before the end of its answer.", model=request.model)
        text = "".join(self._texts)
        made = _constraint(request)
        cut = self._finish != "stop" or bool(request.params.get("stop"))
        if made is not None and not made.allows(text, cut=cut):
            raise LMUnexpectedError(
                f"{request.model}: llama.cpp did not hold the answer to its grammar. It wrote: {text!r}",
                model=request.model,
            )
        return Choice(
            text,
            self._finish,
            reasoning="".join(self._reasoning) or None,
            logprobs={"content": self._logprobs} if self._logprobs else None,
        )


def error_of(error: Mapping[str, Any], request: Request) -> LMError:
    """The exception for an error that llama.cpp reports as a value."""
    text, kind = str(error.get("message", "")), str(error.get("type", ""))
    about: dict[str, Any] = {"model": request.model, "provider": "local", "provider_code": kind or None}
    if kind == "exceed_context_size_error":
        return ContextWindowExceededError(
            f"The prompt has {error.get('n_prompt_tokens')} tokens, but {request.model} is set up to hold "
            f"{error.get('n_ctx')}. Use fewer or shorter demos, shorten the inputs, or give it more with "
            f"engine_options={{'n_ctx': …}}.",
            code="context_length_exceeded",
            **about,
        )
    if "grammar" in text or "schema" in text.lower():
        text = f"llama.cpp cannot hold the answer to the constraint: {text}"
    if kind == "not_supported_error":
        return LMUnsupportedFeatureError(f"{request.model}: {text}", **about)
    if int(error.get("code") or 500) < 500:
        return LMInvalidRequestError(f"{request.model}: {text}", status=400, **about)
    return LMServerError(f"{request.model}: {text}", status=500, **about)
