"""Caps hold exactly, however many calls run at once, and the refusal says what was spent."""

from __future__ import annotations

import asyncio
import random
import re
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

import telic
from telic.budget import Budget, budget, estimate, reserving
from telic.errors import BudgetExceededError, InputError, LMServerError
from telic.runtime import scope
from telic.runtime.executor import abounded_map, bounded_map
from telic.runtime.steps import Do, Steps, adrive, drive
from telic.types import Choice, Request, Response, Usage
from tests.runtime.scripts import run_script


class Model:
    """Answers under the budgets in force, and counts what is really taken, at its worst moment."""

    def __init__(self, *, seconds: float = 0.001, prompt: int = 100, max_tokens: int | None = 50) -> None:
        self.seconds = seconds
        self.calls = self.tokens = 0
        self.random = random.Random(1)
        self.lock = threading.Lock()
        params = {"max_tokens": max_tokens} if max_tokens else {}
        self.request = Request("openai/gpt-4o-mini", prompt="abc" * prompt, params=params)
        self.prompt = prompt
        self.longest = max_tokens or 300

    def take(self) -> Response:
        with self.lock:
            written = self.random.randint(1, self.longest)
            self.calls += 1
            self.tokens += self.prompt + written
        return Response((Choice("x"),), Usage(self.prompt, written))

    def ask(self) -> Steps[Response]:
        async def later() -> Response:
            await asyncio.sleep(self.seconds)
            return self.take()

        def now() -> Response:
            time.sleep(self.seconds)
            return self.take()

        tickets = yield from reserving(scope.current().budgets, self.request)
        response: Response | None = None
        try:
            response = yield Do(now, later)
            return response  # type: ignore[return-value]
        finally:
            for spender, ticket in tickets:
                spender.settle(ticket, response)


def with_threads(model: Model, count: int, at_once: int) -> list[BaseException]:
    outcome = bounded_map(lambda _: drive(model.ask()), range(count), num_threads=at_once)
    return [failure.error for failure in outcome.failures]


def with_coroutines(model: Model, count: int, at_once: int) -> list[BaseException]:
    outcome = asyncio.run(abounded_map(lambda _: adrive(model.ask()), range(count), limit=at_once))
    return [failure.error for failure in outcome.failures]


both = pytest.mark.parametrize("form", [with_threads, with_coroutines])
Form = Callable[[Model, int, int], list[BaseException]]


@both
@pytest.mark.parametrize("at_once", [1, 4, 32])
def test_calls_hold_exactly(form: Form, at_once: int) -> None:
    model = Model()
    with budget(calls=37) as spending:
        errors = form(model, 100, at_once)
    assert (model.calls, spending.spent.calls, len(errors)) == (37, 37, 63)
    assert all(isinstance(error, BudgetExceededError) for error in errors)


@both
@pytest.mark.parametrize("at_once", [1, 4, 32])
def test_tokens_hold_exactly_and_are_used_to_the_last_call_that_fits(form: Form, at_once: int) -> None:
    model = Model()
    with budget(tokens=5_000) as spending:
        errors = form(model, 60, at_once)
    assert errors
    assert spending.spent.tokens == model.tokens <= 5_000
    assert model.tokens > 5_000 - 152  # another call might have taken more than was left


@both
def test_dollars_hold_exactly(form: Form) -> None:
    model = Model()
    with budget(usd=0.001) as spending:
        errors = form(model, 60, 16)
    assert errors
    assert 0.001 - 60e-6 < spending.spent.usd <= 0.001
    assert spending.spent.usd == pytest.approx(
        100 * model.calls * 0.15e-6 + (model.tokens - 100 * model.calls) * 0.6e-6
    )


@both
def test_without_max_tokens_the_longest_answer_so_far_is_expected(form: Form) -> None:
    model = Model(max_tokens=None)
    with budget(tokens=20_000) as spending:
        assert form(model, 300, 8)
    assert spending.spent.tokens == model.tokens
    assert 19_000 < model.tokens < 20_000 + 8 * 300


