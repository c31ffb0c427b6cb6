"""What an agent learnt in one protocol, demos and instructions, is used in the other."""

from __future__ import annotations

import json

import pytest

import telic
from tests.agents import CallingLM, Served, call, calls
from tests.scripted import ScriptedLM, chat

ANSWER = chat(reasoning="so", answer="3")
END = (call("finish"), ANSWER)
TRAINSET = [telic.Example(question="1+2?", answer="3").with_inputs("question")]


def add(a: int, b: int = 2) -> int:
    """Add two numbers."""
    return a + b


def agent():
    return telic.ReAct("question -> answer", tools=[add])


def in_text(tool, thought="hm", **arguments):
    return chat(next_thought=thought, next_tool_name=tool, next_tool_args=json.dumps(arguments))


def right(example, prediction, trace=None):
    return example.answer == prediction.answer


def bootstrapped(lm):
    with telic.context(lm=lm):
        return telic.BootstrapFewShot(metric=right, max_labeled_demos=0).compile(agent(), trainset=TRAINSET)


def natively():
    return CallingLM([{**calls(("add", {"a": 1}), ("add", {"a": 0})), "content": "I add."}, *END])


def test_a_native_run_is_traced_as_one_in_text_would_be():
    trace = []
    with telic.context(lm=natively(), trace=trace):
        program = agent()
        program(question="1+2?")
    *moves, (extract, _, _) = trace
    assert extract is program.extract.predict
    assert all(predictor is program.react for predictor, _, _ in moves)
    assert all(set(inputs) == {"question", "trajectory"} for _, inputs, _ in moves)
    assert [dict(move.items()) for _, _, move in moves] == [
        {"next_thought": "I add.", "next_tool_name": "add", "next_tool_args": {"a": 1}},
        {"next_thought": "I add.", "next_tool_name": "add", "next_tool_args": {"a": 0}},
        {"next_thought": "", "next_tool_name": "finish", "next_tool_args": {}},
    ]
    shown = [inputs["trajectory"] for _, inputs, _ in moves]
    assert shown[:2] == ["", ""]
    assert "observation_1" in shown[2]


def test_what_is_learnt_natively_is_shown_in_text():
    program = bootstrapped(natively())
    lm = ScriptedLM([in_text("add", a=1), in_text("finish"), ANSWER])
    with telic.context(lm=lm):
        assert program(question="3+4?").answer == "3"
    (said,) = [m["content"] for m in lm.asked[0] if m["role"] == "assistant"]
    assert "I add." in said
    assert "[[ ## next_tool_name ## ]]\nadd" in said


def test_what_is_learnt_in_text_is_shown_as_native_calls():
    lm = ScriptedLM([in_text("add", "I add.", a=1), in_text("finish"), ANSWER])
    program = bootstrapped(lm)
    later = {"question": "1+2?", "trajectory": "It was 3.", "next_tool_name": "finish", "next_tool_args": {}}
    program.react.demos = [*program.react.demos, later]
    with Served(call("add", a=5), *END) as served:
        program(question="3+4?")
    first, second = served.messages[:2]
    roles = ["system", "user", "assistant", "tool", "user", "assistant", "tool", "user"]
    assert [m["role"] for m in first] == roles
    assert first[2]["tool_calls"][0]["function"] == {"name": "add", "arguments": '{"a": 1}'}
    assert "I add." in first[2]["content"]
    assert "It was 3." in first[4]["content"]
    assert second[: len(first)] == first
    ids = [call["id"] for m in second for call in m.get("tool_calls") or ()]
    assert len(set(ids)) == len(ids) == 3


def test_demos_without_a_move_show_nothing():
    program = agent()
    program.react.demos = [
        telic.Example(question="1+2?", answer="3"),
        {"question": "q", "next_tool_name": "add", "next_tool_args": "{"},
        {"next_tool_name": "add", "next_tool_args": {}},
    ]
    with Served(*END) as served:
        program(question="?")
    assert [m["role"] for m in served.messages[0]] == ["system", "user"]


def instructed(text):
    program = agent()
    program.react.signature = program.react.signature.with_instructions(text(program))
    with Served(*END) as served:
        program(question="?")
    return served.messages[0][0]["content"]


def test_instructions_before_the_protocol_are_used_without_it():
    system = instructed(lambda program: f"Be quick.\n\n{program._protocol()}")
    assert "Be quick." in system
    assert "next_tool_name" not in system
    assert "Every turn makes at least one call" in system


def test_instructions_that_were_rewritten_altogether_are_used_with_a_word_on_how():
    system = instructed(lambda _: "Put the tool into next_tool_name, and hurry.")
    assert "and hurry." in system
    assert "Where this speaks of next_tool_name" in system
    assert "Every turn makes at least one call" in system


def test_descriptions_of_tools_that_were_rewritten_are_sent():
    program = agent()
    changed = telic.ProgramState.of(program).with_components({"tools['add'].desc": "Sums up."}).apply(program)
    with Served(*END) as served:
        changed(question="?")
    assert served.server.bodies[0]["tools"][0]["function"]["description"] == "Sums up."
    assert "next_tool_name" not in served.messages[0][0]["content"]


@pytest.mark.parametrize("native", [True, False])
def test_one_saved_file_is_for_both(tmp_path, native):
    bootstrapped(natively()).save(tmp_path / "agent.json")
    program = agent()
    program.load(tmp_path / "agent.json")
    assert [path for path, _ in program.named_predictors()] == ["react", "extract.predict"]
    replies = END if native else (in_text("finish"), ANSWER)
    with Served(*replies) as served, telic.context(native_agent_tools=native):
        assert program(question="?").answer == "3"
    assert ("tools" in served.server.bodies[0]) is native
    assert len([m for m in served.messages[0] if m["role"] == "assistant"]) == 1


def test_a_copy_of_an_agent_that_ran_works():
    program = agent()
    for tried in (program, program.deepcopy()):
        with Served(call("add", a=1), *END):
            assert tried(question="?").answer == "3"
