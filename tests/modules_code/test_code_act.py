"""Agents that act by code."""

from __future__ import annotations

from itertools import pairwise

import pytest

import telic
from telic.errors import (
    BudgetExceededError,
    CodeExecutionError,
    CodeInterpreterError,
    ContextWindowExceededError,
    InputError,
)
from telic.modules.code_act import CodeAct
from telic.types.tool import Tool
from tests.modules_code.interpreters import Scripted
from tests.scripted import ScriptedLM, chat

KNOWN = {"Paris": 2_100_000, "Rome": 2_800_000}


def population(city: str, scale: int = 1) -> int:
    """Inhabitants of a city."""
    return KNOWN[city] // scale


def turn(code: str, finished: bool = False) -> str:
    return chat(generated_code=f"```python\n{code}\n```", finished=finished)


async def test_code_calls_tools_until_it_knows_enough() -> None:
    for way in ("sync", "async"):
        lm = ScriptedLM(
            [
                turn("paris = population('Paris', scale=1000)\nprint(paris)"),
                turn("population('Atlantis')"),
                turn("total = paris + population('Rome', 1000)", finished=True),
                chat(reasoning="added", answer="4900"),
            ]
        )
        act = CodeAct("question -> answer: int", tools=[population])
        with telic.context(lm=lm):
            made = act(question="?") if way == "sync" else await act.acall(question="?")
        assert made.answer == 4900
        assert made.trajectory == {
            "generated_code_0": "paris = population('Paris', scale=1000)\nprint(paris)",
            "code_output_0": '"2100"',
            "generated_code_1": "population('Atlantis')",
            "observation_1": "The code failed: KeyError: Atlantis (line 1: population('Atlantis'))",
            "generated_code_2": "total = paris + population('Rome', 1000)\ntotal",
            "code_output_2": "4900",
        }
        first, last = lm.asked[0][-1]["content"], lm.asked[-1][-1]["content"]
        assert "generated_code_0" not in first
        assert "[[ ## code_output_2 ## ]]\n4900" in last
        assert "population" in lm.asked[0][0]["content"]
        assert "Inhabitants of a city" in lm.asked[0][0]["content"]


def test_the_trajectory_only_grows_at_its_end() -> None:
    lm = ScriptedLM([turn("1"), turn("2"), turn("3", True), chat(reasoning="", answer="1")])
    with telic.context(lm=lm):
        CodeAct("question -> answer", tools=[])(question="?")
    shown = [
        a[-1]["content"].split("trajectory ## ]]\n")[1].split("\n\nNow write")[0].strip() for a in lm.asked
    ]
    assert all(after.startswith(before) for before, after in pairwise(shown))


async def test_async_tools_and_tools_with_state() -> None:
    async def fetch(page: int) -> str:
        """Get a page."""
        return f"page {page}"

    class Store:
        def __init__(self) -> None:
            self.kept: list[str] = []

        def keep(self, text: str) -> int:
            """Keep a text."""
            self.kept.append(text)
            return len(self.kept)

    store = Store()
    lm = ScriptedLM([turn("for n in range(3): keep(fetch(n))", True), chat(reasoning="", answer="1")] * 2)
    act = CodeAct("question -> answer", tools=[fetch, store.keep])
    with telic.context(lm=lm):
        await act.acall(question="?")
        lm._reply = [turn("keep(fetch(9))", True), chat(reasoning="", answer="1")]
        import asyncio

        await asyncio.to_thread(act, question="?")
    assert store.kept == ["page 0", "page 1", "page 2", "page 9"]


def test_errors_that_code_can_and_cannot_mend() -> None:
    box = Scripted(CodeExecutionError("boom"), "5", CodeInterpreterError("dead"))
    lm = ScriptedLM([turn("a"), turn("b"), turn("c")])
    act = CodeAct("question -> answer", tools=[], interpreter_factory=lambda: box)
    with telic.context(lm=lm), pytest.raises(CodeInterpreterError, match="dead"):
        act(question="?")
    assert box.ended == 1

    def spend() -> None:
        raise BudgetExceededError("spent", spent={}, caps={})

    lm = ScriptedLM([turn("try: spend()\nexcept BaseException: pass")])
    with telic.context(lm=lm), pytest.raises(BudgetExceededError):
        CodeAct("question -> answer", tools=[spend])(question="?")


def test_turns_are_bounded_and_no_code_is_an_observation() -> None:
    box = Scripted("1", "2")
    lm = ScriptedLM(
        [turn("a"), chat(generated_code="", finished=False), turn("b"), chat(reasoning="", answer="1")]
    )
    act = CodeAct("question -> answer", tools=[population], max_iters=3, interpreter_factory=lambda: box)
    with telic.context(lm=lm):
        made = act(question="?")
    assert made.trajectory["observation_1"] == "No code was written."
    assert [code for code, _ in box.ran] == ["a", "b"]
    assert list(box.tools) == ["population"]


def test_a_long_trajectory_loses_its_oldest_turns() -> None:
    lm = ScriptedLM([turn("'first'"), turn("'second'"), chat(reasoning="", answer="1")])
    forward = lm.forward

    def narrow(prompt=None, messages=None, **kwargs):  # type: ignore[no-untyped-def]
        if "'first'" in messages[-1]["content"] and "'second'" in messages[-1]["content"]:
            raise ContextWindowExceededError(model="scripted")
        return forward(prompt, messages, **kwargs)

    lm.forward = narrow  # type: ignore[method-assign]
    with telic.context(lm=lm):
        made = CodeAct("question -> answer", tools=[], max_iters=2)(question="?")
    assert "generated_code_0" in made.trajectory
    assert "'first'" not in lm.asked[-1][-1]["content"]


def test_what_can_be_a_tool() -> None:
    class Callable:
        def __call__(self, x: int) -> int:
            return x

    with pytest.raises(ValueError, match="functions, not callable objects"):
        CodeAct("question -> answer", tools=[Callable()])
    assert list(CodeAct("question -> answer", tools=[Tool(Callable(), name="same")]).tools) == ["same"]
    with pytest.raises(InputError, match="Two tools"):
        CodeAct("question -> answer", tools=[population, population])
    with pytest.raises(InputError, match="lambda"):
        CodeAct("question -> answer", tools=[lambda x: x])
