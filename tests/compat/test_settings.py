"""Settings in DSPy's terms: defaults, overlays, threads and tasks."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.compat.target import dspy


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("lm", None),
        ("adapter", None),
        ("rm", None),
        ("trace", []),
        ("callbacks", []),
        ("num_threads", 8),
        ("max_errors", 10),
        ("track_usage", False),
        ("provide_traceback", False),
        ("disable_history", False),
        ("max_history_size", 10_000),
        ("max_trace_size", 10_000),
        ("async_max_workers", 8),
        ("allow_tool_async_sync_conversion", False),
        ("warn_on_type_mismatch", True),
        ("send_stream", None),
        ("stream_listeners", []),
        ("interpreter_factory", None),
    ],
)
def test_defaults(name: str, value: Any) -> None:
    assert dspy.settings.get(name) == value
    assert getattr(dspy.settings, name) == value
    assert dspy.settings[name] == value


def test_configure() -> None:
    dspy.configure(num_threads=3)
    assert dspy.settings.num_threads == 3


def test_configure_by_the_object() -> None:
    dspy.settings.configure(num_threads=3)
    assert dspy.settings.num_threads == 3


def test_settings_of_ones_own() -> None:
    dspy.configure(mine="x")
    assert dspy.settings.mine == "x"
    assert "mine" in dspy.settings


def test_an_unknown_setting() -> None:
    with pytest.raises(AttributeError):
        _ = dspy.settings.nothing_of_the_kind
    assert dspy.settings.get("nothing_of_the_kind", 5) == 5
    assert "nothing_of_the_kind" not in dspy.settings


def test_attributes_and_items_can_be_set() -> None:
    dspy.settings.num_threads = 2
    assert dspy.settings["num_threads"] == 2
    dspy.settings["num_threads"] = 5
    assert dspy.settings.num_threads == 5


def test_a_context_is_an_overlay() -> None:
    dspy.configure(num_threads=3)
    with dspy.context(num_threads=1):
        assert dspy.settings.num_threads == 1
    assert dspy.settings.num_threads == 3


def test_contexts_nest() -> None:
    with dspy.context(mark=1):
        with dspy.context(mark=2, other=3):
            assert (dspy.settings.mark, dspy.settings.other) == (2, 3)
        assert dspy.settings.mark == 1
        assert "other" not in dspy.settings


def test_a_context_ends_with_an_error() -> None:
    with pytest.raises(KeyError), dspy.context(num_threads=1):
        raise KeyError
    assert dspy.settings.num_threads == 8


def test_a_context_by_the_object() -> None:
    with dspy.settings.context(num_threads=1):
        assert dspy.settings.num_threads == 1


def test_copy_and_config() -> None:
    with dspy.context(mark=1):
        assert dspy.settings.copy()["mark"] == 1
        assert dspy.settings.config["mark"] == 1
    assert "mark" not in dspy.settings.copy()


def test_another_thread_sees_what_was_configured() -> None:
    dspy.configure(mark="set")
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(lambda: dspy.settings.mark).result() == "set"


def test_a_context_is_the_threads_own() -> None:
    dspy.configure(mark="outside")
    with dspy.context(mark="inside"), ThreadPoolExecutor(1) as pool:
        assert pool.submit(lambda: dspy.settings.mark).result() == "outside"


def test_threads_have_contexts_of_their_own() -> None:
    barrier = threading.Barrier(2)

    def work(name: str) -> Any:
        with dspy.context(mark=name):
            barrier.wait(timeout=5)
            return dspy.settings.mark

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(work, ["a", "b"])) == ["a", "b"]


def test_only_the_first_thread_may_configure() -> None:
    dspy.configure(mark=1)
    with ThreadPoolExecutor(1) as pool, pytest.raises(RuntimeError, match="thread"):
        pool.submit(lambda: dspy.configure(mark=2)).result()


def test_another_thread_may_be_the_first() -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: dspy.configure(mark=2)).result()
    assert dspy.settings.mark == 2


async def test_only_the_first_task_may_configure() -> None:
    async def configure() -> None:
        dspy.configure(mark=1)

    dspy.configure(mark=0)
    with pytest.raises(RuntimeError, match="task"):
        await asyncio.create_task(configure())


async def test_tasks_have_contexts_of_their_own() -> None:
    async def work(name: str) -> Any:
        with dspy.context(mark=name):
            await asyncio.sleep(0.01)
            return dspy.settings.mark

    assert await asyncio.gather(work("a"), work("b"), work("c")) == ["a", "b", "c"]


async def test_a_task_inherits_the_context() -> None:
    async def inner() -> Any:
        return dspy.settings.mark

    with dspy.context(mark="outer"):
        assert await asyncio.create_task(inner()) == "outer"


def test_settings_can_be_saved(tmp_path: Path) -> None:
    path = str(tmp_path / "settings.pkl")
    dspy.configure(mark=[1, 2], num_threads=3)
    dspy.settings.save(path)
    with pytest.raises(ValueError, match="allow_pickle"):
        dspy.load_settings(path)
    loaded = dspy.load_settings(path, allow_pickle=True)
    assert (loaded["mark"], loaded["num_threads"]) == ([1, 2], 3)


def test_some_settings_can_be_left_out(tmp_path: Path) -> None:
    path = str(tmp_path / "settings.pkl")
    dspy.configure(mark=1)
    dspy.settings.save(path, exclude_keys=["mark"])
    assert "mark" not in dspy.settings.load(path, allow_pickle=True)
