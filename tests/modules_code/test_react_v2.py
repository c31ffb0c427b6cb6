"""Agents in turns of a conversation: native calls and calls in text, side by side, within the window."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from itertools import pairwise

import pytest

import telic
from telic.errors import AdapterParseError, BudgetExceededError, ContextWindowExceededError, InputError
from tests.agents import Served, call, calls, said
from tests.scripted import ScriptedLM, chat


def add(a: int, b: int = 2) -> int:
    """Add two numbers."""
    return a + b


def broken(x: str) -> str:
    """Breaks."""
    raise RuntimeError(f"broken by {x}")


def ask(way, tools=(add,), question="?", **options):
    agent = telic.ReActV2("question -> answer", tools=list(tools), **options)
    return agent(question=question) if way == "sync" else asyncio.run(agent.acall(question=question))


ways = pytest.mark.parametrize("way", ["sync", "async"])


# Native calls, or calls in text


def test_calls_are_native_by_default_where_the_model_has_them():
    with Served(call("add", a=1, b=2), call("submit", answer="3")) as served:
        assert ask("sync").answer == "3"
    assert [tool["function"]["name"] for tool in served.server.bodies[0]["tools"]] == ["add", "submit"]
    assert [m["role"] for m in served.messages[1]][:4] == ["system", "user", "assistant", "tool"]


def test_calls_are_in_text_where_the_model_has_no_native_ones():
    lm = ScriptedLM([said(("add", {"a": 1, "b": 2})), said(("submit", {"answer": "3"}))])
    assert not lm.capabilities.tools
    with telic.context(lm=lm):
        assert ask("sync").answer == "3"
    assert "Add two numbers." in json.dumps(lm.asked[0])
    assert "tool_call_results" in json.dumps(lm.asked[1])
    assert {m["role"] for m in lm.asked[1]} == {"system", "user", "assistant"}


@pytest.mark.parametrize("choice", ["adapter", "setting"])
def test_calls_are_in_text_where_it_is_chosen(choice):
    chosen = {"adapter": telic.ChatAdapter()} if choice == "adapter" else {"native_agent_tools": False}
    replies = said(("add", {"a": 1})), said(("submit", {"answer": "3"}))
    with Served(*replies) as served, telic.context(**chosen):
        assert ask("sync").answer == "3"
    assert "tools" not in served.server.bodies[0]


# The conversation


def only_grows(requests, asking=0):
    """Each request begins with the one before, but for messages at its end that ask for the turn."""
    kept = [(len(before) - asking, before, after) for before, after in pairwise(requests)]
    return all(after[:most] == before[:most] for most, before, after in kept)


def test_a_conversation_only_grows_at_its_end():
    turns = [call("add", a=n) for n in range(5)]
    with Served(*turns, call("submit", answer="x")) as served:
        ask("sync")
    assert len(served.messages) == 6
    assert only_grows(served.messages)
    assert len({json.dumps(body["tools"]) for body in served.server.bodies}) == 1


def test_a_conversation_in_text_only_grows_at_its_end_too():
    lm = ScriptedLM([*[said(("add", {"a": n})) for n in range(4)], said(("submit", {"answer": "x"}))])
    with telic.context(lm=lm):
        ask("sync")
    assert only_grows(lm.asked, asking=1)
    assert len(lm.asked[-1]) > len(lm.asked[1])


@pytest.mark.parametrize("agent", ["ReAct", "ReActV2"])
def test_a_value_that_changes_later_is_shown_as_it_was(agent):
    basket = []

    def put(what: str) -> list[str]:
        """Put something into the basket."""
        basket.append(what)
        return basket

    words = ("apple", "pear", "plum")
    if agent == "ReAct":
        moves = [
            chat(next_thought="t", next_tool_name="put", next_tool_args=json.dumps({"what": w}))
            for w in words
        ]
        end = [
            chat(next_thought="t", next_tool_name="finish", next_tool_args="{}"),
            chat(reasoning="r", answer="x"),
        ]
    else:
        moves, end = [said(("put", {"what": w})) for w in words], [said(("submit", {"answer": "x"}))]
    lm = ScriptedLM([*moves, *end])
    with telic.context(lm=lm, adapter=telic.ChatAdapter()):
        getattr(telic, agent)("question -> answer", tools=[put])(question="?")
    shown = [json.dumps(messages) for messages in lm.asked[1:4]]
    assert [text.count("apple") - shown[0].count("apple") for text in shown] == [0, 1, 2]
    assert [text.count("plum") for text in shown] == [0, 0, shown[2].count("plum")]


class Small(ScriptedLM):
    """Has room for so many results of tools: a number, or a function of how often it was asked."""

    def forward(self, prompt=None, messages=None, **kwargs):
        if len(results_in(messages)) > self.room(len(self.asked)):
            raise ContextWindowExceededError(model="small")
        return super().forward(prompt, messages, **kwargs)


def results_in(messages):
    return [m["content"] for m in messages if "is_error" in str(m["content"])]


def adding(turns, room):
    lm = Small([*[said(("add", {"a": n})) for n in range(turns)], said(("submit", {"answer": "x"}))])
    lm.room = room
    return lm


@ways
@pytest.mark.parametrize("room", [1, 3])
def test_the_oldest_turns_leave_where_the_window_is_full(way, room, caplog):
    lm = adding(6, lambda asked: room)
    with telic.context(lm=lm), caplog.at_level(logging.WARNING, "telic"):
        assert ask(way, question="how much?").answer == "x"
    assert all("how much?" in json.dumps(messages) for messages in lm.asked)
    values = [
        json.loads(text.partition("\n")[2])["tool_call_results"][0]["value"]
        for text in results_in(lm.asked[-1])
    ]
    assert 1 <= len(values) <= room
    assert values == [n + 2 for n in range(6 - len(values), 6)]
    assert "does not fit" in caplog.text


def test_as_many_leave_as_need_be():
    """There is no number of tries after which it gives up: here seven turns leave for one question."""
    lm = adding(8, lambda asked: 8 if asked < 8 else 1)
    with telic.context(lm=lm):
        assert ask("sync").answer == "x"
    assert [len(results_in(messages)) for messages in lm.asked] == [*range(8), 1]


def test_inputs_that_do_not_fit_alone_are_said():
    class Tiny(ScriptedLM):
        def forward(self, prompt=None, messages=None, **kwargs):
            raise ContextWindowExceededError(model="tiny")

    with telic.context(lm=Tiny([])), pytest.raises(ContextWindowExceededError):
        ask("sync")


def test_where_the_window_is_known_nothing_too_long_is_sent(caplog):
    class Counting(ScriptedLM):
        """Knows its window, and can count."""

        context_window = 600

        def count_tokens(self, request):
            return sum(len(m["content"].split()) for m in request.messages)

    def long(a: int) -> str:
        """Tells a lot."""
        return "word " * 100

    lm = Counting([*[said(("long", {"a": n})) for n in range(8)], said(("submit", {"answer": "x"}))])
    with telic.context(lm=lm), caplog.at_level(logging.WARNING, "telic"):
        assert ask("sync", tools=[long]).answer == "x"
    assert "oldest turns go" in caplog.text
    assert max(sum(len(m["content"].split()) for m in messages) for messages in lm.asked) < 600
    assert 2 <= len(results_in(lm.asked[-1])) < 8


def test_calls_in_text_get_ids_that_stay_apart_when_turns_leave():
    lm = adding(6, lambda asked: 3)
    with telic.context(lm=lm):
        first = ask("sync")
        lm._reply += [said(("add", {"a": 1})), said(("submit", {"answer": "y"}))]
        second = telic.ReActV2("question -> answer", tools=[add])(question="?", history=first.history)
    ids = [call.id for turn in second.history.messages for call in turn["tool_calls"].tool_calls]
    assert len(ids) >= 4
    assert len(set(ids)) == len(ids)


# Tools


@ways
def test_calls_of_one_turn_are_made_side_by_side(way):
    meeting = threading.Barrier(3, timeout=20)

    def wait(n: int) -> int:
        """Waits for two others."""
        meeting.wait()
        return n

    three = calls(*(("wait", {"n": n}) for n in range(3)))
    with Served(three, call("submit", answer="x")) as served:
        ask(way, tools=[wait])
    results = [m for m in served.messages[1] if m["role"] == "tool"]
    assert [(m["tool_call_id"], m["content"]) for m in results] == [("c0", "0"), ("c1", "1"), ("c2", "2")]


@ways
def test_sync_and_async_tools_work_from_both_kinds_of_program(way):
    async def later(x: str) -> str:
        """Later."""
        await asyncio.sleep(0)
        return x * 2

    with Served(calls(("later", {"x": "ab"}), ("add", {"a": 1})), call("submit", answer="x")) as served:
        ask(way, tools=[later, add])
    assert [m["content"] for m in served.messages[1] if m["role"] == "tool"] == ["abab", "3"]


@ways
def test_what_a_tool_raises_is_an_observation_and_a_record(way, caplog):
    told = []

    class Listener(telic.BaseCallback):
        def on_tool_end(self, call_id, outputs, exception=None):
            told.append(exception)

    replies = call("broken", x="it"), call("submit", answer="x")
    with (
        Served(*replies) as served,
        telic.context(callbacks=[Listener()]),
        caplog.at_level("WARNING", "telic"),
    ):
        prediction = ask(way, tools=[broken])
    assert prediction.answer == "x"
    shown = next(m["content"] for m in served.messages[1] if m["role"] == "tool")
    assert shown == "Execution error: RuntimeError: broken by it"
    assert str(told[0]) == "broken by it"
    (record,) = [r for r in caplog.records if r.exc_info]
    assert "'broken' raised" in record.getMessage()
    assert record.exc_info[1] is told[0]
    (result,) = prediction.history.messages[0]["tool_calls"].tool_call_results.tool_call_results
    assert (result.is_error, result.value) == (True, shown)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (call("subtract", a=1), "There is no tool 'subtract'. There are: add, submit."),
        (call("add", b=1), "without its argument 'a'"),
        (call("add", a="many"), "'a' is not valid"),
        (call("submit", reply="x"), "without its argument 'answer'"),
    ],
)
def test_calls_that_cannot_be_made_are_told_and_the_agent_goes_on(wrong, words):
    with Served(wrong, call("submit", answer="x")) as served:
        assert ask("sync").answer == "x"
    assert words in next(m["content"] for m in served.messages[1] if m["role"] == "tool")


def test_outputs_are_of_their_types_or_asked_for_again():
    with Served(call("submit", total="many"), call("submit", total="5")) as served:
        prediction = telic.ReActV2("question -> total: int", tools=[add])(question="?")
    assert prediction.total == 5
    assert "total" in next(m["content"] for m in served.messages[1] if m["role"] == "tool")


def test_a_spent_budget_goes_through():
    def ask_again(x: str) -> str:
        """Asks the model."""
        return telic.Predict("x -> y")(x=x).y

    replies = call("ask_again", x="a"), call("submit", answer="x")
    with Served(*replies), telic.budget(calls=1), pytest.raises(BudgetExceededError):
        ask("sync", tools=[ask_again])


# The end


@ways
def test_an_agent_that_does_not_submit_is_made_to(way):
    with Served(call("add", a=1), call("add", a=1), call("submit", answer="late")) as served:
        prediction = ask(way, max_iters=2)
    assert (prediction.answer, prediction.termination_reason) == ("late", "max_iters")
    assert served.server.bodies[2]["tool_choice"] == {"type": "function", "function": {"name": "submit"}}


def test_text_alone_is_no_call_and_it_is_made_to_submit():
    with Served({"content": "I think it is 3."}, call("submit", answer="3")):
        assert ask("sync").termination_reason == "empty_tool_calls"


def test_an_agent_that_never_submits_is_an_error_that_says_so():
    with Served(call("add", a=1)), pytest.raises(AdapterParseError, match="did not submit an answer"):
        ask("sync", max_iters=1)


def test_turns_go_on_in_the_next_call():
    replies = [call("add", a=1), call("submit", answer="one"), call("submit", answer="two")]
    with Served(*replies) as served:
        agent = telic.ReActV2("question -> answer", tools=[add])
        first = agent(question="first?")
        second = agent(question="second?", history=first.history)
    assert only_grows(served.messages)
    assert "second?" in served.messages[2][-1]["content"]
    assert len(second.history.messages) == 3


def test_names_that_are_taken_are_refused():
    with pytest.raises(InputError, match="'add'"):
        telic.ReActV2("question -> answer", tools=[add, add])
    with pytest.raises(InputError, match="'history'"):
        telic.ReActV2("question, history: list[str] -> answer", tools=[add])
