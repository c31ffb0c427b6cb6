"""Calls that models ask for, in all their shapes, and their results."""

from __future__ import annotations

import json
from typing import Any

import pydantic
import pytest

from telic.errors import InputError, ToolError
from telic.types import Tool, ToolCallResults, ToolCalls

Call = ToolCalls.ToolCall
ROW = {"name": "search", "args": {"query": "tides"}}
NATIVE = {"id": "c1", "type": "function", "function": {"name": "search", "arguments": '{"query": "tides"}'}}


def search(query: str) -> str:
    """Search."""
    return f"found {query}"


async def asearch(query: str) -> str:
    """Search, later."""
    return f"later {query}"


def boom() -> None:
    raise KeyError("z")


@pytest.mark.parametrize(
    "shape",
    [
        [ROW],
        ROW,
        {"tool_calls": [ROW]},
        [Call(**ROW)],
        Call(**ROW),
        (ROW,),
        json.dumps([ROW]),
        json.dumps({"tool_calls": [ROW]}),
        f"```json\n{json.dumps(ROW)}\n```",
        [{"name": "search", "arguments": {"query": "tides"}}],
        [{"name": "search", "arguments": '{"query": "tides"}'}],
        [{"name": "search", "parameters": {"query": "tides"}}],
        [{"type": "tool_use", "name": "search", "input": {"query": "tides"}}],
        [{"function": {"name": "search", "arguments": {"query": "tides"}}}],
        ToolCalls(tool_calls=[Call(**ROW)]),
    ],
)
def test_calls_are_read_from_every_shape(shape: Any) -> None:
    calls = ToolCalls.model_validate(shape)
    assert [(call.name, call.args) for call in calls.tool_calls] == [("search", {"query": "tides"})]
    assert calls.format() == calls.model_dump() == {"tool_calls": [ROW]}
    assert json.loads(calls.model_dump_json()) == {"tool_calls": [ROW]}


def test_native_calls_keep_their_ids() -> None:
    calls = ToolCalls.model_validate([NATIVE])
    assert calls.tool_calls[0].id == "c1"
    assert calls.format_as_openai() == [NATIVE]
    assert ToolCalls.from_dict_list([ROW, {"name": "now"}]).format_as_openai() == [
        {**NATIVE, "id": "call_0"},
        {"id": "call_1", "type": "function", "function": {"name": "now", "arguments": "{}"}},
    ]
    assert ToolCalls.model_validate([]).tool_calls == []
    assert ToolCalls.model_validate([{"function": {"name": "now", "arguments": ""}}]).tool_calls[0].args == {}


@pytest.mark.parametrize(
    "shape",
    [
        None,
        3,
        {},
        "no json",
        "3",
        [{"args": {}}],
        [{"name": ""}],
        ["search"],
        [{"name": "a", "arguments": "{"}],
    ],
)
def test_what_is_no_call_is_refused(shape: Any) -> None:
    with pytest.raises(ValueError, match=r"call|JSON|ToolCall"):
        ToolCalls.model_validate(shape)


def test_a_call_needs_name_and_args() -> None:
    for wrong in ({"name": "a"}, {"args": {}}, {"name": "a", "args": "{}"}):
        with pytest.raises(pydantic.ValidationError):
            Call(**wrong)
    assert Call(**ROW).format() == Call(**ROW).model_dump() == ROW


def test_schema_and_description_show_what_is_expected() -> None:
    schema = pydantic.TypeAdapter(ToolCalls).json_schema()
    assert set(schema["properties"]) == {"tool_calls"}
    assert set(schema["$defs"]["ToolCall"]["properties"]) == {"name", "args"}
    example = ToolCalls.description().partition("instance: ")[2]
    assert ToolCalls.model_validate(example).tool_calls[0].name == "lookup"


@pytest.mark.parametrize(
    "functions",
    [
        {"search": search},
        [search],
        [Tool(search)],
        {"search": Tool(search)},
        [Tool(boom), Tool(search)],
        None,
    ],
)
def test_calls_are_made(functions: Any) -> None:
    assert Call(**ROW).execute(functions=functions) == "found tides"
    assert Call(**ROW).execute(functions) == "found tides"


def test_calls_find_functions_where_they_are_made() -> None:
    def local(x: int) -> int:
        return x + 1

    handy = Tool(local, name="handy")  # noqa: F841 - found by its name
    assert Call(name="local", args={"x": 1}).execute() == 2
    assert Call(name="handy", args={"x": "1"}).execute() == 2
    for name in ("json", "Tool", "Call", "print", "nowhere", "ROW"):
        with pytest.raises(InputError, match="not found"):
            Call(name=name, args={}).execute()


def test_calls_without_a_function_say_what_there_is() -> None:
    with pytest.raises(ValueError, match="'lookup' was not found among: search, boom"):
        Call(name="lookup", args={}).execute([search, Tool(boom)])
    with pytest.raises(ValueError, match="none"):
        Call(name="lookup", args={}).execute([])


def test_calls_that_fail_keep_the_cause() -> None:
    with pytest.raises(ToolError, match="'boom' failed: KeyError: 'z'") as caught:
        Call(name="boom", args={}).execute([boom])
    assert isinstance(caught.value, RuntimeError)
    assert isinstance(caught.value.__cause__, KeyError)
    with pytest.raises(ToolError, match="no argument 'z'"):
        Call(name="search", args={"z": 1}).execute([search])


async def test_calls_of_async_functions() -> None:
    call = Call(name="asearch", args={"query": "x"})
    assert call.execute([asearch]) == "later x"
    assert await call.aexecute([asearch]) == "later x"
    assert await call.aexecute() == "later x"
    assert await Call(**ROW).aexecute([search]) == "found tides"
    with pytest.raises(ToolError, match="KeyError"):
        await Call(name="boom", args={}).aexecute([boom])


def test_results() -> None:
    calls = ToolCalls.from_dict_list([NATIVE, ROW])
    results = ToolCallResults.from_tool_calls_and_values(calls, ["a", {"b": [1]}], [False, True])
    assert results == ToolCallResults.from_tool_calls_and_values(
        calls.tool_calls, ["a", {"b": [1]}], [False, True]
    )
    assert results.model_dump()["tool_call_results"] == [
        {"call_id": "c1", "name": "search", "value": "a", "is_error": False},
        {"call_id": None, "name": "search", "value": {"b": [1]}, "is_error": True},
    ]
    assert results.format_as_openai() == [
        {"role": "tool", "tool_call_id": "c1", "content": "a"},
        {"role": "tool", "tool_call_id": "call_1", "content": '{"b": [1]}'},
    ]
    assert (
        ToolCallResults.model_validate(results.model_dump())
        == ToolCallResults.model_validate(results)
        == results
    )
    assert ToolCallResults.model_validate([{"name": "a", "value": 1}]).tool_call_results[0].value == 1
    for values, marks in (([], None), (["a", "b"], [])):
        with pytest.raises(ValueError, match="one value for each call"):
            ToolCallResults.from_tool_calls_and_values(calls, values, marks)
    for wrong in ({}, "x", 3):
        with pytest.raises(ValueError, match="ToolCallResults"):
            ToolCallResults.model_validate(wrong)
