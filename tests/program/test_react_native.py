"""Agents in turns, tools called natively: the trajectory is that of the text protocol, prompts only grow."""

from __future__ import annotations

import asyncio
import json
import threading
from itertools import pairwise

import pytest

import telic
from telic.errors import BudgetExceededError, ContextWindowExceededError, InputError
from tests.agents import CallingLM, Served, call, calls, words
from tests.scripted import ScriptedLM, chat

ways = pytest.mark.parametrize("way", ["sync", "async"])
ANSWER = chat(reasoning="so", answer="3")
END = (call("finish"), ANSWER)


def add(a: int, b: int = 2) -> int:
    """Add two numbers."""
    return a + b


def broken(x: str) -> str:
    """Breaks."""
    raise RuntimeError(f"broken by {x}")


def tell(a: int) -> str:
    """Tells a lot."""
    return f"told {a}: " + "word " * 100


def in_text(tool, thought="hm", **arguments):
    return chat(next_thought=thought, next_tool_name=tool, next_tool_args=json.dumps(arguments))


def ask(way="sync", tools=(add,), question="?", **options):
    agent = telic.ReAct("question -> answer", tools=list(tools), **options)
    return agent(question=question) if way == "sync" else asyncio.run(agent.acall(question=question))


# Which protocol


@ways
def test_calls_are_native_where_the_model_has_them(way):
    with Served({**call("add", a=1), "content": "I add."}, *END) as served:
        prediction = ask(way)
    assert (prediction.answer, prediction.reasoning) == ("3", "so")
    first, second, last = served.server.bodies
    assert [tool["function"]["name"] for tool in first["tools"]] == ["add", "finish"]
    assert "next_tool_name" not in json.dumps(first)
    assert [m["role"] for m in second["messages"]] == ["system", "user", "assistant", "tool"]
    assert "tools" not in last
    assert prediction.trajectory == {
        "thought_0": "I add.",
        "tool_name_0": "add",
        "tool_args_0": {"a": 1},
        "observation_0": 3,
        "thought_1": "",
        "tool_name_1": "finish",
        "tool_args_1": {},
        "observation_1": "Completed.",
    }


@pytest.mark.parametrize("choice", ["adapter", "setting", "model", "names"])
def test_the_text_protocol_is_spoken_elsewhere(choice):
    replies = [in_text("add", a=1), in_text("finish"), ANSWER]
    chosen = {
        "adapter": {"adapter": telic.ChatAdapter()},
        "setting": {"native_agent_tools": False},
        "model": {"lm": ScriptedLM(list(replies))},
    }.get(choice, {})
    name = "tools" if choice == "names" else "question"
    with Served(*replies) as served, telic.context(**chosen):
        prediction = telic.ReAct(f"{name} -> answer", tools=[add])(**{name: "?"})
    assert prediction.trajectory["observation_0"] == 3
    assert all("tools" not in body for body in served.server.bodies)


def test_an_adapter_that_is_told_to_calls_natively():
    replies = [call("add", a=1), call("finish"), json.dumps({"reasoning": "r", "answer": "x"})]
    with (
        Served(*replies) as served,
        telic.context(adapter=telic.JSONAdapter(use_native_function_calling=True)),
    ):
        assert ask().answer == "x"
    assert len(served.server.bodies[0]["tools"]) == 2


def test_missing_inputs_are_refused_before_anything_is_asked():
    lm = CallingLM([])
    with telic.context(lm=lm), pytest.raises(InputError, match="question"):
        telic.ReAct("question -> answer", tools=[add])()
    assert lm.asked == []


# The prompt only grows


def test_native_prompts_begin_with_the_whole_of_the_last_one():
    turns = [calls(("add", {"a": n}), ("add", {"a": n, "b": n})) for n in range(5)]
    with Served(*turns, *END) as served:
        ask()
    *acting, _ = served.server.bodies
    assert len(acting) == 6
    for before, after in pairwise(acting):
        assert after["messages"][: len(before["messages"])] == before["messages"]
        assert after["tools"] == before["tools"]


def test_prompts_in_text_begin_with_the_last_one_but_for_what_is_asked():
    replies = [*[in_text("add", a=n) for n in range(5)], in_text("finish"), ANSWER]
    with Served(*replies) as served, telic.context(native_agent_tools=False):
        ask()
    acting = served.messages[:6]
    asking = acting[0][-1]["content"].rpartition("\n\n")[2]
    for before, after in pairwise(acting):
        assert after[:-1] == before[:-1]
        assert before[-1]["content"].endswith(asking)
        assert after[-1]["content"].startswith(before[-1]["content"].removesuffix(asking).rstrip())


