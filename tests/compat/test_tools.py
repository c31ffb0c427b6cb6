"""Tools and tool calls in DSPy's terms."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Literal, Optional

import pydantic
import pytest

from tests.compat.scripts import chat, markers, native_call, section, served
from tests.compat.target import dspy


class Place(pydantic.BaseModel):
    city: str
    country: str = "France"


def add(a: int, b: int = 2) -> int:
    """Add two numbers."""
    return a + b


def search(query: str) -> str:
    """Search the web.

    Args:
        query: what to look for
    """
    return f"found {query}"


async def slow(x: str) -> str:
    """Waits."""
    await asyncio.sleep(0)
    return x * 2


def visit(place: Place, times: Optional[int] = None, mood: Literal["happy", "sad"] = "happy") -> str:
    return f"{type(place).__name__} {place.city} {times} {mood}"


def broken(x: str) -> str:
    """Breaks."""
    raise RuntimeError(f"broken by {x}")


# What a tool knows of its function.


def test_name_and_description() -> None:
    tool = dspy.Tool(add)
    assert tool.name == "add"
    assert tool.desc == "Add two numbers."


def test_name_and_description_of_ones_own() -> None:
    tool = dspy.Tool(add, name="plus", desc="Sums.")
    assert (tool.name, tool.desc) == ("plus", "Sums.")


def test_arguments_have_schemas() -> None:
    tool = dspy.Tool(add)
    assert tool.args["a"]["type"] == "integer"
    assert tool.args["b"] == {"type": "integer", "default": 2}


def test_arguments_have_types() -> None:
    assert dspy.Tool(add).arg_types == {"a": int, "b": int}


def test_argument_descriptions() -> None:
    tool = dspy.Tool(add, arg_desc={"a": "the first"})
    assert tool.args["a"]["description"] == "the first"


def test_arguments_may_be_models() -> None:
    schema = json.dumps(dspy.Tool(visit).args["place"])
    assert "city" in schema
    assert "France" in schema


def test_a_literal_argument_lists_its_choices() -> None:
    assert dspy.Tool(visit).args["mood"]["enum"] == ["happy", "sad"]


def test_a_callable_object() -> None:
    class Counter:
        """Counts."""

        def __call__(self, by: int) -> int:
            return by + 1

    tool = dspy.Tool(Counter())
    assert tool(by=2) == 3
    assert tool.args["by"]["type"] == "integer"


def test_a_lambda() -> None:
    assert dspy.Tool(lambda x: x + 1, name="inc")(x=1) == 2


def test_a_tool_is_shown_with_name_and_arguments() -> None:
    shown = str(dspy.Tool(search).format())
    assert "search" in shown
    assert "Search the web" in shown
    assert "query" in shown


def test_openai_function() -> None:
    called = dspy.Tool(add).format_as_litellm_function_call()
    assert called["type"] == "function"
    function = called["function"]
    assert (function["name"], function["description"]) == ("add", "Add two numbers.")
    assert list(function["parameters"]["properties"]) == ["a", "b"]
    assert function["parameters"]["type"] == "object"
    assert "a" in function["parameters"]["required"]


# Calling.


def test_calling_a_tool() -> None:
    assert dspy.Tool(add)(a=1, b=3) == 4
    assert dspy.Tool(add)(a=1) == 3


def test_arguments_are_converted() -> None:
    assert dspy.Tool(visit)(place={"city": "Nice"}) == "Place Nice None happy"


@pytest.mark.parametrize("arguments", [{"a": "many"}, {"a": 1, "c": 2}])
def test_arguments_that_do_not_fit_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        dspy.Tool(add)(**arguments)


def test_open_keywords() -> None:
    def open_to_all(x: int, **more: Any) -> Any:
        return x, more

    assert dspy.Tool(open_to_all)(x=1, y=2) == (1, {"y": 2})


def test_what_a_tool_raises_goes_through() -> None:
    with pytest.raises(RuntimeError, match="broken by it"):
        dspy.Tool(broken)(x="it")


async def test_acall_of_an_async_tool() -> None:
    assert await dspy.Tool(slow).acall(x="ab") == "abab"


async def test_acall_of_a_sync_tool() -> None:
    assert await dspy.Tool(add).acall(a=1, b=1) == 2


def test_an_async_tool_is_not_called_from_sync_code() -> None:
    with pytest.raises(ValueError, match="async"):
        dspy.Tool(slow)(x="a")


def test_an_async_tool_from_sync_code_where_it_is_allowed() -> None:
    with dspy.context(allow_tool_async_sync_conversion=True):
        assert dspy.Tool(slow)(x="a") == "aa"


# Calls that a model asks for.


def test_calls_from_dicts() -> None:
    calls = dspy.ToolCalls.from_dict_list([{"name": "add", "args": {"a": 1}}, {"name": "search", "args": {}}])
    assert [(call.name, call.args) for call in calls.tool_calls] == [("add", {"a": 1}), ("search", {})]


def test_calls_as_json() -> None:
    calls = dspy.ToolCalls.from_dict_list([{"name": "add", "args": {"a": 1}}])
    assert calls.model_dump() == {"tool_calls": [{"name": "add", "args": {"a": 1}}]}


@pytest.mark.parametrize(
    "data",
    [
        {"tool_calls": [{"name": "add", "args": {"a": 1}}]},
        [{"name": "add", "args": {"a": 1}}],
        {"name": "add", "args": {"a": 1}},
    ],
)
def test_calls_in_several_shapes(data: Any) -> None:
    calls = dspy.ToolCalls.model_validate(data)
    assert calls.tool_calls[0].name == "add"
    assert calls.tool_calls[0].args == {"a": 1}


@pytest.mark.parametrize("data", ["no calls", 5, {"nothing": 1}])
def test_what_is_no_call_is_refused(data: Any) -> None:
    with pytest.raises(ValueError):
        dspy.ToolCalls.model_validate(data)


def test_a_call_is_executed() -> None:
    call = dspy.ToolCalls.from_dict_list([{"name": "add", "args": {"a": 1, "b": 5}}]).tool_calls[0]
    assert call.execute(functions={"add": add}) == 6
    assert call.execute(functions=[dspy.Tool(add)]) == 6


def test_a_call_of_an_unknown_function() -> None:
    call = dspy.ToolCalls.from_dict_list([{"name": "nothing", "args": {}}]).tool_calls[0]
    with pytest.raises(ValueError, match="nothing"):
        call.execute(functions={"add": add})


def test_results_of_calls() -> None:
    calls = dspy.ToolCalls.from_dict_list([{"name": "add", "args": {}}, {"name": "search", "args": {}}])
    results = dspy.ToolCallResults.from_tool_calls_and_values(calls, [3, "gone"], is_errors=[False, True])
    rows = results.tool_call_results
    assert [(row.name, row.value, row.is_error) for row in rows] == [
        ("add", 3, False),
        ("search", "gone", True),
    ]


def test_results_must_be_as_many_as_calls() -> None:
    calls = dspy.ToolCalls.from_dict_list([{"name": "add", "args": {}}])
    with pytest.raises(ValueError):
        dspy.ToolCallResults.from_tool_calls_and_values(calls, [])


class Choose(dspy.Signature):
    """Choose a tool."""

    question: str = dspy.InputField()
    tools: list[dspy.Tool] = dspy.InputField()
    calls: dspy.ToolCalls = dspy.OutputField()


def test_calls_in_text() -> None:
    with served(chat(calls='{"tool_calls": [{"name": "add", "args": {"a": 1}}]}')) as (server, _):
        prediction = dspy.Predict(Choose)(question="1+2?", tools=[dspy.Tool(add)])
    assert prediction.calls.tool_calls[0].args == {"a": 1}
    user = server.bodies[0]["messages"][-1]["content"]
    assert markers(user)[:2] == ["question", "tools"]
    assert "add" in section(user, "tools")
    assert "tools" not in server.bodies[0]


@pytest.mark.parametrize("kind", ["chat", "json"])
def test_native_calls(kind: str) -> None:
    made = {"chat": dspy.ChatAdapter, "json": dspy.JSONAdapter}[kind](use_native_function_calling=True)
    with (
        served(native_call("add", a=1, b=2), model="openai/gpt-4o") as (server, _),
        dspy.context(adapter=made),
    ):
        prediction = dspy.Predict(Choose)(question="1+2?", tools=[dspy.Tool(add)])
    call = prediction.calls.tool_calls[0]
    assert (call.name, call.args) == ("add", {"a": 1, "b": 2})
    body = server.bodies[0]
    assert [tool["function"]["name"] for tool in body["tools"]] == ["add"]
    assert list(body["tools"][0]["function"]["parameters"]["properties"]) == ["a", "b"]
    said = body["messages"][-1]["content"]
    assert "1+2?" in said
    assert "tools" not in markers(said)
    assert "calls" not in markers(said)


def test_parallel_calls_can_be_forbidden() -> None:
    adapter = dspy.ChatAdapter(use_native_function_calling=True, parallel_tool_calls=False)
    with served(native_call("add", a=1), model="openai/gpt-4o") as (server, _), dspy.context(adapter=adapter):
        dspy.Predict(Choose)(question="1+2?", tools=[dspy.Tool(add)])
    assert server.bodies[0]["parallel_tool_calls"] is False
