"""Agents in turns, with the text protocol."""

from __future__ import annotations

import asyncio
import json
from itertools import pairwise

import pytest

import telic
from telic.errors import ContextWindowExceededError, InputError
from telic.modules.react import ReAct
from tests.scripted import ScriptedLM, chat


def move(tool: str, thought: str = "hm", **arguments):
    return chat(next_thought=thought, next_tool_name=tool, next_tool_args=json.dumps(arguments))


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


async def slow_lookup(key: str) -> str:
    """Look a key up."""
    await asyncio.sleep(0.01)
    return {"x": "1"}[key]


def script():
    return [
        move("add", a=1, b=2),
        move("slow_lookup", key="nope"),
        move("slow_lookup", key="x"),
        move("finish"),
        chat(reasoning="so", answer="3"),
    ]


@pytest.mark.parametrize("way", ["sync", "async"])
def test_turns_observations_and_answer(way):
    lm = ScriptedLM(script())
    agent = ReAct("question -> answer", tools=[add, slow_lookup])
    with telic.context(lm=lm):
        prediction = agent(question="?") if way == "sync" else asyncio.run(agent.acall(question="?"))
    assert prediction.answer == "3"
    assert prediction.reasoning == "so"
    assert prediction.trajectory["observation_0"] == 3
    assert "KeyError" in prediction.trajectory["observation_1"]
    assert prediction.trajectory["observation_2"] == "1"
    assert prediction.trajectory["tool_name_3"] == "finish"
    assert [path for path, _ in agent.named_predictors()] == ["react", "extract.predict"]
    assert "Add two numbers." in lm.asked[0][0]["content"]


def test_each_turn_begins_with_what_the_last_one_said():
    lm = ScriptedLM(script())
    with telic.context(lm=lm):
        ReAct("question -> answer", tools=[add, slow_lookup])(question="?")
    turns = [messages[-1]["content"] for messages in lm.asked[:4]]
    for before, after in pairwise(turns[1:]):
        trajectory = before[: before.rindex("\n\n")]
        assert after.startswith(trajectory)
    assert all(messages[0] == lm.asked[0][0] for messages in lm.asked[:4])


def test_the_oldest_turns_leave_where_the_window_is_full():
    class Small(ScriptedLM):
        def forward(self, prompt=None, messages=None, **kwargs):
            if messages[-1]["content"].count("[[ ## observation_") > 1:
                raise ContextWindowExceededError(model="small")
            return super().forward(prompt, messages, **kwargs)

    lm = Small([move("add", a=i, b=i) for i in range(4)] + [move("finish"), chat(reasoning="r", answer="a")])
    with telic.context(lm=lm):
        prediction = ReAct("question -> answer", tools=[add])(question="?")
    assert prediction.answer == "a"
    assert "thought_4" in prediction.trajectory


@pytest.mark.parametrize("adapter", ["chat", "json", "xml"])
def test_earlier_turns_show_what_was_replied(adapter):
    def move_in(**fields):
        if adapter == "chat":
            return chat(**fields)
        if adapter == "json":
            return json.dumps(fields)
        return "\n".join(f"<{name}>{value}</{name}>" for name, value in fields.items())

    first = {
        "next_thought": "hm",
        "next_tool_name": "finish",
        "next_tool_args": "{}" if adapter != "json" else {},
    }
    lm = ScriptedLM([move_in(**first), move_in(reasoning="so", reply="Four.")])
    history = telic.History(messages=[{"message": "1+1?", "reply": "It is two."}])
    with telic.context(lm=lm, adapter=adapter):
        agent = ReAct("history: telic.History, message -> reply", tools=[add])
        assert agent(message="And twice that?", history=history).reply == "Four."
    for messages in lm.asked:
        said = [m["content"] for m in messages if m["role"] == "assistant"]
        assert len(said) == 1
        assert "It is two." in said[0]
    assert "None" not in lm.asked[0][2]["content"]


def test_an_agent_that_loses_the_thread_still_answers():
    lm = ScriptedLM([move("add", a=1, b=1), move("subtract"), chat(reasoning="r", answer="2")])
    with telic.context(lm=lm, max_repairs=0):
        assert ReAct("question -> answer", tools=[add])(question="?").answer == "2"


def test_max_iters_is_kept():
    lm = ScriptedLM([move("add", a=1, b=1), chat(reasoning="r", answer="2")])
    with telic.context(lm=lm):
        assert ReAct("question -> answer", tools=[add], max_iters=1)(question="?").answer == "2"


def test_two_tools_of_one_name_are_refused():
    with pytest.raises(InputError, match="'add'"):
        ReAct("question -> answer", tools=[add, add])
