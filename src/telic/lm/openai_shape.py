"""OpenAI-shaped objects, as users' own LMs return them, read into a `Response`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from telic.errors import LMUnexpectedError
from telic.types import Choice, Response, Usage
from telic.types.chunk import Chunk


def response_from(value: Any, model: str) -> Response:
    """Read a chat or text completion, as objects with attributes or as dicts.

    Args:
        value: has `choices` (each with `message.content` or `text`), and optionally `usage` and `model`.
        model: the name to use where `value` has none.

    Raises:
        LMUnexpectedError: `value` has no choices.
    """
    if isinstance(value, Response):
        return value
    choices = _get(value, "choices")
    if not choices:
        raise LMUnexpectedError(
            f"{model}: forward() must return an OpenAI-shaped response with at least one choice, got "
            f"{type(value).__name__}.",
            model=model,
        )
    return Response(
        choices=tuple(_choice(choice) for choice in choices),
        usage=_usage(_get(value, "usage")),
        model=_get(value, "model") or model,
        cost=_cost(value),
        raw=value,
    )


def chunk_from(value: Any) -> Chunk:
    """Read one chunk of a streamed chat or text completion, as an object with attributes or as a dict; only
    the first choice in it.
    """
    usage = _get(value, "usage")
    counted = _usage(usage) if usage else None
    model = _get(value, "model") or ""
    choices = _get(value, "choices")
    if not choices:
        return Chunk(usage=counted, model=model)
    choice = choices[0]
    delta = _get(choice, "delta")
    calls = _get(delta, "tool_calls") if delta is not None else None
    return Chunk(
        (_get(choice, "text") if delta is None else _get(delta, "content")) or "",
        _get(delta, "reasoning_content") if delta is not None else None,
        tuple(_call_delta(call) for call in calls) if calls else (),
        _get(choice, "finish_reason"),
        counted,
        _get(choice, "index") or 0,
        _get(choice, "logprobs"),
        model,
    )


def _call_delta(call: Any) -> dict[str, Any]:
    plain = _plain_call(call)
    return plain if "index" in plain else {"index": _get(call, "index"), **plain}


def _get(value: Any, name: str) -> Any:
    # `dict`, not `Mapping`: the check is on every call's path, and an abstract one costs ten times as much.
    return value.get(name) if isinstance(value, dict) else getattr(value, name, None)


def _choice(choice: Any) -> Choice:
    message = _get(choice, "message")
    if message is None:
        return Choice(
            _get(choice, "text"), _get(choice, "finish_reason") or "stop", logprobs=_get(choice, "logprobs")
        )
    calls = _get(message, "tool_calls")
    return Choice(
        _get(message, "content"),
        _get(choice, "finish_reason") or "stop",
        tuple(_plain_call(call) for call in calls) if calls else (),
        _get(message, "reasoning_content"),
        _get(choice, "logprobs"),
    )


def _plain_call(call: Any) -> dict[str, Any]:
    if isinstance(call, Mapping):
        return dict(call)
    dump = getattr(call, "model_dump", None)
    if dump is not None:
        return dict(dump())
    function = _get(call, "function")
    return {
        "id": _get(call, "id"),
        "type": "function",
        "function": {"name": _get(function, "name"), "arguments": _get(function, "arguments")},
    }


def _usage(usage: Any) -> Usage:
    if not usage:
        return Usage()
    if isinstance(usage, Mapping):
        return Usage.from_json(usage)
    return Usage(int(_get(usage, "prompt_tokens") or 0), int(_get(usage, "completion_tokens") or 0))


def _cost(value: Any) -> float | None:
    hidden = _get(value, "_hidden_params")
    cost = _get(value, "cost") if hidden is None else _get(hidden, "response_cost")
    return cost if isinstance(cost, (int, float)) else None
