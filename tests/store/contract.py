"""What every store must do; derive a class and say how to make one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from telic.store.base import Store

CALL: dict[str, Any] = {
    "request": {
        "model": "openai/gpt-4o",
        "endpoint": "https://api",
        "messages": [{"role": "user", "content": "hé"}],
    },
    "response": {
        "choices": [{"text": "ja\n\u2028\x00", "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4},
        "model": "gpt-4o",
        "cost": 0.25,
        "latency": 0.1,
    },
    "time": 1000.5,
}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


class StoreContract:
    """Give the fixture `store`: empty, and closed afterwards."""

    @pytest.fixture
    def store(self) -> Iterator[Store]:
        raise NotImplementedError

    def test_what_is_put_is_got(self, store: Store) -> None:
        assert store.get("calls", "k") is None
        store.put("calls", "k", CALL)
        assert store.get("calls", "k") == CALL
        assert store.get("runs", "k") is None

    async def test_what_is_put_from_a_loop_is_got(self, store: Store) -> None:
        await store.aput("runs", "r", {"kind": "compile", "state": "running"})
        assert store.get("runs", "r") == {"kind": "compile", "state": "running"}

    def test_a_second_put_replaces(self, store: Store) -> None:
        store.put("calls", "k", CALL)
        store.put("calls", "k", {"request": {}, "response": {}})
        assert store.get("calls", "k") == {"request": {}, "response": {}}
        assert store.stats()["calls"] == 1

    def test_a_row_is_the_callers_own(self, store: Store) -> None:
        row = {"list": [1]}
        store.put("runs", "r", row)
        row["list"].append(2)
        first = store.get("runs", "r")
        assert first == {"list": [1]}
        first["list"].append(3)
        assert store.get("runs", "r") == {"list": [1]}

    def test_a_row_need_not_have_the_usual_parts(self, store: Store) -> None:
        for number, row in enumerate(
            (
                {},
                {"request": None, "response": None},
                {"request": {"model": 5}},
                {"response": {"usage": None}},
            )
        ):
            store.put("calls", str(number), row)
            assert store.get("calls", str(number)) == row

    def test_values_that_json_does_not_know_are_made_plain(self, store: Store) -> None:
        store.put("runs", "r", {"set": {3}, "tuple": (1, 2), "class": dict})
        assert store.get("runs", "r") == {"set": [3], "tuple": [1, 2], "class": "builtins.dict"}

    def test_half_a_surrogate_pair_comes_back(self, store: Store) -> None:
        store.put("calls", "k", {"text": "cut \ud83d"})
        assert store.get("calls", "k") == {"text": "cut \ud83d"}

    def test_the_journal_is_numbered_from_one_in_order(self, store: Store) -> None:
        assert store.append("run", [{"a": 1}, {"a": 2}]) == 2
        assert store.append("run", [{"a": 3}]) == 3
        assert store.append("other", [{"b": 1}]) == 1
        assert list(store.read("run")) == [{"a": 1, "seq": 1}, {"a": 2, "seq": 2}, {"a": 3, "seq": 3}]
        assert list(store.read("run", after=2)) == [{"a": 3, "seq": 3}]
        assert list(store.read("run", after=3)) == []
        assert list(store.read("nothing")) == []

    async def test_the_journal_is_written_from_a_loop(self, store: Store) -> None:
        assert await store.aappend("run", [{"a": 1}]) == 1
        assert await store.aappend("run", [{"a": 2}, {"a": 3}]) == 3

    def test_appending_nothing_changes_nothing(self, store: Store) -> None:
        assert store.append("run", []) == 0
        store.append("run", [{"a": 1}])
        assert store.append("run", []) == 1

    def test_a_long_journal(self, store: Store) -> None:
        for start in range(0, 1000, 100):
            store.append("run", [{"n": n} for n in range(start, start + 100)])
        assert [event["n"] for event in store.read("run")] == list(range(1000))
        assert [event["seq"] for event in store.read("run", after=555)] == list(range(556, 1001))

    def test_writing_while_reading(self, store: Store) -> None:
        store.append("run", [{"n": n} for n in range(500)])
        seen = 0
        for event in store.read("run"):
            seen += 1
            if event["n"] == 100:
                store.put("calls", "k", CALL)
                store.append("run", [{"n": 500}])
        assert seen >= 500

    def test_a_scan_is_newest_first(self, store: Store) -> None:
        for number in range(450):
            store.put("calls", f"k{number}", {"number": number})
        store.put("calls", "k7", {"number": 7})
        found = list(store.scan("calls"))
        assert [key for key, _ in found[:3]] == ["k7", "k449", "k448"]
        assert len(found) == 450
        assert found[0][1] == {"number": 7}
        assert len(list(store.scan("calls", limit=3))) == 3
        assert list(store.scan("calls", limit=0)) == []
        assert list(store.scan("runs")) == []

    def test_a_scan_for_a_text(self, store: Store) -> None:
        for number in range(450):
            store.put("calls", f"k{number}", {"say": f"é{number}%_'"})
        assert [key for key, _ in store.scan("calls", contains="é44%_'")] == ["k44"]
        assert [key for key, _ in store.scan("calls", contains="é44", limit=2)] == ["k449", "k448"]
        assert list(store.scan("calls", contains="nowhere")) == []

    def test_delete(self, store: Store) -> None:
        for key in "abc":
            store.put("calls", key, CALL)
            store.put("runs", key, {})
            store.append(key, [{"n": 1}])
        assert store.delete("calls", ["a", "b", "z"]) == 2
        assert [key for key, _ in store.scan("calls")] == ["c"]
        assert store.delete("runs", ["a"]) == 1
        assert list(store.read("a")) == []
        assert len(list(store.read("b"))) == 1
        assert store.delete("calls", []) == 0
        assert store.append("a", [{"n": 1}]) == 1

    def test_stats(self, store: Store) -> None:
        assert [store.stats()[name] for name in ("calls", "runs", "events")] == [0, 0, 0]
        store.put("calls", "k", CALL)
        store.put("runs", "r", {})
        store.append("r", [{}, {}])
        stats = store.stats()
        assert [stats[name] for name in ("calls", "runs", "events")] == [1, 1, 2]
        assert stats["bytes"] > 100
        assert "path" in stats

    def test_closed_it_opens_again(self, store: Store) -> None:
        store.put("calls", "k", CALL)
        store.close()
        store.close()
        assert store.get("calls", "k") == CALL
        store.close()
        store.put("calls", "l", CALL)
        assert store.stats()["calls"] == 2

    def test_many_threads(self, store: Store) -> None:
        errors: list[Exception] = []

        def work(name: int) -> None:
            try:
                for number in range(40):
                    key = f"{name}-{number}"
                    store.put("calls", key, {"key": key})
                    assert store.get("calls", key) == {"key": key}
                    store.append("run", [{"key": key}])
            except Exception as error:  # noqa: BLE001 - shown below
                errors.append(error)

        threads = [threading.Thread(target=work, args=(name,)) for name in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert errors == []
        assert store.stats()["calls"] == 480
        assert [event["seq"] for event in store.read("run")] == list(range(1, 481))

    async def test_many_tasks_and_threads(self, store: Store) -> None:
        async def work(name: int) -> None:
            for number in range(20):
                key = f"{name}-{number}"
                await store.aput("calls", key, {"key": key})
                assert store.get("calls", key) == {"key": key}
                await store.aappend(f"run{name % 3}", [{"key": key}])

        def block() -> None:
            for number in range(100):
                store.put("calls", f"thread-{number}", {})

        await asyncio.gather(*map(work, range(40)), asyncio.to_thread(block), asyncio.to_thread(block))
        assert store.stats()["calls"] == 900
        assert sum(len(list(store.read(f"run{n}"))) for n in range(3)) == 800

    async def test_a_cancelled_writer_does_no_harm(self, store: Store) -> None:
        for _ in range(20):
            tasks = [asyncio.create_task(store.aput("calls", f"k{n}", {"n": n})) for n in range(20)]
            await asyncio.sleep(0)
            for task in tasks[::2]:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        assert all(store.get("calls", f"k{n}") == {"n": n} for n in range(1, 20, 2))

    def test_any_json_comes_back_as_it_was(self, store: Store) -> None:
        @settings(max_examples=40, deadline=None)
        @given(st.dictionaries(st.text(), json_values, max_size=4))
        def comes_back(row: dict[str, Any]) -> None:
            store.put("runs", "r", row)
            assert store.get("runs", "r") == row
            last = store.append("j", [row])
            assert list(store.read("j", after=last - 1)) == [{**row, "seq": last}]

        comes_back()
