"""Budgets, usage, records and single flight as a program meets them."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest

import telic
from telic.runtime.executor import bounded_map
from telic.runtime.portal import run
from tests.runtime.places import PLACES, Place
from tests.scripted import RecordedLM, ScriptedLM, chat


class SlowLM(RecordedLM):
    """Takes its time, so that calls overlap."""

    def forward(self, prompt: str | None = None, messages: Any = None, **kwargs: Any) -> Any:
        time.sleep(0.005)
        return super().forward(prompt, messages, **kwargs)

    async def aforward(self, prompt: str | None = None, messages: Any = None, **kwargs: Any) -> Any:
        await asyncio.sleep(0.005)
        return super().forward(prompt, messages, **kwargs)


def reply(message: str) -> str:
    return chat(answer="yes")


predict = telic.Predict("question -> answer")


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
def test_a_program_answers_everywhere_with_the_lm_of_the_block(place: Place) -> None:
    inner, outer = ScriptedLM(reply), ScriptedLM(reply)
    telic.configure(lm=outer)
    with telic.track_usage() as usage, telic.context(lm=inner), telic.budget(calls=1) as spending:
        assert place(lambda: predict(question="?").answer) == "yes"
        with pytest.raises(telic.BudgetExceededError):
            place(lambda: predict(question="?"))
    assert (len(inner.asked), len(outer.asked)) == (1, 0)
    assert (usage.calls, spending.spent.calls, spending.spent.tokens) == (1, 1, 10)
    assert place(lambda: predict(question="?").answer) == "yes"
    assert len(outer.asked) == 1


def test_calls_hold_exactly_for_programs_in_threads_and_tasks() -> None:
    lm = SlowLM(reply)

    async def ask(number: int) -> Any:
        return await predict.acall(question=f"task {number}")

    def work(number: int) -> Any:
        return run(ask(number)) if number % 2 else predict(question=f"thread {number}")

    with telic.context(lm=lm), telic.budget(calls=25) as spending, telic.track_usage() as usage:
        outcome = bounded_map(work, range(60), num_threads=12)
    assert len(lm.asked) == spending.spent.calls == usage.calls == 25
    assert len(outcome.failures) == 35
    assert all(isinstance(failure.error, telic.BudgetExceededError) for failure in outcome.failures)


def test_what_is_recorded_costs_no_budget() -> None:
    lm = SlowLM(reply)
    with telic.context(lm=lm):
        predict(question="?")
        with telic.budget(calls=0), telic.track_usage() as usage:
            for _ in range(3):
                assert predict(question="?").answer == "yes"
            with pytest.raises(telic.BudgetExceededError):
                predict(question="another?")
    assert len(lm.asked) == 1
    assert (usage.calls, usage.cached_calls, usage.get_total_tokens()) == (0, 3, {})


def test_twins_in_flight_are_asked_once_and_paid_once() -> None:
    lm = SlowLM(reply)

    async def many() -> list[Any]:
        return await asyncio.gather(*(predict.acall(question="same") for _ in range(30)))

    with telic.context(lm=lm), telic.budget(calls=1):
        answers = run(many())
        answers += bounded_map(lambda _: predict(question="same"), range(30), num_threads=8).values()
    assert {answer.answer for answer in answers} == {"yes"}
    assert len(lm.asked) == 1


def test_a_twin_out_of_budget_leaves_the_work_to_one_within() -> None:
    lm = SlowLM(reply)
    barrier = threading.Barrier(6)

    def poor(_: int) -> str:
        with telic.budget(calls=0):
            barrier.wait()
            try:
                return str(predict(question="same").answer)
            except telic.BudgetExceededError:
                return "refused"

    def rich(_: int) -> str:
        barrier.wait()
        return str(predict(question="same").answer)

    with telic.context(lm=lm):
        outcome = bounded_map(lambda n: (poor if n % 2 else rich)(n), range(6), num_threads=6)
    assert outcome.values()[::2] == ["yes"] * 3
    assert set(outcome.values()[1::2]) <= {"yes", "refused"}
    assert len(lm.asked) == 1


def test_a_repair_is_a_call_too() -> None:
    lm = ScriptedLM(["no number", chat(answer=4)])
    count = telic.Predict("question -> answer: int")
    with telic.context(lm=lm), telic.budget(calls=1), pytest.raises(telic.BudgetExceededError):
        count(question="?")
    assert len(lm.asked) == 1
