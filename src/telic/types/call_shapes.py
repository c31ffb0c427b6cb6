"""The shapes in which models and providers write a call, read into one."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from telic.errors import InputError

_FENCE = re.compile(r"\A\s*```\w*\s*\n(.*?)\n?\s*```\s*\Z", re.DOTALL)
_ARGUMENTS = ("args", "arguments", "parameters", "input")


def call_of(item: Any) -> Any:
    """One call as `{"id": …, "name": …, "args": {…}}`, from OpenAI's shape and its kin.

    What is no dict is given back for validation to judge.

    Raises:
        InputError: the call has no name, or its arguments are no JSON object.
    """
    if not isinstance(item, Mapping):
        return item
    inner = item["function"] if isinstance(item.get("function"), Mapping) else item
    name = inner.get("name")
    if not isinstance(name, str) or not name:
        raise InputError(f"A call of a tool needs a `name`: {dict(item)!r:.200}.")
    arguments: Any = next((inner[key] for key in _ARGUMENTS if inner.get(key) is not None), {})
    call = {"name": name, "args": _object(arguments, name)}
    return {"id": item["id"], **call} if item.get("id") else call


def _object(arguments: Any, name: str) -> Any:
    if not isinstance(arguments, str):
        return arguments
    if not arguments.strip():
        return {}
    try:
        return json.loads(arguments)
    except ValueError as error:
        raise InputError(f"The arguments of '{name}' are no JSON: {error}: {arguments!r:.200}") from error


def data_of_text(text: str) -> Any:
    """JSON data from a text, with or without a fence around it.

    Raises:
        InputError: it is no JSON.
    """
    fenced = _FENCE.match(text)
    try:
        return json.loads(fenced.group(1) if fenced else text)
    except ValueError as error:
        raise InputError(f"Calls of tools must be JSON: {error}: {text!r:.200}") from error
