"""Many processes on one file, forks, and sudden death."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from telic.store.sqlite import SqliteStore
from tests.runtime.scripts import run_script

WRITER = """
import json, sys
from telic.store.sqlite import SqliteStore

path, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
store = SqliteStore(path)
for number in range(count):
    key = f"{name}-{number}"
    store.put("calls", key, {"key": key, "pad": "x" * 200})
    assert store.get("calls", key)["key"] == key
    store.append("run", [{"key": key, "part": part} for part in range(2)])
    if number:
        assert store.get("calls", f"{name}-{number - 1}") is not None
store.close()
"""


def start(code: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True)


def check(path: Path) -> None:
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()


def test_four_processes_write_and_read_at_once(tmp_path: Path) -> None:
    path = tmp_path / "store.db"  # not there yet: they make it together
    writers = [start(WRITER, str(path), f"w{number}", "150") for number in range(4)]
    assert [writer.wait(60) for writer in writers] == [0] * 4
    store = SqliteStore(path)
    assert {key for key, _ in store.scan("calls")} == {f"w{n}-{i}" for n in range(4) for i in range(150)}
    events = list(store.read("run"))
    assert [event["seq"] for event in events] == list(range(1, 1201))
    for first, second in zip(events[::2], events[1::2], strict=True):
        assert (first["key"], first["part"], second["part"]) == (second["key"], 0, 1)
    store.close()
    check(path)


ENDLESS = """
import asyncio, os, sys, threading
from telic.store.sqlite import SqliteStore

store = SqliteStore(sys.argv[1])

def say(key):
    os.write(1, (key + "\\n").encode())

def block(name):
    number = 0
    while True:
        store.put("calls", f"{name}-{number}", {"pad": "x" * 300})
        say(f"{name}-{number}")
        store.append("run", [{"key": f"{name}-{number}"}])
        say(f"event {name}-{number}")
        number += 1

async def task(name):
    number = 0
    while True:
        await store.aput("calls", f"{name}-{number}", {"pad": "x" * 300})
        say(f"{name}-{number}")
        number += 1

async def main():
    for number in range(3):
        threading.Thread(target=block, args=(f"thread{number}",), daemon=True).start()
    await asyncio.gather(*(task(f"task{number}") for number in range(8)))

asyncio.run(main())
"""


@pytest.mark.parametrize("seconds", [0.3, 0.7])
def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path: Path, seconds: float) -> None:
    path = tmp_path / "store.db"
    process = start(ENDLESS, str(path))
    assert process.stdout is not None
    acknowledged = [process.stdout.readline()]
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        acknowledged.append(process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    acknowledged += process.stdout.readlines()
    process.wait()
    process.stdout.close()
    told = {line.strip() for line in acknowledged if line.endswith("\n")}
    assert len(told) > 50

    store = SqliteStore(path)
    kept = {key for key, _ in store.scan("calls")}
    events = list(store.read("run"))
    kept |= {"event " + event["key"] for event in events}
    assert told - kept == set()
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    store.put("calls", "afterwards", {})
    store.close()
    check(path)


def test_a_process_killed_while_it_holds_the_lock_blocks_nobody(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    store = SqliteStore(path)
    store.put("calls", "k", {})
    code = """
import sqlite3, sys, time
c = sqlite3.connect(sys.argv[1], isolation_level=None)
c.execute("BEGIN IMMEDIATE")
c.execute("DELETE FROM calls")
print("locked", flush=True)
time.sleep(60)
"""
    process = start(code, str(path))
    assert process.stdout is not None
    process.stdout.readline()
    process.kill()
    process.wait()
    process.stdout.close()
    store.put("calls", "l", {})
    assert {key for key, _ in store.scan("calls")} == {"k", "l"}
    store.close()


def test_forked_children_write_beside_their_parent(tmp_path: Path) -> None:
    done = run_script(
        """
        import os, sys, threading
        from telic.store.sqlite import SqliteStore

        store = SqliteStore(sys.argv[1])
        store.put("calls", "first", {})
        store.append("run", [{"by": "parent"}])
        stop = threading.Event()

        def busy():
            number = 0
            while not stop.is_set():
                store.put("calls", f"busy-{number % 50}", {"n": number})
                store.append("run", [{"by": "busy"}])
                number += 1

        threads = [threading.Thread(target=busy) for _ in range(3)]
        for thread in threads:
            thread.start()
        children = []
        for child in range(6):
            pid = os.fork()
            if pid == 0:
                try:
                    for number in range(20):
                        store.put("calls", f"child{child}-{number}", {})
                        store.append("run", [{"by": child}])
                        assert store.get("calls", f"child{child}-{number}") == {}
                    store.close()
                finally:
                    os._exit(0 if number == 19 else 1)
            children.append(pid)
        codes = [os.waitpid(pid, 0)[1] for pid in children]
        stop.set()
        for thread in threads:
            thread.join()
        assert codes == [0] * 6, codes
        events = list(store.read("run"))
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
        assert sum(event["by"] == 5 for event in events) == 20
        assert sum(key.startswith("child") for key, _ in store.scan("calls")) == 120
        """,
        str(tmp_path / "store.db"),
    )
    assert (done.returncode, done.stderr) == (0, "")
    check(tmp_path / "store.db")


def test_the_end_of_the_process_closes_the_file_quietly(tmp_path: Path) -> None:
    done = run_script(
        """
        import sys
        from telic.store.sqlite import SqliteStore

        store = SqliteStore(sys.argv[1])
        store.put("calls", "k", {"n": 1})
        store.append("run", [{}])
        assert store.get("calls", "k") == {"n": 1}
        """,
        str(tmp_path / "store.db"),
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert os.listdir(tmp_path) == ["store.db"]  # the log was moved into the file


def test_ctrl_c_falls_between_writes(tmp_path: Path) -> None:
    done = run_script(
        """
        import os, signal, sys, threading, time
        from telic.store.sqlite import SqliteStore

        store = SqliteStore(sys.argv[1])

        def pester():
            for _ in range(40):
                time.sleep(0.01)
                os.kill(os.getpid(), signal.SIGINT)

        number = 0
        store.put("calls", "first", {})
        pest = threading.Thread(target=pester)
        pest.start()
        interrupts = 0
        while pest.is_alive() or interrupts < 40:
            try:
                while pest.is_alive():
                    store.append("run", [{"n": number}])
                    store.put("calls", f"k{number}", {"n": number})
                    number += 1
                break
            except KeyboardInterrupt:
                interrupts += 1
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        store.put("calls", "last", {})
        assert store.get("calls", "last") == {}
        for n in range(number):
            assert store.get("calls", f"k{n}") == {"n": n}
        events = list(store.read("run"))
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
        print(interrupts > 5)
        """,
        str(tmp_path / "store.db"),
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")
