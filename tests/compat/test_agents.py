"""Agents in DSPy's terms."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Literal

import pytest

from tests.compat.scripts import chat, dummy, native_call, section, sent, served
from tests.compat.target import dspy


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


def broken(x: str) -> str:
    """Breaks."""
    raise RuntimeError(f"broken by {x}")


# ReAct.


def move(thought: str, tool: str, **arguments: Any) -> dict[str, Any]:
    return {"next_thought": thought, "next_tool_name": tool, "next_tool_args": json.dumps(arguments)}


FINISH = move("done", "finish")


def test_react_uses_tools_and_extracts() -> None:
    lm = dummy(move("add them", "add", a=1, b=2), FINISH, {"reasoning": "r", "answer": "3"})
    prediction = dspy.ReAct("question -> answer", tools=[add])(question="1+2?")
    assert prediction.answer == "3"
    assert len(lm.history) == 3


def test_react_keeps_a_trajectory() -> None:
    dummy(move("add them", "add", a=1, b=2), FINISH, {"reasoning": "r", "answer": "3"})
    trajectory = dspy.ReAct("question -> answer", tools=[add])(question="1+2?").trajectory
    assert trajectory["thought_0"] == "add them"
    assert trajectory["tool_name_0"] == "add"
    assert trajectory["tool_args_0"] == {"a": 1, "b": 2}
    assert trajectory["observation_0"] == 3
    assert trajectory["tool_name_1"] == "finish"
    assert set(trajectory) == {
        f"{kind}_{n}" for kind in ("thought", "tool_name", "tool_args", "observation") for n in (0, 1)
    }


def test_react_has_two_predictors() -> None:
    agent = dspy.ReAct("question -> answer", tools=[add])
    assert [name for name, _ in agent.named_predictors()] == ["react", "extract.predict"]
    assert list(agent.react.signature.input_fields) == ["question", "trajectory"]
    assert list(agent.react.signature.output_fields) == ["next_thought", "next_tool_name", "next_tool_args"]
    assert list(agent.extract.predict.signature.output_fields) == ["reasoning", "answer"]


def test_react_may_only_name_its_tools() -> None:
    agent = dspy.ReAct("question -> answer", tools=[add, search])
    assert agent.react.signature.fields["next_tool_name"].annotation == Literal["add", "search", "finish"]


def test_react_lists_its_tools_in_the_instructions() -> None:
    instructions = dspy.ReAct("question -> answer", tools=[add, search]).react.signature.instructions
    for word in ("add", "search", "finish", "Search the web"):
        assert word in instructions


def test_react_shows_what_came_back() -> None:
    lm = dummy(move("look", "search", query="cats"), FINISH, {"reasoning": "r", "answer": "x"})
    dspy.ReAct("question -> answer", tools=[search])(question="?")
    second = sent(lm, 1)[-1]["content"]
    assert "found cats" in second
    assert "look" in second


def test_react_shows_what_a_tool_raised() -> None:
    lm = dummy(move("try", "broken", x="it"), FINISH, {"reasoning": "r", "answer": "x"})
    prediction = dspy.ReAct("question -> answer", tools=[broken])(question="?")
    assert "broken by it" in str(prediction.trajectory["observation_0"])
    assert "broken by it" in sent(lm, 1)[-1]["content"]


def test_react_shows_bad_arguments() -> None:
    dummy(move("try", "add", a="many"), FINISH, {"reasoning": "r", "answer": "x"})
    prediction = dspy.ReAct("question -> answer", tools=[add])(question="?")
    assert "rror" in str(prediction.trajectory["observation_0"])


def test_react_stops_after_its_turns() -> None:
    lm = dummy(*[move("again", "add", a=n) for n in range(2)], {"reasoning": "r", "answer": "x"})
    prediction = dspy.ReAct("question -> answer", tools=[add], max_iters=2)(question="?")
    assert prediction.answer == "x"
    assert len(lm.history) == 3
    assert "thought_2" not in prediction.trajectory


def test_react_turns_of_a_call() -> None:
    lm = dummy(move("again", "add", a=1), {"reasoning": "r", "answer": "x"})
    dspy.ReAct("question -> answer", tools=[add], max_iters=9)(question="?", max_iters=1)
    assert len(lm.history) == 2


def test_react_takes_functions_and_tools() -> None:
    agent = dspy.ReAct("question -> answer", tools=[add, dspy.Tool(search, name="look")])
    assert list(agent.tools) == ["add", "look", "finish"]


def test_react_keeps_typed_outputs() -> None:
    dummy(FINISH, {"reasoning": "r", "total": "5", "names": '["a"]'})
    prediction = dspy.ReAct("question -> total: int, names: list[str]", tools=[add])(question="?")
    assert (prediction.total, prediction.names) == (5, ["a"])


async def test_react_awaits_async_tools() -> None:
    with dspy.context(
        lm=dspy.utils.DummyLM([move("go", "slow", x="ab"), FINISH, {"reasoning": "r", "answer": "x"}])
    ):
        prediction = await dspy.ReAct("question -> answer", tools=[slow]).acall(question="?")
    assert prediction.trajectory["observation_0"] == "abab"


def test_react_truncates_by_the_oldest_turn() -> None:
    agent = dspy.ReAct("question -> answer", tools=[add])
    keys = ("thought", "tool_name", "tool_args", "observation")
    trajectory = {f"{key}_{n}": n for n in range(3) for key in keys}
    left = agent.truncate_trajectory(trajectory)
    assert min(int(key[-1]) for key in left) == 1
    assert len(left) == 8


def test_react_cannot_truncate_a_single_turn() -> None:
    agent = dspy.ReAct("question -> answer", tools=[add])
    with pytest.raises(dspy.ContextWindowExceededError):
        agent.truncate_trajectory({"thought_0": 1, "tool_name_0": 2, "tool_args_0": 3, "observation_0": 4})


# ReActV2.


def submit(**values: Any) -> dict[str, Any]:
    return native_call("submit", **values)


def test_react_v2_calls_natively() -> None:
    replies = [native_call("add", a=1, b=2), submit(answer="3")]
    adapter = dspy.ChatAdapter(use_native_function_calling=True)
    with served(replies, model="openai/gpt-4o") as (server, _), dspy.context(adapter=adapter):
        prediction = dspy.ReActV2("question -> answer", tools=[add])(question="1+2?")
    assert prediction.answer == "3"
    assert prediction.termination_reason == "submit"
    first, second = (body["messages"] for body in server.bodies)
    assert [tool["function"]["name"] for tool in server.bodies[0]["tools"]] == ["add", "submit"]
    assert [m["role"] for m in first] == ["system", "user"]
    assert [m["role"] for m in second][:4] == ["system", "user", "assistant", "tool"]
    assert second[3] == {"role": "tool", "tool_call_id": "c1", "content": "3"}
    assert second[1] == first[1]


def test_react_v2_in_text() -> None:
    def said(name: str, **args: Any) -> str:
        return chat(next_thought="go", tool_calls=json.dumps({"tool_calls": [{"name": name, "args": args}]}))

    with served([said("add", a=1, b=2), said("submit", answer="3")], model="openai/gpt-4o") as (server, _):
        with dspy.context(adapter=dspy.ChatAdapter()):
            prediction = dspy.ReActV2("question -> answer", tools=[add])(question="1+2?")
    assert (prediction.answer, prediction.termination_reason) == ("3", "submit")
    assert "tools" not in server.bodies[0]
    assert "add" in section(server.bodies[0]["messages"][-1]["content"], "tools")
    shown = json.dumps(server.bodies[1]["messages"])
    assert "tool_call_results" in shown


def test_react_v2_makes_several_calls_in_a_turn() -> None:
    both = native_call("add", a=1, b=2)
    both["tool_calls"].append({**native_call("add", a=5, b=5)["tool_calls"][0], "id": "c2"})
    adapter = dspy.ChatAdapter(use_native_function_calling=True)
    with (
        served([both, submit(answer="x")], model="openai/gpt-4o") as (server, _),
        dspy.context(adapter=adapter),
    ):
        dspy.ReActV2("question -> answer", tools=[add])(question="?")
    results = [m["content"] for m in server.bodies[1]["messages"] if m["role"] == "tool"]
    assert results == ["3", "10"]


def test_react_v2_shows_what_a_tool_raised() -> None:
    adapter = dspy.ChatAdapter(use_native_function_calling=True)
    replies = [native_call("broken", x="it"), submit(answer="x")]
    with served(replies, model="openai/gpt-4o") as (server, _), dspy.context(adapter=adapter):
        dspy.ReActV2("question -> answer", tools=[broken])(question="?")
    result = next(m for m in server.bodies[1]["messages"] if m["role"] == "tool")
    assert "broken by it" in result["content"]


def test_react_v2_gives_a_history_that_goes_on() -> None:
    adapter = dspy.ChatAdapter(use_native_function_calling=True)
    replies = [submit(answer="one"), submit(answer="two")]
    with served(replies, model="openai/gpt-4o") as (server, _), dspy.context(adapter=adapter):
        agent = dspy.ReActV2("question -> answer", tools=[add])
        first = agent(question="first?")
        second = agent(question="second?", history=first.history)
    assert [m["role"] for m in server.bodies[1]["messages"]][:2] == ["system", "user"]
    assert "first?" in server.bodies[1]["messages"][1]["content"]
    assert "second?" in server.bodies[1]["messages"][-1]["content"]
    assert len(second.history.messages) == 2


def test_react_v2_insists_on_an_answer() -> None:
    adapter = dspy.ChatAdapter(use_native_function_calling=True)
    replies = [native_call("add", a=1), submit(answer="late")]
    with served(replies, model="openai/gpt-4o") as (server, _), dspy.context(adapter=adapter):
        prediction = dspy.ReActV2("question -> answer", tools=[add], max_iters=1)(question="?")
    assert prediction.answer == "late"
    assert server.bodies[1]["tool_choice"] == {"type": "function", "function": {"name": "submit"}}
    assert prediction.termination_reason != "submit"