@settings(max_examples=20, deadline=None)
@given(
    tokens=st.integers(0, 4_000),
    calls=st.integers(0, 30),
    at_once=st.integers(1, 16),
    outer=st.integers(0, 3_000),
)
def test_nested_budgets_all_hold(tokens: int, calls: int, at_once: int, outer: int) -> None:
    model = Model(seconds=0)
    with budget(tokens=outer) as whole, budget(tokens=tokens, calls=calls) as part:
        errors = with_coroutines(model, 40, at_once)
    assert len(errors) + model.calls == 40
    assert model.calls == whole.spent.calls == part.spent.calls <= calls
    assert model.tokens == whole.spent.tokens == part.spent.tokens <= min(tokens, outer)


def test_budgets_nested_both_ways_round_do_not_wait_for_each_other() -> None:
    model = Model(seconds=0.0005)
    one, other = budget(tokens=60_000), budget(tokens=60_000)

    def work(number: int) -> None:
        first, second = (one, other) if number % 2 else (other, one)
        with first, second:
            drive(model.ask())

    began = time.monotonic()
    outcome = bounded_map(work, range(300), num_threads=16)
    assert outcome.failures == []
    assert time.monotonic() - began < 20
    assert one.spent.calls == other.spent.calls == 300


def test_a_refused_call_costs_the_outer_budget_nothing() -> None:
    model = Model(seconds=0)
    with budget(calls=10) as outer:
        with budget(calls=2):
            assert len(with_threads(model, 8, 4)) == 6
        assert outer.spent.calls == 2
        assert with_threads(model, 8, 4) == []
    assert outer.spent.calls == 10


def test_a_call_waits_for_those_in_flight_rather_than_fail() -> None:
    model = Model(seconds=0.05)  # takes at most 151 of which about 125 are used
    with budget(tokens=1_000) as spending:
        errors = with_threads(model, 6, 6)  # 6 * 151 fit
        more = with_threads(model, 2, 2)
    assert errors == []
    assert len(more) <= 1
    assert spending.spent.tokens <= 1_000


def test_time_holds_and_ends_the_waiting_too() -> None:
    model = Model(seconds=0.3)
    with budget(seconds=0.2, tokens=160):
        errors = with_threads(model, 4, 4)  # one goes; the others wait for it until the time is over
        assert len(errors) == 3
        assert all("0.2 seconds" in str(error) for error in errors)
        with pytest.raises(BudgetExceededError, match=r"0\.2 seconds is used up"):
            drive(model.ask())


def test_the_refusal_says_what_was_spent() -> None:
    model = Model(seconds=0)
    with budget(calls=2, tokens=10_000, usd=1.5, seconds=60):
        drive(model.ask())
        drive(model.ask())
        with pytest.raises(BudgetExceededError) as caught:
            drive(model.ask())
    error = caught.value
    assert error.caps == {"calls": 2, "tokens": 10_000, "usd": 1.5, "seconds": 60}
    assert (error.spent["calls"], error.spent["tokens"]) == (2, model.tokens)
    assert error.spent["usd"] > 0
    said = rf"The budget of 2 calls is used up\. Spent: 2 calls, {model.tokens} tokens, \$0\.0001, \d+\.\d s"
    assert re.match(said, str(error))


def test_a_call_that_can_never_fit_is_refused_with_the_reason() -> None:
    model = Model(prompt=1000)
    with (
        budget(tokens=500) as spending,
        pytest.raises(BudgetExceededError, match=r"up to 1,051 tokens.*max_tokens"),
    ):
        drive(model.ask())
    assert spending.spent.calls == 0


