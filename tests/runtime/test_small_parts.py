"""Seeded streams, usage, steps, settings."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given, strategies as st

from telic.errors import InputError
from telic.runtime.executor import bounded_map
from telic.runtime.portal import run
from telic.runtime.rng import rng
from telic.runtime.settings import DEFAULTS, settings
from telic.runtime.steps import Do, Steps, adrive, drive
from telic.runtime.usage import UsageTracker, track_usage
from telic.types import Choice, Request, Response, Usage
from tests.runtime.scripts import run_script


def test_the_same_purpose_gives_the_same_stream_in_every_process() -> None:
    code = "from telic.runtime.rng import rng; print([rng(3, 'order', n).random() for n in range(3)])"
    streams = {run_script(code, PYTHONHASHSEED=seed).stdout for seed in ("1", "2")}
    assert streams == {f"{[rng(3, 'order', n).random() for n in range(3)]}\n"}


@given(st.tuples(st.integers(), st.text(), st.integers()), st.tuples(st.integers(), st.text(), st.integers()))
def test_different_purposes_give_different_streams(one: tuple[Any, ...], other: tuple[Any, ...]) -> None:
    assert (rng(*one).getrandbits(128) == rng(*other).getrandbits(128)) == (one == other)


REQUEST = Request("openai/gpt-4o", prompt="hi")


def test_usage_is_added_up_by_model_and_records_are_free() -> None:
    tracker = UsageTracker()
    tracker.add(REQUEST, Response((Choice("a"),), Usage(10, 5, 4), cost=0.25))
    tracker.add(REQUEST, Response((Choice("a"),), Usage(10, 5), cost=0.25))
    tracker.add(REQUEST, Response((Choice("a"),), Usage(10, 5), cost=0.25, cached=True))
    tracker.add(Request("local/m", prompt=""), Response((Choice("a"),), Usage(1, 1), cost=0.0))
    assert tracker.get_total_tokens() == {
        "openai/gpt-4o": {
            "prompt_tokens": 20,
            "completion_tokens": 10,
            "total_tokens": 30,
            "prompt_tokens_details": {"cached_tokens": 4},
        },
        "local/m": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }
    assert (tracker.calls, tracker.cached_calls, tracker.cost) == (3, 1, 0.5)


def test_an_unknown_cost_makes_the_sum_unknown() -> None:
    tracker = UsageTracker()
    tracker.add(REQUEST, Response((Choice("a"),), cost=1.0))
    tracker.add(REQUEST, Response((Choice("a"),), cost=None))
    assert tracker.cost is None
    assert tracker.known_cost == 1.0


def test_usage_by_hand() -> None:
    tracker = UsageTracker()
    tracker.add_usage("m", {"prompt_tokens": 1, "details": {"audio": 2, "kind": None}, "tier": "low"})
    tracker.add_usage("m", {"prompt_tokens": 4, "details": {"audio": 3}, "tier": "high"})
    tracker.add_usage("n", {})
    assert tracker.get_total_tokens() == {"m": {"prompt_tokens": 5, "details": {"audio": 5}, "tier": "high"}}


def test_usage_is_counted_across_threads_and_tasks_exactly() -> None:
    from telic.runtime import scope

    def call(_: int) -> None:
        for sink in scope.current().sinks:
            sink.add(REQUEST, Response((Choice("a"),), Usage(1, 2)))

    async def acall() -> None:
        await asyncio.sleep(0)
        call(0)

    with track_usage() as usage:
        bounded_map(call, range(500), num_threads=8)
        bounded_map(lambda _: run(acall()), range(100), num_threads=8)
    call(0)
    assert usage.calls == 600
    assert usage.get_total_tokens()["openai/gpt-4o"]["total_tokens"] == 1800


def pipeline(log: list[Any]) -> Steps[str]:
    async def later(value: int) -> int:
        await asyncio.sleep(0)
        return value

    def fail() -> int:
        raise LookupError("no")

    async def afail() -> int:
        raise LookupError("no")

    log.append((yield Do(lambda: 1, lambda: later(1))))
    try:
        yield Do(fail, afail)
    except LookupError:
        log.append("caught")
    log.append((yield Do(lambda: 2, lambda: later(2))))
    yield Do(fail, afail)
    return "unreachable"


async def test_both_drivers_do_the_same() -> None:
    sync_log: list[Any] = []
    async_log: list[Any] = []
    with pytest.raises(LookupError):
        drive(pipeline(sync_log))
    with pytest.raises(LookupError):
        await adrive(pipeline(async_log))
    assert sync_log == async_log == [1, "caught", 2]


def test_a_pipeline_without_steps() -> None:
    def nothing() -> Steps[int]:
        return 5
        yield

    assert drive(nothing()) == 5


def test_settings_read_like_attributes_and_items() -> None:
    settings.num_threads = 3
    settings["max_errors"] = 4
    assert (settings["num_threads"], settings.get("max_errors"), settings.get("nothing", 1)) == (3, 4, 1)
    assert "lm" in settings
    assert "nothing" not in settings
    assert settings.keys() == sorted(DEFAULTS)
    assert settings.config == settings.copy() == {**DEFAULTS, "num_threads": 3, "max_errors": 4}
    assert repr(settings) == "Settings(num_threads=3, max_errors=4)"
    with pytest.raises(AttributeError, match="known"):
        _ = settings.nothing


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        ({"num_thread": 4}, "num_threads"),
        ({"quite_another": 4}, "Known: "),
        ({"num_threads": 0}, "at least 1"),
        ({"num_threads": True}, "at least 1"),
        ({"lm": "openai/gpt-4o"}, r"telic\.LM"),
    ],
)
def test_bad_choices_are_refused_with_the_remedy(choices: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        settings.configure(**choices)
    with pytest.raises(InputError, match=said), settings.context(**choices):
        pass
    assert settings.copy() == dict(DEFAULTS)


def test_lists_of_the_defaults_are_not_shared() -> None:
    settings.callbacks.append("mine")
    assert settings.callbacks == ["mine"]
    settings.reset()
    assert settings.callbacks == []
    assert DEFAULTS["callbacks"] == []