@pytest.mark.parametrize("counts", [True, False])
@pytest.mark.parametrize("protocol", ["native", "text"])
def test_a_full_window_is_half_emptied_at_once(protocol, counts):
    """So prompts go on growing for a while: of 40 turns, few begin otherwise than the one before."""
    native = protocol == "native"
    moves = [call("tell", a=n) if native else in_text("tell", a=n) for n in range(40)]
    lm = CallingLM([*moves, END[0] if native else in_text("finish"), ANSWER], window=1200, counts=counts)
    with telic.context(lm=lm, native_agent_tools=native):
        prediction = ask(tools=[tell], max_iters=50)
    assert prediction.answer == "3"
    turns = lm.asked[:41]
    assert max(map(words, turns)) < 1200
    newest = [n for n, messages in enumerate(turns) if n and f"told {n - 1}:" in str(messages)]
    assert newest == list(range(1, 41))
    held = [str(messages).count("word word word ") and str(messages).count("told ") for messages in turns]
    emptied = [n for n, (before, after) in enumerate(pairwise(held)) if after < before]
    assert 3 <= len(emptied) <= 12
    assert all(before - emptied[n] >= 3 for n, before in enumerate(emptied[1:]))


def test_the_newest_turn_stays_whole_where_others_can_leave():
    three = calls(*(("tell", {"a": n}) for n in range(3)))
    lm = CallingLM([call("tell", a=7), three, *END], window=480)
    with telic.context(lm=lm):
        prediction = ask(tools=[tell])
    shown = [m["content"][:7] for m in lm.asked[2] if m["role"] == "tool"]
    assert shown == ["told 0:", "told 1:", "told 2:"]
    assert "thought_0" not in prediction.trajectory


def test_one_call_that_does_not_fit_is_said():
    lm = CallingLM([call("tell", a=7)], window=150)
    with telic.context(lm=lm), pytest.raises(ContextWindowExceededError, match="let the tools return less"):
        ask(tools=[tell])


def test_a_way_of_truncating_that_makes_nothing_shorter_is_found_out():
    class Stubborn(telic.ReAct):
        def truncate_trajectory(self, trajectory):
            return trajectory

    lm = CallingLM([call("tell", a=7)], window=150)
    with telic.context(lm=lm), pytest.raises(ContextWindowExceededError, match="no shorter"):
        Stubborn("question -> answer", tools=[tell])(question="?")


def test_a_way_of_truncating_of_ones_own_is_kept_to():
    class Brief(telic.ReAct):
        def truncate_trajectory(self, trajectory):
            return {
                key: value[:6] if key.startswith("observation") else value
                for key, value in trajectory.items()
            }

    lm = CallingLM([call("tell", a=1), call("tell", a=2), *END], window=260)
    with telic.context(lm=lm):
        prediction = Brief("question -> answer", tools=[tell])(question="?")
    assert prediction.trajectory["observation_0"] == "told 1"
    assert [m["content"] for m in lm.asked[2] if m["role"] == "tool"] == ["told 1", "told 2"]


# Tools


@ways
def test_calls_of_one_turn_are_made_side_by_side(way):
    meeting = threading.Barrier(3, timeout=20)

    def wait(n: int) -> int:
        """Waits for two others."""
        meeting.wait()
        return n

    with Served(calls(*(("wait", {"n": n}) for n in range(3))), *END) as served:
        prediction = ask(way, tools=[wait])
    assert [prediction.trajectory[f"observation_{n}"] for n in range(3)] == [0, 1, 2]
    assert prediction.trajectory["tool_name_3"] == "finish"
    assert [m["content"] for m in served.messages[1] if m["role"] == "tool"] == ["0", "1", "2"]


def test_async_tools_of_one_turn_wait_for_each_other_on_one_loop():
    met = asyncio.Event()

    async def give(x: str) -> str:
        """Gives."""
        met.set()
        return x

    async def take(x: str) -> str:
        """Takes what was given."""
        await asyncio.wait_for(met.wait(), 20)
        return x

    with Served(calls(("take", {"x": "a"}), ("give", {"x": "b"})), *END):
        prediction = ask("async", tools=[give, take])
    assert [prediction.trajectory[f"observation_{n}"] for n in range(2)] == ["a", "b"]


@ways
def test_what_a_tool_raises_is_an_observation_and_a_record(way, caplog):
    told = []

    class Listener(telic.BaseCallback):
        def on_tool_end(self, call_id, outputs, exception=None):
            told.append(exception)

    listening = telic.context(callbacks=[Listener()])
    with Served(call("broken", x="it"), *END) as served, listening, caplog.at_level("WARNING", "telic"):
        prediction = ask(way, tools=[broken])
    shown = "Execution error: RuntimeError: broken by it"
    assert prediction.trajectory["observation_0"] == shown
    assert served.messages[1][-1]["content"] == shown
    assert str(told[0]) == "broken by it"
    (record,) = [r for r in caplog.records if r.exc_info]
    assert record.exc_info[1] is told[0]