def test_a_failed_call_counts_as_a_call_and_frees_its_tokens() -> None:
    request = Request("openai/gpt-4o-mini", prompt="abc", params={"max_tokens": 400})
    with budget(calls=3, tokens=500) as spending:
        for _ in range(3):
            spending.settle(spending.reserve(request), None)
        assert (spending.spent.calls, spending.spent.tokens) == (3, 0)
        with pytest.raises(BudgetExceededError, match="3 calls"):
            spending.reserve(request)


def test_settling_twice_does_nothing() -> None:
    model = Model()
    with budget(tokens=1_000) as spending:
        ticket = spending.reserve(model.request)
        spending.settle(ticket, Response((Choice("x"),), Usage(10, 10)))
        spending.settle(ticket, Response((Choice("x"),), Usage(10, 10)))
    assert spending.spent.tokens == 20


def test_an_answer_without_usage_is_estimated_rather_than_free() -> None:
    with budget(tokens=1_000) as spending:
        ticket = spending.reserve(Request("local/m", prompt="abc" * 100, params={"max_tokens": 5}))
        spending.settle(ticket, Response((Choice("xyz" * 4),)))
    assert spending.spent.tokens == 101 + 4


def test_a_known_cost_is_booked_and_an_unknown_one_is_said_to_be_unknown() -> None:
    request = Request("somewhere/model", prompt="x")
    with budget(calls=5) as spending:
        spending.settle(spending.reserve(request), Response((Choice("x"),), Usage(1, 1), cost=0.25))
        spending.settle(spending.reserve(request), Response((Choice("x"),), Usage(1, 1), cost=None))
    assert (spending.spent.usd, spending.spent.unknown_cost_calls) == (0.25, 1)
    assert "$0.2500 and 1 calls of unknown price" in str(spending.spent)


def test_dollars_of_a_model_without_a_price_are_refused_at_the_first_call() -> None:
    request = Request("somewhere/model", prompt="x")
    with budget(usd=1) as spending:
        with pytest.raises(BudgetExceededError, match=r"price of somewhere/model is not known.*ignore"):
            spending.reserve(request)
        assert spending.spent.calls == 0
    with budget(usd=1, unknown_cost="ignore") as spending:
        spending.settle(spending.reserve(request), Response((Choice("x"),), Usage(1, 1)))
    assert (spending.spent.calls, spending.spent.usd, spending.spent.unknown_cost_calls) == (1, 0.0, 1)


def test_local_models_fit_any_budget_in_dollars() -> None:
    request = Request("local/smollm2-135m", prompt="x")
    with budget(usd=0) as spending:
        spending.settle(spending.reserve(request), Response((Choice("x"),), Usage(1000, 1000)))
    assert spending.spent.usd == 0


def test_outside_the_block_nothing_is_counted() -> None:
    model = Model(seconds=0)
    with budget(calls=5) as spending:
        drive(model.ask())
    drive(model.ask())
    assert spending.spent.calls == 1
    seconds = spending.spent.seconds
    time.sleep(0.02)
    assert spending.spent.seconds == seconds


def test_entered_again_it_goes_on() -> None:
    model = Model(seconds=0)
    spending = budget(calls=3)
    for _ in range(2):
        with spending:
            drive(model.ask())
    with spending, spending:  # twice around one call: once
        drive(model.ask())
        with pytest.raises(BudgetExceededError):
            drive(model.ask())
    assert scope.current().budgets == ()


async def test_async_with() -> None:
    model = Model(seconds=0)
    async with telic.budget(calls=1) as spending:
        await adrive(model.ask())
        with pytest.raises(BudgetExceededError):
            await adrive(model.ask())
    assert spending.spent.calls == 1


async def test_one_budget_in_many_tasks() -> None:
    model = Model()
    spending = budget(calls=10)

    async def work() -> None:
        async with spending:
            await adrive(model.ask())

    outcomes = await asyncio.gather(*(work() for _ in range(30)), return_exceptions=True)
    assert sum(isinstance(outcome, BudgetExceededError) for outcome in outcomes) == 20
    assert scope.current().budgets == ()


