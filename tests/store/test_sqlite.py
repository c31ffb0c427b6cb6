"""The store in a file: the contract, the columns, and everything that can be wrong with a file."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from telic.errors import StoreError
from telic.runtime.executor import bounded_map
from telic.store import schema
from telic.store.base import Store
from telic.store.sqlite import SqliteStore
from tests.store.contract import CALL, StoreContract


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "er" / "store.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    made = SqliteStore(path)
    yield made
    made.close()


class TestSqliteStore(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        made = SqliteStore(tmp_path / "store.db")
        yield made
        made.close()


class TestSqliteStoreThroughItsWriter(StoreContract):
    """The same, where somebody else is always writing, so that nothing is written directly."""

    @pytest.fixture
    def store(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
        monkeypatch.setattr(SqliteStore, "_try_now", lambda self, write: False)
        made = SqliteStore(tmp_path / "store.db")
        yield made
        made.close()


def query(path: Path, sql: str) -> list[Any]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def test_the_file_can_be_read_with_any_sqlite_tool(store: SqliteStore, path: Path) -> None:
    store.put("calls", "k", CALL)
    store.put("runs", "r", {"kind": "compile", "state": "running", "time": 5})
    store.append("r", [{"kind": "started"}])
    assert query(path, "SELECT model, endpoint, time, prompt_tokens, completion_tokens, cost FROM calls") == [
        ("openai/gpt-4o", "https://api", 1000.5, 3, 1, 0.25)
    ]
    assert query(path, "SELECT kind, state, time FROM runs") == [("compile", "running", 5.0)]
    assert query(path, "SELECT run, seq, row FROM events") == [("r", 1, '{"kind":"started"}')]
    assert "hé" in query(path, "SELECT row FROM calls")[0][0]


def test_an_unknown_cost_is_null(store: SqliteStore, path: Path) -> None:
    store.put("calls", "k", {**CALL, "response": {**CALL["response"], "cost": None}})
    assert query(path, "SELECT cost FROM calls") == [(None,)]


def test_the_ledger(store: SqliteStore) -> None:
    for key in "ab":
        store.put("calls", key, CALL)
    store.put("calls", "c", {**CALL, "response": {**CALL["response"], "cost": None}})
    store.put("calls", "d", {**CALL, "request": {"model": "local/m"}})
    first, second = store.ledger()
    assert (first["model"], first["calls"], first["cost"], first["unknown_cost"]) == (
        "openai/gpt-4o",
        3,
        0.5,
        1,
    )
    assert (first["prompt_tokens"], first["completion_tokens"], first["first"]) == (9, 3, 1000.5)
    assert second["model"] == "local/m"


def test_prune_by_age_and_size(store: SqliteStore) -> None:
    now = time.time()
    for number in range(100):
        store.put("calls", f"k{number:02}", {"time": now - 1000 + 10 * number, "pad": "x" * 1000})
    assert store.prune(older_than=505) == 50
    assert [key for key, _ in store.scan("calls", limit=1)] == ["k99"]
    before = store.stats()["bytes"]
    assert store.prune(max_bytes=10_500) == 40
    assert sorted(key for key, _ in store.scan("calls")) == [f"k{number}" for number in range(90, 100)]
    assert store.prune(max_bytes=0) == 10
    store.close()
    assert store.stats()["bytes"] < before
    assert store.prune(older_than=0) == 0


def test_a_row_of_sixteen_megabytes(store: SqliteStore) -> None:
    row = {"text": "ü" * 8_000_000}
    store.put("calls", "k", row)
    assert store.get("calls", "k") == row


def test_what_one_store_writes_another_sees_at_once(store: SqliteStore, path: Path) -> None:
    other = SqliteStore(path)
    for number in range(50):
        store.put("calls", f"k{number}", {"n": number})
        assert other.get("calls", f"k{number}") == {"n": number}
        other.append("run", [{"n": number}])
        assert store.append("run", [{"n": number}]) == 2 * number + 2
    other.close()


def test_a_direct_write_waits_for_nobody_and_a_queued_one_for_everybody(
    store: SqliteStore, path: Path
) -> None:
    store.put("calls", "before", {})
    blocker = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    blocker.execute("BEGIN IMMEDIATE")
    threading.Timer(0.3, blocker.execute, ("COMMIT",)).start()
    began = time.monotonic()
    store.put("calls", "k", {"n": 1})
    assert time.monotonic() - began > 0.2
    assert store.get("calls", "k") == {"n": 1}
    blocker.close()


async def test_the_loop_turns_while_another_process_writes(store: SqliteStore, path: Path) -> None:
    import asyncio

    store.put("calls", "before", {})
    blocker = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    blocker.execute("BEGIN IMMEDIATE")
    writes = asyncio.gather(*(store.aput("calls", f"k{n}", {"n": n}) for n in range(50)))
    longest = 0.0
    for _ in range(20):
        began = time.monotonic()
        await asyncio.sleep(0.01)
        longest = max(longest, time.monotonic() - began)
    assert store.stats()["calls"] == 1
    blocker.execute("COMMIT")
    blocker.close()
    await writes
    assert longest < 0.15
    assert store.stats()["calls"] == 51


def test_one_bad_row_does_not_take_its_batch_with_it(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SqliteStore, "_try_now", lambda self, write: False)
    monkeypatch.setattr(schema, "_word", lambda value: value)
    failed: list[Exception] = []

    def work(number: int) -> None:
        model: Any = object() if number == 13 else "m"
        try:
            store.put("calls", f"k{number}", {"request": {"model": model}})
        except StoreError as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(failed) == 1
    assert store.stats()["calls"] == 39


async def test_one_bad_row_among_coroutines(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "_word", lambda value: value)
    rows = [{"request": {"model": object() if number == 13 else "m"}} for number in range(40)]
    writes = (store.aput("calls", f"k{number}", row) for number, row in enumerate(rows))
    outcomes = await asyncio.gather(*writes, return_exceptions=True)
    assert [number for number, outcome in enumerate(outcomes) if outcome is not None] == [13]
    assert isinstance(outcomes[13], StoreError)
    assert store.stats()["calls"] == 39


async def test_what_coroutines_write_at_once_is_one_transaction(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.aput("calls", "first", {})
    statements: list[str] = []
    assert store._direct is not None
    store._direct.set_trace_callback(statements.append)
    await asyncio.gather(*(store.aput("calls", f"k{number}", {}) for number in range(20)))
    assert statements.count("COMMIT") == 1
    assert store.stats()["calls"] == 21


def test_rows_of_a_loop_that_stopped_turning_are_written_on_closing(store: SqliteStore) -> None:
    async def work() -> None:
        asyncio.get_running_loop().stop()
        await store.aput("calls", "k", {"n": 1})

    loop = asyncio.new_event_loop()
    task = loop.create_task(work())
    loop.run_forever()
    store.close()
    assert store.get("calls", "k") == {"n": 1}
    loop.run_until_complete(task)
    loop.close()


def test_a_file_that_is_no_database(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_text("not a database, whatever its name says" * 100)
    store = SqliteStore(path)
    for attempt in (lambda: store.get("calls", "k"), lambda: store.put("calls", "k", {}), store.stats):
        with pytest.raises(StoreError, match="set-aside") as caught:
            attempt()
        assert str(path) in str(caught.value)
    store.close()


def test_a_file_damaged_in_the_middle_and_set_aside(store: SqliteStore, path: Path) -> None:
    for number in range(500):
        store.put("calls", f"k{number}", {"pad": "x" * 500})
    store.close()
    damaged = bytearray(path.read_bytes())
    damaged[4096:-4096] = b"\x5a" * (len(damaged) - 8192)
    path.write_bytes(damaged)
    with pytest.raises(StoreError, match="damaged"):
        list(store.scan("calls"))
    with pytest.raises(StoreError, match="damaged"):
        store.put("calls", "new", {})
    store.close()
    aside = schema.set_aside(path)
    assert aside.read_bytes() == damaged
    store.put("calls", "new", {"n": 1})
    assert [key for key, _ in store.scan("calls")] == ["new"]


def test_a_store_of_a_newer_telic_is_refused_untouched(store: SqliteStore, path: Path) -> None:
    store.put("calls", "k", CALL)
    store.close()
    query(path, "PRAGMA user_version=99")
    for attempt in (lambda: store.get("calls", "k"), lambda: store.put("calls", "k", {}), store.stats):
        with pytest.raises(StoreError, match="newer telic"):
            attempt()
    assert query(path, "SELECT key FROM calls") == [("k",)]


def test_somebody_elses_database_is_refused_untouched(path: Path) -> None:
    path.parent.mkdir(parents=True)
    query(path, "CREATE TABLE theirs(x)")
    store = SqliteStore(path)
    with pytest.raises(StoreError, match="not a store"):
        store.put("calls", "k", {})
    query(path, "PRAGMA user_version=1")
    with pytest.raises(StoreError, match="not a store"):
        store.get("calls", "k")
    assert query(path, "SELECT name FROM sqlite_master") == [("theirs",)]
    store.close()


def test_a_row_that_is_not_json(store: SqliteStore, path: Path) -> None:
    store.put("calls", "k", CALL)
    store.close()
    connection = sqlite3.connect(path)
    connection.execute("UPDATE calls SET row='{half'")
    connection.commit()
    connection.close()
    with pytest.raises(StoreError, match="not JSON"):
        store.get("calls", "k")


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = SqliteStore(tmp_path / "file" / "store.db")
    for attempt in (lambda: store.get("calls", "k"), lambda: store.put("calls", "k", {})):
        with pytest.raises(StoreError, match="TELIC_HOME"):
            attempt()
    with pytest.raises(StoreError, match="TELIC_HOME"):
        store.append("r", [{}])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(stat.S_IREAD | stat.S_IEXEC)
    try:
        with pytest.raises(StoreError, match="permissions"):
            SqliteStore(tmp_path / "store.db").put("calls", "k", {})
    finally:
        tmp_path.chmod(stat.S_IRWXU)


def test_a_full_disk(store: SqliteStore) -> None:
    store.put("calls", "k", CALL)
    direct = store._direct
    assert direct is not None
    direct.execute("PRAGMA max_page_count=10")  # what SQLite says then is what it says of a full disk
    with pytest.raises(StoreError, match="full"):
        store.put("calls", "large", {"pad": "x" * 500_000})
    assert store.get("calls", "k") == CALL


def test_two_threads_may_open_it_at_once(path: Path) -> None:
    for _ in range(10):
        store = SqliteStore(path)
        outcome = bounded_map(lambda _, s=store: s.stats()["calls"], range(8), num_threads=8)  # type: ignore[misc]
        store.close()
        assert outcome.values() == [0] * 8


def test_closing_while_others_write_strands_nobody(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SqliteStore, "_try_now", lambda self, write: False)
    stop = threading.Event()

    def close() -> None:
        while not stop.is_set():
            store.close()

    closing = threading.Thread(target=close)
    closing.start()
    outcome = bounded_map(lambda n: store.append("run", [{"n": n}]), range(300), num_threads=6)
    stop.set()
    closing.join()
    assert outcome.failures == []
    assert sorted(outcome.values()) == list(range(1, 301))
