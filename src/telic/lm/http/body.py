"""From a request to the body that is posted. Pure: nothing here knows about connections."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from telic.lm.http.dialect import Dialect, Traits
from telic.types import Constraint, Request

_SAMPLING = ("temperature", "top_p", "presence_penalty", "frequency_penalty")


def body_of(
    request: Request, name: str, dialect: Dialect, traits: Traits, *, constrain: bool = True
) -> dict[str, Any]:
    """Build the JSON body of one request.

    Args:
        request: what is asked.
        name: the model as the server knows it.
        dialect: what the server understands.
        traits: what the model takes.
        constrain: pass the request's constraint on.

    Returns:
        The body. What the caller set in `params` wins over what the constraint would set.
    """
    body: dict[str, Any] = {"model": name}
    chat = request.messages is not None
    if chat:
        body["messages"] = request.messages
    else:
        body["prompt"] = request.prompt
    if constrain and request.constraint is not None:
        _constrain(body, request.constraint, chat, dialect, traits)
    for parameter, value in request.params.items():
        if value is not None:
            body[parameter] = value
    if traits.reasoning:
        _for_reasoning(body)
    if not chat and body.get("logprobs") is True:
        # Plain completions take the number of alternatives where chat takes a flag and a number.
        body["logprobs"] = body.pop("top_logprobs", None) or 1
    extra = body.pop("extra_body", None)
    if extra:
        body.update(extra)
    return body


def _for_reasoning(body: dict[str, Any]) -> None:
    if "max_tokens" in body:
        body.setdefault("max_completion_tokens", body["max_tokens"])
        del body["max_tokens"]
    for parameter in _SAMPLING:
        body.pop(parameter, None)


def _constrain(
    body: dict[str, Any], constraint: Constraint, chat: bool, dialect: Dialect, traits: Traits
) -> None:
    schema, grammar = constraint.json_schema, constraint.grammar
    if schema is not None and traits.json_schema and (chat or dialect.text_schema):
        if dialect.schema == "json_schema":
            body["json_schema"] = schema
        elif dialect.schema is not None:
            body["response_format"] = _response_format(schema, dialect)
    elif grammar is not None and dialect.grammar is not None:
        body[dialect.grammar] = {"grammar": grammar} if dialect.grammar == "structured_outputs" else grammar


def _response_format(schema: Mapping[str, Any], dialect: Dialect) -> dict[str, Any]:
    named: dict[str, Any] = {"name": "answer", "schema": schema, "strict": True}
    if dialect.schema == "strict":
        strict = strict_schema(schema)
        named = {"name": "answer", "schema": strict or schema, "strict": strict is not None}
    return {"type": "json_schema", "json_schema": named}


def strict_schema(schema: Any) -> Any:
    """Put a schema into OpenAI's strict form: objects are closed and all their properties required.

    Returns:
        A new schema, or `None` where the form cannot say it (an object with free keys).
    """
    if isinstance(schema, (list, tuple)):
        parts = [strict_schema(part) for part in schema]
        return None if None in parts else parts
    if not isinstance(schema, Mapping):
        return schema
    strict: dict[str, Any] = {}
    for word, value in schema.items():
        if word == "default":
            continue
        if word in ("properties", "$defs", "definitions"):
            inner: Any = {key: strict_schema(part) for key, part in value.items()}
            value = None if None in inner.values() else inner
        elif word not in ("enum", "const", "required"):
            value = strict_schema(value)
            if value is None and schema[word] is None:
                continue
        if value is None and word != "const":
            return None
        strict[word] = value
    if strict.get("type") == "object":
        if not strict.get("properties"):
            return None
        strict["required"] = list(strict["properties"])
        strict["additionalProperties"] = False
    return strict