async def test_a_cancelled_call_gives_its_room_back() -> None:
    slow, model = Model(seconds=60), Model()
    async with budget(tokens=200):
        task = asyncio.create_task(adrive(slow.ask()))
        await asyncio.sleep(0.01)
        waiting = asyncio.create_task(adrive(model.ask()))
        await asyncio.sleep(0.01)
        assert not waiting.done()
        task.cancel()
        await waiting


async def test_a_blocking_call_on_a_loop_never_waits_for_that_loop() -> None:
    slow, model = Model(seconds=0.05), Model()
    async with budget(tokens=200):
        task = asyncio.create_task(adrive(slow.ask()))
        await asyncio.sleep(0.01)
        with pytest.raises(BudgetExceededError, match="in flight"):
            drive(model.ask())
        await task


def test_an_error_of_the_model_is_not_swallowed() -> None:
    def fail() -> Response:
        raise LMServerError("down")

    def ask() -> Steps[Response]:
        tickets = yield from reserving(scope.current().budgets, Model().request)
        try:
            return (yield Do(fail, None))  # type: ignore[arg-type]
        finally:
            for spender, ticket in tickets:
                spender.settle(ticket, None)

    with budget(tokens=1_000, calls=1) as spending, pytest.raises(LMServerError):
        drive(ask())
    assert spending.spent.calls == 1


def test_a_spender_of_ones_own() -> None:
    class Own:
        log: list[Any] = []

        def reserve(self, request: Request) -> str:
            self.log.append("reserve")
            return "ticket"

        def settle(self, ticket: str, response: Response | None) -> None:
            self.log.append((ticket, response is not None))

    own = Own()
    with scope.within(budgets=(own,)), budget(calls=1):
        drive(Model().ask())
        with pytest.raises(BudgetExceededError):
            drive(Model().ask())
    assert own.log == ["reserve", ("ticket", True)]


@pytest.mark.parametrize(
    "caps", [{}, {"calls": -1}, {"tokens": "many"}, {"usd": float("nan")}, {"calls": True}, {"seconds": -0.1}]
)
def test_caps_that_cannot_be(caps: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        budget(**caps)
    with pytest.raises(InputError):
        budget(calls=1, unknown_cost="perhaps")  # type: ignore[arg-type]


def test_the_name_is_a_function_whichever_way_the_package_was_loaded() -> None:
    for first in ("", "import telic.budget.prices", "from telic.budget import budget"):
        done = run_script(f"{first}\nimport telic\nprint(type(telic.budget(calls=1)).__name__)")
        assert done.stdout == "Budget\n", done.stderr
    assert isinstance(telic.budget(calls=1), Budget)


def test_no_lock_crosses_a_fork() -> None:
    done = run_script(
        """
        import os
        from telic.budget import admission, budget
        from telic.types import Request

        with admission.LOCK:
            child = os.fork()
            if child == 0:
                with budget(calls=1) as spending:
                    spending.reserve(Request("local/m", prompt="x"))
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0
        """
    )
    assert done.returncode == 0, done.stderr


@given(st.text(max_size=300))
def test_the_estimate_of_a_prompt_is_at_least_a_third_of_its_bytes(text: str) -> None:
    size = len(text.encode("utf-8", "surrogatepass"))
    assert estimate.prompt_tokens(Request("m", prompt=text)) >= size / 3
    message = {
        "role": "user",
        "content": [{"type": "text", "text": text}, {"type": "image_url", "image_url": {}}],
    }
    assert estimate.prompt_tokens(Request("m", messages=[message])) >= 1000 + size / 3


@pytest.mark.parametrize(
    ("params", "most"),
    [({}, None), ({"max_tokens": 5}, 5), ({"max_tokens": 5, "n": 3}, 15), ({"max_completion_tokens": 7}, 7)],
)
def test_the_most_an_answer_can_have(params: dict[str, Any], most: int | None) -> None:
    assert estimate.answer_cap(Request("m", prompt="", params=params)) == most
