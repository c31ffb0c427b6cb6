"""`configure`, `context`, the scope and what hangs on it mean the same wherever code runs.

Each test puts a fact in place, goes to every place of `places.PLACES`, and looks.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import telic
from telic.runtime import scope
from telic.runtime.settings import configure, context, settings
from telic.runtime.usage import track_usage
from telic.types import Choice, Request, Response, Usage
from tests.runtime.places import BARE, PLACES, Place, can_go_on

everywhere = pytest.mark.parametrize("place", PLACES + BARE, ids=lambda place: place.__name__)
wherever_the_context_goes = pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
from_place_to_place = pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(first, second, id=f"{first.__name__}-{second.__name__}")
        for first in PLACES
        for second in PLACES
        if can_go_on(first, second)
    ],
)


def threads() -> int:
    return settings.num_threads  # type: ignore[no-any-return]


@everywhere
def test_configure_is_seen(place: Place) -> None:
    configure(num_threads=31)
    assert place(threads) == 31


@wherever_the_context_goes
def test_context_is_seen(place: Place) -> None:
    configure(num_threads=31)
    with context(num_threads=32):
        assert place(threads) == 32
        with context(max_errors=5):
            assert place(lambda: (threads(), settings.max_errors)) == (32, 5)
        assert place(lambda: (threads(), settings.max_errors)) == (32, 10)
    assert place(threads) == 31


@everywhere
def test_a_context_ends_where_it_was_begun(place: Place) -> None:
    def inside() -> tuple[int, int]:
        with context(num_threads=33):
            return threads(), here_again()

    def here_again() -> int:
        return threads()

    configure(num_threads=31)
    assert place(inside) == (33, 33)
    assert threads() == 31
    assert place(threads) == 31


@everywhere
def test_configure_called_there_is_seen_here(place: Place) -> None:
    def there() -> int:
        configure(num_threads=34)
        return threads()

    assert place(there) == 34
    assert threads() == 34


@wherever_the_context_goes
def test_a_blocks_choices_win_over_configure_until_it_ends(place: Place) -> None:
    def there() -> int:
        configure(num_threads=35)
        return threads()

    with context(num_threads=32):
        assert place(there) == 32
        assert threads() == 32
    assert threads() == 35


@wherever_the_context_goes
def test_reset_there_is_seen_here(place: Place) -> None:
    configure(num_threads=36)
    place(settings.reset)
    assert threads() == 8


@wherever_the_context_goes
def test_the_scope_goes_along(place: Place) -> None:
    trace: list[Any] = []
    with scope.within(trace=trace, rollout_id=7):
        place(lambda: scope.current().trace.append(scope.current().rollout_id))  # type: ignore[union-attr]
    assert trace == [7]
    assert scope.current() is scope.ROOT


@from_place_to_place
def test_two_steps_away_it_is_the_same(first: Place, second: Place) -> None:
    def there() -> tuple[int, int, Any]:
        return threads(), settings.max_errors, scope.current().rollout_id

    def half_way() -> Any:
        with context(max_errors=4):
            return second(there), there()

    configure(max_errors=3)
    with context(num_threads=9), scope.within(rollout_id="r"):
        assert first(half_way) == ((9, 4, "r"), (9, 4, "r"))
        assert there() == (9, 3, "r")


@wherever_the_context_goes
def test_a_scope_entered_there_does_not_come_back(place: Place) -> None:
    def there() -> Any:
        with scope.within(rollout_id=8):
            return scope.current().rollout_id

    assert place(there) == 8
    assert scope.current().rollout_id is None


@wherever_the_context_goes
def test_usage_is_counted(place: Place) -> None:
    request = Request("openai/gpt-4o", prompt="hello")
    response = Response((Choice("hi"),), Usage(3, 2), cost=0.5)

    def there() -> None:
        for sink in scope.current().sinks:
            sink.add(request, response)

    with track_usage() as outer:
        place(there)
        with track_usage() as inner:
            place(there)
    assert (outer.calls, inner.calls) == (2, 1)
    assert outer.get_total_tokens()["openai/gpt-4o"]["total_tokens"] == 10
    assert outer.cost == 1.0


@wherever_the_context_goes
def test_budgets_are_in_force(place: Place) -> None:
    request = Request("openai/gpt-4o", prompt="hello")

    def there() -> None:
        for spender in scope.current().budgets:
            spender.settle(spender.reserve(request), None)

    with telic.budget(calls=2) as spending:
        place(there)
        place(there)
        with pytest.raises(telic.BudgetExceededError, match="2 calls"):
            place(there)
    assert spending.spent.calls == 2
    place(there)


async def test_tasks_side_by_side_do_not_see_each_other() -> None:
    async def one(number: int) -> list[int]:
        seen = []
        with context(num_threads=number):
            for _ in range(5):
                await asyncio.sleep(0.001)
                seen.append(threads())
                seen.append(await asyncio.to_thread(threads))
        return seen

    for number, seen in zip(range(1, 9), await asyncio.gather(*map(one, range(1, 9))), strict=True):
        assert set(seen) == {number}
    assert threads() == 8


def test_threads_side_by_side_do_not_see_each_other() -> None:
    from telic.runtime.executor import bounded_map
    from telic.runtime.portal import run

    async def look() -> int:
        await asyncio.sleep(0.001)
        return threads()

    def one(number: int) -> set[int]:
        with context(num_threads=number):
            return {threads(), run(look()), threads()}

    assert bounded_map(one, range(1, 40), num_threads=8).results == [{number} for number in range(1, 40)]


async def test_a_generator_closed_elsewhere_leaves_no_trace() -> None:
    async def numbers() -> Any:
        with context(num_threads=77):
            yield 1
            yield 2

    stream = numbers()
    assert await asyncio.create_task(anext(stream)) == 1
    await asyncio.create_task(stream.aclose())
    assert threads() == 8
