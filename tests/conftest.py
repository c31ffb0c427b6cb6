"""Each test starts as a fresh process would: default settings, an empty store, no history, no network."""

from __future__ import annotations

import ipaddress
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from telic.runtime.settings import settings

CHECKOUT_HOME = Path(os.environ.get("TELIC_TEST_HOME") or Path(__file__).resolve().parents[1] / ".telic")
"""Kept between runs: model weights are pulled once per checkout."""

# Tests started in the background ignore Ctrl-C, and so would every process that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)

DEFAULT_MODEL = "smollm2-135m"


@pytest.fixture(scope="session")
def weights() -> Path:
    """The folder of model weights; the default model's are pulled at first use."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TELIC_HOME", str(CHECKOUT_HOME))
        from telic.lm.weights import folder, pull

        pull(DEFAULT_MODEL, progress=False)
        return folder()


@pytest.fixture(autouse=True)
def _fresh_home(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """A `TELIC_HOME` of its own, with an empty store; tests marked `model` find the weights in it."""
    home = tmp_path_factory.mktemp("home")
    if request.node.get_closest_marker("model"):
        (home / "models").symlink_to(request.getfixturevalue("weights"))
    monkeypatch.setenv("TELIC_HOME", str(home))
    settings.reset()
    yield
    settings.reset()
    if (default := sys.modules.get("telic.store.default")) and (home / "store.db").exists():
        default.default_store().close()
    if histories := sys.modules.get("telic.lm.history"):
        histories.GLOBAL_HISTORY.clear()


@pytest.fixture(autouse=True)
def _only_loopback(_fresh_home: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that reaches for the network fails, and says where it wanted to go."""
    connect = socket.socket.connect
    resolve = socket.getaddrinfo

    def guarded_connect(self: socket.socket, address: object) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(address[0]):  # type: ignore[index]
            raise PermissionError(f"a test tried to reach {address!r}; only loopback is allowed")
        return connect(self, address)  # type: ignore[arg-type]

    def guarded_resolve(host: object, *rest: object, **more: object) -> object:
        if host is not None and not _is_loopback(host):
            raise socket.gaierror(socket.EAI_NONAME, f"a test looked up {host!r}; only loopback is allowed")
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