def raw(name, arguments):
    function = {"name": name, "arguments": arguments}
    return {"content": None, "tool_calls": [{"id": "c", "type": "function", "function": function}]}


@pytest.mark.parametrize(
    ("wrong", "words_"),
    [
        (call("subtract", a=1), "There is no tool 'subtract'. There are: add, finish."),
        (call("add", b=1), "without its argument 'a'"),
        (call("add", a="many"), "'a' is not valid"),
        (raw("add", '{"a": '), "The arguments of 'add' are no JSON"),
        (raw("add", "[1]"), "The arguments of 'add' are no JSON object"),
        (raw("subtract", "{"), "There is no tool 'subtract'"),
    ],
)
def test_calls_that_cannot_be_made_are_told_and_the_agent_goes_on(wrong, words_):
    with Served(wrong, call("add", a=1), *END) as served:
        prediction = ask()
    assert prediction.answer == "3"
    assert words_ in prediction.trajectory["observation_0"]
    assert served.messages[1][-1]["content"] == prediction.trajectory["observation_0"]
    assert prediction.trajectory["observation_1"] == 3
    assert len(served.messages) == 4


def test_one_bad_call_does_not_keep_the_others_of_its_turn_from_being_made():
    both = raw("add", "{")
    both["tool_calls"] += calls(("add", {"a": 5}))["tool_calls"]
    with Served(both, *END):
        trajectory = ask().trajectory
    assert "no JSON" in trajectory["observation_0"]
    assert trajectory["observation_1"] == 7


def test_a_spent_budget_goes_through():
    def ask_again(x: str) -> str:
        """Asks the model."""
        return telic.Predict("x -> y")(x=x).y

    with Served(call("ask_again", x="a")), telic.budget(calls=1), pytest.raises(BudgetExceededError):
        ask(tools=[ask_again])


# The end


@ways
def test_an_answer_without_a_call_ends_the_turns(way):
    with Served(call("add", a=1), {"content": "It is three."}, ANSWER) as served:
        prediction = ask(way)
    assert prediction.answer == "3"
    assert prediction.trajectory["thought_1"] == "It is three."
    assert prediction.trajectory["tool_name_1"] == "finish"
    assert "It is three." in served.messages[2][-1]["content"]


def test_the_last_words_of_a_model_that_reasons_natively_are_kept():
    class Thinking(CallingLM):
        supports_reasoning = True

    end = {"content": "It is three.", "tool_calls": None, "reasoning_content": "One and two."}
    lm = Thinking([call("add", a=1), end, ANSWER])
    lm.kwargs["reasoning_effort"] = "low"
    with telic.context(lm=lm):
        prediction = ask()
    assert "next_thought" not in json.dumps(lm.asked[0])
    assert prediction.trajectory["thought_1"] == "One and two.\n\nIt is three."


def test_turns_are_counted_not_calls():
    two = calls(("add", {"a": 1}), ("add", {"a": 2}))
    with Served(two, two, ANSWER) as served:
        prediction = ask(max_iters=2)
    assert len(served.messages) == 3
    assert [prediction.trajectory[f"observation_{n}"] for n in range(4)] == [3, 4, 3, 4]


def test_finish_beside_other_calls_ends_the_turns_after_them():
    with Served(calls(("finish", {}), ("add", {"a": 1})), ANSWER):
        trajectory = ask().trajectory
    assert (trajectory["tool_name_0"], trajectory["observation_1"]) == ("finish", 3)


def test_usage_is_that_of_all_calls():
    with telic.context(lm=CallingLM([call("add", a=1), *END]), track_usage=True):
        usage = ask().get_lm_usage()
    (of_model,) = usage.values()
    assert (of_model["prompt_tokens"], of_model["completion_tokens"]) == (21, 9)


def test_a_conversation_that_is_given_comes_before_the_turns():
    history = telic.History(messages=[{"message": "1+1?", "reply": "Two."}])
    with Served(call("add", a=2), call("finish"), chat(reasoning="r", reply="Four.")) as served:
        agent = telic.ReAct("history: telic.History, message -> reply", tools=[add])
        assert agent(message="And twice that?", history=history).reply == "Four."
    roles = [m["role"] for m in served.messages[1]]
    assert roles == ["system", "user", "assistant", "user", "assistant", "tool"]
    assert served.messages[1][:4] == served.messages[0]
    assert "Two." in served.messages[0][2]["content"]
