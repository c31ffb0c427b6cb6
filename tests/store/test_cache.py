"""The record as LMs see it: memory in front, durable before return, which store is in force."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

import telic
from telic.errors import InputError, StoreError
from telic.store.cache import CallRecord, ResponseMemory
from telic.store.default import call_record, configure_cache, default_store
from telic.store.home import home
from telic.store.memory import MemoryStore
from telic.store.sqlite import SqliteStore
from telic.types import Choice, Request, Response, Usage

REQUEST = Request("openai/gpt-4o", "https://api", messages=[{"role": "user", "content": "hi"}])
RESPONSE = Response(
    (Choice("hello", reasoning="because", logprobs=[{"token": "hello", "logprob": -0.1}]),),
    Usage(3, 1, 2),
    "gpt-4o-2024",
    0.01,
    0.5,
    raw=object(),
)


def without_raw(response: Response) -> dict[str, Any]:
    return response.to_json()


class CountingStore(MemoryStore):
    gets = puts = 0

    def get(self, table: Any, key: str) -> dict[str, Any] | None:
        self.gets += 1
        return super().get(table, key)

    def put(self, table: Any, key: str, row: Any) -> None:
        self.puts += 1
        super().put(table, key, row)


def test_a_recorded_answer_comes_back_as_cached() -> None:
    record = CallRecord(CountingStore())
    assert record.lookup(REQUEST.key) is None
    record.record(REQUEST, RESPONSE)
    known = record.lookup(REQUEST.key)
    assert known is not None
    assert known.cached
    assert known.raw is None
    assert without_raw(known) == without_raw(RESPONSE)
    assert not RESPONSE.cached


async def test_recorded_from_a_loop() -> None:
    record = CallRecord(CountingStore())
    await record.arecord(REQUEST, RESPONSE)
    assert record.lookup(REQUEST.key) is not None


def test_memory_answers_without_the_store_and_without_reading_json_again() -> None:
    store = CountingStore()
    record = CallRecord(store)
    record.record(REQUEST, RESPONSE)
    first = record.lookup(REQUEST.key)
    assert record.lookup(REQUEST.key) is first
    assert store.gets == 0


def test_what_another_process_recorded_is_found_and_remembered() -> None:
    store = CountingStore()
    CallRecord(store).record(REQUEST, RESPONSE)
    record = CallRecord(store)
    found = record.lookup(REQUEST.key)
    assert found is not None
    assert found.cached
    assert record.lookup(REQUEST.key) is found
    assert store.gets == 1


def test_an_absent_answer_is_looked_for_each_time() -> None:
    store = CountingStore()
    record = CallRecord(store)
    assert [record.lookup("k"), record.lookup("k")] == [None, None]
    assert store.gets == 2


def test_the_stored_row_has_request_response_and_time() -> None:
    store = MemoryStore()
    CallRecord(store).record(REQUEST, RESPONSE)
    row = store.get("calls", REQUEST.key)
    assert row is not None
    assert row["request"] == REQUEST.to_json()
    assert row["response"] == RESPONSE.to_json()
    assert row["time"] > 1e9


def test_forget() -> None:
    record = CallRecord(MemoryStore())
    record.record(REQUEST, RESPONSE)
    record.forget(REQUEST.key)
    assert record.lookup(REQUEST.key) is None


def test_nothing_is_remembered_that_could_not_be_stored() -> None:
    class Full(MemoryStore):
        def put(self, table: Any, key: str, row: Any) -> None:
            raise StoreError("full")

    record = CallRecord(Full())
    with pytest.raises(StoreError):
        record.record(REQUEST, RESPONSE)
    assert record.lookup(REQUEST.key) is None


def test_without_memory_every_look_goes_to_the_store() -> None:
    store = CountingStore()
    record = CallRecord(store, memory_bytes=0)
    record.record(REQUEST, RESPONSE)
    record.lookup(REQUEST.key)
    record.lookup(REQUEST.key)
    assert store.gets == 2
    assert len(record.memory) == 0


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 20_000), st.booleans()), max_size=200))
def test_memory_never_holds_more_than_its_cap(steps: list[tuple[int, int, bool]]) -> None:
    memory = ResponseMemory(50_000)
    for key, size, look in steps:
        if look:
            memory.get(str(key))
        else:
            memory.put(str(key), RESPONSE, size)
        assert 0 <= memory.bytes <= 50_000
        assert (memory.bytes == 0) == (len(memory) == 0)
    memory.clear()
    assert (memory.bytes, len(memory)) == (0, 0)


def test_the_least_recently_used_goes_first() -> None:
    memory = ResponseMemory(4_500)
    for key in "abc":
        memory.put(key, RESPONSE, 500)
    memory.get("a")
    memory.put("d", RESPONSE, 500)
    assert [key for key in "abcd" if memory.get(key)] == ["a", "c", "d"]


def test_what_memory_takes_is_about_what_it_says() -> None:
    import tracemalloc

    record = CallRecord(None, memory_bytes=2_000_000)
    tracemalloc.start()
    for number in range(3000):
        request = Request("openai/m", "https://api", prompt=f"question {number}")
        record.record(
            request, Response((Choice(f"{number} " + "y" * 500),), Usage(3, 1), "m" + str(number), 0.1)
        )
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert record.memory.bytes <= 2_000_000
    assert 0.5 < taken / record.memory.bytes < 1.3


def test_the_default_is_a_file_under_telic_home() -> None:
    store = default_store()
    assert isinstance(store, SqliteStore)
    assert store.path == home() / "store.db"
    assert default_store() is store
    assert call_record() is call_record()
    assert call_record().store is store


def test_telic_home_is_read_when_it_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELIC_HOME", str(tmp_path / "there"))
    assert default_store().stats()["path"] == str(tmp_path / "there" / "store.db")
    monkeypatch.delenv("TELIC_HOME")
    assert home() == Path.home() / ".telic"
    default_store()  # naming it does not make it


def test_settings_choose_the_store(tmp_path: Path) -> None:
    mine = MemoryStore()
    with telic.context(store=mine):
        assert default_store() is mine
        assert call_record().store is mine
        assert call_record() is call_record()
    with telic.context(store=str(tmp_path / "other.db")):
        assert default_store().stats()["path"] == str(tmp_path / "other.db")
    record = CallRecord(mine)
    with telic.context(store=record):
        assert call_record() is record
        assert default_store() is mine


def test_configure_cache(tmp_path: Path) -> None:
    try:
        configure_cache(enable_disk_cache=False)
        call_record().record(REQUEST, RESPONSE)
        assert call_record().lookup(REQUEST.key) is not None
        assert not (home() / "store.db").exists()

        configure_cache(enable_disk_cache=False, enable_memory_cache=False)
        call_record().record(REQUEST, RESPONSE)
        assert call_record().lookup(REQUEST.key) is None

        configure_cache(enable_memory_cache=False, disk_cache_dir=tmp_path)
        call_record().record(REQUEST, RESPONSE)
        assert os.listdir(tmp_path)
        assert call_record().lookup(REQUEST.key) is not None
        assert len(call_record().memory) == 0

        configure_cache(disk_cache_dir=tmp_path, disk_size_limit_bytes=0)
        assert call_record().lookup(REQUEST.key) is None
        default_store().close()

        with pytest.raises(InputError):
            configure_cache(memory_max_bytes=-1)
    finally:
        configure_cache()
