"""The collector's threshold goes up with the calls in flight, and comes back."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from telic.runtime.collector import expecting
from telic.runtime.executor import abounded_map


@pytest.fixture(autouse=True)
def usual() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(700, 10, 10)
    yield
    gc.set_threshold(*before)


def test_blocks_add_up_and_leave_nothing_behind() -> None:
    with expecting(10):
        once = gc.get_threshold()[0]
        with expecting(10):
            assert gc.get_threshold()[0] - once == once - 700 > 0
        assert gc.get_threshold() == (once, 10, 10)
    assert gc.get_threshold() == (700, 10, 10)


def test_what_the_user_sets_meanwhile_stays() -> None:
    with expecting(10):
        gc.set_threshold(5_000, 20, 20)
    assert gc.get_threshold() == (5_000, 20, 20)
    with expecting(10):
        assert gc.get_threshold()[0] > 5_000
    assert gc.get_threshold() == (5_000, 20, 20)


def test_a_collector_that_is_off_stays_off() -> None:
    gc.set_threshold(0, 10, 10)
    with expecting(10):
        assert gc.get_threshold()[0] == 0
    assert gc.get_threshold()[0] == 0


async def test_a_map_that_is_stopped_gives_it_back() -> None:
    seen: list[int] = []

    async def work(item: int) -> None:
        seen.append(gc.get_threshold()[0])
        raise KeyboardInterrupt if item == 3 else ValueError

    with pytest.raises(KeyboardInterrupt):
        await abounded_map(work, range(10), limit=2)
    assert min(seen) > 700
    assert gc.get_threshold() == (700, 10, 10)
