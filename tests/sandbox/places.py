"""Where hostile programs would do harm, and whether they did."""

from __future__ import annotations

import os
import socket
import sqlite3
import tempfile
import threading
import time
from pathlib import Path

TOKEN = "TOKEN-93f1c0"
WORKER = "telic.sandbox.inside.worker"


class Listener:
    """Counts what arrives at a port of the loopback interface and at a path."""

    def __init__(self, folder: Path) -> None:
        self.path = str(folder / "socket")
        self.arrived = 0
        self._tcp = socket.create_server(("127.0.0.1", 0))
        self.port = self._tcp.getsockname()[1]
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", self.port))
        self._unix = socket.socket(socket.AF_UNIX)
        self._unix.bind(self.path)
        self._unix.listen()
        for endpoint in (self._tcp, self._udp, self._unix):
            endpoint.settimeout(0.1)
            threading.Thread(target=self._count, args=(endpoint,), daemon=True).start()

    def _count(self, endpoint: socket.socket) -> None:
        while True:
            try:
                if endpoint.type == socket.SOCK_DGRAM:
                    endpoint.recvfrom(100)
                else:
                    endpoint.accept()[0].close()
                self.arrived += 1
            except TimeoutError:
                continue
            except OSError:
                return

    def close(self) -> None:
        for endpoint in (self._tcp, self._udp, self._unix):
            endpoint.close()


class Place:
    """A folder with secrets, a listener, and a mark by which processes are found."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "outside"
        self.folder.mkdir()
        self.secret = self.folder / "secret.txt"
        self.secret.write_text(TOKEN)
        (self.folder / "secret_module.py").write_text(f"TOKEN = {TOKEN!r}\nprint(TOKEN)\n")
        database = sqlite3.connect(self.folder / "secret.db")
        database.execute("create table t (x)")
        database.execute("insert into t values (?)", (TOKEN,))
        database.commit()
        database.close()
        self.listener = Listener(folder)
        self.mark = f"9{os.getpid()}{time.monotonic_ns() % 1000}"
        self._before = self._state()

    def filled(self, code: str) -> str:
        for name, value in {
            "@TEMPORARY@": tempfile.gettempdir(),
            "@SECRET@": str(self.secret),
            "@OUTSIDE@": str(self.folder),
            "@HOST@": str(os.getpid()),
            "@PORT@": str(self.listener.port),
            "@UNIX@": self.listener.path,
            "@MARK@": self.mark,
        }.items():
            code = code.replace(name, value)
        return code

    def _state(self) -> dict[str, object]:
        state: dict[str, object] = {}
        for path in [self.folder, *sorted(self.folder.rglob("*"))]:
            facts = path.lstat()
            content = path.read_bytes() if path.is_file() else None
            kept = (facts.st_mode, facts.st_uid, facts.st_mtime_ns, content, os.listxattr(path))
            state[str(path)] = kept
        for folder in (tempfile.gettempdir(), "/dev/shm"):
            state[f"{folder}/…"] = [n for n in os.listdir(folder) if self.mark in n]
        return state

    def require_untouched(self) -> None:
        assert self._state() == self._before
        assert self.listener.arrived == 0

    def processes(self) -> list[tuple[int, str]]:
        """Processes that carry the mark, in their arguments or their environment."""
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            try:
                text = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
                dead = "\nState:\tZ" in (entry / "status").read_text()
            except OSError:
                continue
            if self.mark.encode() in text and not dead:
                found.append((int(entry.name), text[:200].decode(errors="replace")))
        return found
