"""Function schemas of BFCL as tools, and its rules of what is right.

Patil et al., "The Berkeley Function Calling Leaderboard (BFCL)", 2025.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import telic
from benchmarks.agents.scripted import Call
from telic.types.mcp_tool import tool_of_schema

_TYPES = {"dict": "object", "float": "number", "tuple": "array", "any": None}
_NOT_COMPARED = re.compile(r"[\s,./\-_*^]")


def tools_of(functions: Sequence[Mapping[str, Any]], made: list[Call]) -> list[telic.Tool]:
    """A tool for each function of a row; each call that reaches one is added to `made`."""
    return [_tool(function, made) for function in functions]


def spoken(name: str) -> str:
    """A function's name as providers take it: they refuse dots."""
    return name.replace(".", "_")


def _tool(function: Mapping[str, Any], made: list[Call]) -> telic.Tool:
    def call(**args: Any) -> str:
        made.append(Call(function["name"], args))
        return "Done."

    schema = {**json_schema(function["parameters"]), "additionalProperties": False}
    tool: telic.Tool = tool_of_schema(
        telic.Tool, call, spoken(function["name"]), function["description"], schema
    )
    return tool


def json_schema(described: Mapping[str, Any]) -> dict[str, Any]:
    """A description of BFCL, which names types as Python does, as a JSON schema."""
    schema = {key: value for key, value in described.items() if key not in ("optional", "type")}
    kind = _TYPES.get(described.get("type", "any"), described.get("type"))
    if kind is not None:
        schema["type"] = kind
    if "properties" in schema:
        schema["properties"] = {name: json_schema(value) for name, value in schema["properties"].items()}
    if "items" in schema:
        schema["items"] = json_schema(schema["items"])
    return schema


def gold_calls(row: Mapping[str, Any]) -> list[Call]:
    """The calls that a row wants, each argument with the first of its accepted values.

    What may be left out is left out.
    """
    required = {f["name"]: set(f["parameters"].get("required", ())) for f in row["functions"]}
    return [
        Call(name, _gold_args(accepted, required[name]))
        for wanted in row["ground_truth"]
        for name, accepted in wanted.items()
    ]


def _gold_args(accepted: Mapping[str, Sequence[Any]], required: set[str]) -> dict[str, Any]:
    return {
        name: _gold(_values(values)[0])
        for name, values in accepted.items()
        if "" not in values or name in required  # there "" is the empty text
    }


def _values(accepted: Sequence[Any]) -> Sequence[Any]:
    """Two rows of the data list nothing for some arguments, where the empty list is meant."""
    return accepted or [[]]


def _gold(value: Any) -> Any:
    if isinstance(value, Mapping):
        return _gold_args(value, set())
    return [_gold(item) for item in value] if isinstance(value, list) else value


def right(row: Mapping[str, Any], made: Sequence[Call]) -> bool:
    """Whether the calls made are those that the row wants, in any order, and no others."""
    wanted = [next(iter(call.items())) for call in row["ground_truth"]]
    return _paired(wanted, list(made), _is)


def _paired(wanted: Sequence[Any], made: Sequence[Any], fits: Callable[[Any, Any], bool]) -> bool:
    if len(wanted) != len(made):
        return False
    if not wanted:
        return True
    rest = wanted[1:]
    return any(
        fits(wanted[0], one) and _paired(rest, [*made[:n], *made[n + 1 :]], fits)
        for n, one in enumerate(made)
    )


def _is(wanted: tuple[str, Mapping[str, Any]], call: Call) -> bool:
    name, accepted = wanted
    return name == call.name and _args_are(accepted, call.args)


def _args_are(accepted: Mapping[str, Sequence[Any]], given: Mapping[str, Any]) -> bool:
    return all(name in accepted for name in given) and all(
        any(_same(one, given[name]) for one in _values(values)) if name in given else "" in values
        for name, values in accepted.items()
    )


def _same(accepted: Any, given: Any) -> bool:
    if isinstance(accepted, Mapping):
        return isinstance(given, Mapping) and _args_are(accepted, given)
    if isinstance(accepted, list):
        return (
            isinstance(given, (list, tuple))
            and len(accepted) == len(given)
            and all(_same(a, g) for a, g in zip(accepted, given, strict=True))
        )
    if isinstance(accepted, str):
        return isinstance(given, str) and _plain(accepted) == _plain(given)
    return isinstance(accepted, bool) == isinstance(given, bool) and bool(accepted == given)


def _plain(text: str) -> str:
    """BFCL compares texts without case, spaces and most punctuation, and with one kind of quotes."""
    return _NOT_COMPARED.sub("", text).lower().replace("'", '"')
