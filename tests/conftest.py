"""Each test starts as a fresh process would: default settings, an empty store, no history, no network."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from telic.lm.history import GLOBAL_HISTORY
from telic.runtime.settings import settings
from telic.store.memory import MemoryStore

WEIGHTS_HOME = Path(__file__).resolve().parents[1] / ".telic"
"""Kept between runs: model weights are pulled once per checkout."""

os.environ.setdefault("TELIC_HOME", str(WEIGHTS_HOME))


@pytest.fixture(autouse=True)
def _fresh_settings() -> Iterator[None]:
    settings.reset()
    settings.configure(store=MemoryStore())
    GLOBAL_HISTORY.clear()
    yield
    settings.reset()


@pytest.fixture(autouse=True)
def _only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that reaches for the network fails, and says where it wanted to go."""
    connect = socket.socket.connect
    resolve = socket.getaddrinfo

    def guarded_connect(self: socket.socket, address: object) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(address[0]):  # type: ignore[index]
            raise PermissionError(f"a test tried to reach {address!r}; only loopback is allowed")
        return connect(self, address)  # type: ignore[arg-type]

    def guarded_resolve(host: object, *rest: object, **more: object) -> object:
        if host is not None and not _is_loopback(host):
            raise socket.gaierror(
                socket.EAI_NONAME, f"a test tried to look up {host!r}; only loopback is allowed"
            )
        return resolve(host, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket, "getaddrinfo", guarded_resolve)


def _is_loopback(host: object) -> bool:
    text = host.decode() if isinstance(host, bytes) else str(host)
    if text in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(text.partition("%")[0]).is_loopback
    except ValueError:
        return False


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that run the embedded model share one worker: it is loaded once, and has the cores to itself."""
    for item in items:
        if item.get_closest_marker("model"):
            item.add_marker(pytest.mark.xdist_group("model"))
