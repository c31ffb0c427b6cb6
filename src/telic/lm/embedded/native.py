"""The llama.cpp server inside this process: started, asked, and reached for tokenisation.

`xllamacpp.Server` always opens an HTTP listener. Here it is a socket file in a folder that only this user can
enter (on Windows: a loopback port that wants a random key); it serves to count tokens, which has no other
door.
"""

from __future__ import annotations

import ctypes
import http.client
import json
import os
import secrets
import shutil
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from telic._lazy import require
from telic.errors import LMTransportError, ModelWeightsError
from telic.lm.embedded.options import Options, common_params
from telic.lm.weights.adapters import Adapter

_LONGEST_ADDRESS = 100
"""Characters of a socket file's path that every system takes."""


class NativeServer:
    """A loaded model.

    Args:
        path: the weights.
        options: how to hold them.
        trained: the model's own window, in tokens; 0 if unknown.
        adapters: those that a request may name, by their place.

    Raises:
        ModelWeightsError: llama.cpp cannot load a file.
        MissingExtraError: `xllamacpp` is not installed.
    """

    def __init__(self, path: Path, options: Options, trained: int, adapters: Sequence[Adapter] = ()) -> None:
        xllamacpp = llama_cpp()
        self._folder = tempfile.mkdtemp(prefix="telic-") if hasattr(socket, "AF_UNIX") else None
        self._socket = f"{self._folder}/s.sock" if self._folder else None
        if self._socket and len(self._socket) > _LONGEST_ADDRESS:
            self._socket = None
        self._key = secrets.token_urlsafe(24)
        params = common_params(xllamacpp, path, options, trained, self._socket)
        params.api_keys = [self._key]
        params.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(str(one.path), 0.0) for one in adapters]
        try:
            self._server: Any = xllamacpp.Server(params)
        except RuntimeError as error:
            self._sweep()
            if adapters:
                raise ModelWeightsError(
                    f"llama.cpp cannot put the adapter {adapters[-1].path} on {path}: it is damaged, or made "
                    "for another model."
                ) from error
            raise ModelWeightsError(
                f"llama.cpp cannot load {path}: the file is damaged, of an architecture it does not know, or "
                f"does not fit in memory with n_ctx={params.n_ctx}."
            ) from error
        self._address: str = self._server.listening_address
        self._connections = threading.local()

    def ask(self, body: dict[str, Any], hear: Callable[[dict[str, Any]], bool]) -> None:
        """Answer `body`, blocking, without holding the interpreter's lock.

        Args:
            body: an OpenAI-shaped streaming request, for chat where it has `messages`.
            hear: told each chunk; returning True stops the answer there.
        """
        handle = (
            self._server.handle_chat_completions if "messages" in body else self._server.handle_completions
        )
        handle(json.dumps(body).encode(), lambda chunk: hear(json.loads(chunk)))

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Ask one of the server's small services, such as `/tokenize`."""
        payload = json.dumps(body)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._key}"}
        for attempt in (0, 1):
            connection = self._connection()
            try:
                connection.request("POST", path, payload, headers)
                answer: dict[str, Any] = json.loads(connection.getresponse().read())
                return answer
            except (http.client.HTTPException, OSError, ValueError) as error:
                connection.close()  # an idle connection is dropped by the server; the next request reopens
                if attempt:
                    raise LMTransportError(
                        f"The model in this process did not answer {path}: {error}"
                    ) from error
        raise AssertionError

    def _connection(self) -> http.client.HTTPConnection:
        found: http.client.HTTPConnection | None = getattr(self._connections, "it", None)
        if found is None:
            host, _, port = self._address.rpartition("/")[2].partition(":")
            found = (
                _SocketConnection(self._socket)
                if self._socket
                else http.client.HTTPConnection(host, int(port))
            )
            self._connections.it = found
        return found

    def leak(self) -> None:
        """Keep the model's memory until the process ends, whoever lets go of it."""
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._server))

    def close(self) -> None:
        """Free the model. No call may be running."""
        self._server = None
        self._sweep()

    def _sweep(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


class _SocketConnection(http.client.HTTPConnection):
    """HTTP over a socket file."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=60)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def llama_cpp() -> ModuleType:
    """The `xllamacpp` module, its threads set to sleep soon when they wait for each other.

    Left to itself, OpenMP lets them spin for milliseconds. On a machine whose cores are shared that costs
    up to twenty times the speed: a spinning thread takes the core from the one it waits for. A short spin
    costs nothing on an idle machine; none at all costs a tenth. OpenMP reads its variables once, when it is
    loaded; so they are set for that moment only, and what runs in other processes is untouched.
    """
    mine = "xllamacpp" not in sys.modules and not any(name in os.environ for name in (_POLICY, _SPINS))
    if mine:
        os.environ[_SPINS] = "1000"
    try:
        return require("xllamacpp", extra="local", purpose="models that run in this process")
    finally:
        if mine:
            del os.environ[_SPINS]


_POLICY, _SPINS = "OMP_WAIT_POLICY", "GOMP_SPINCOUNT"


def process_id() -> int:
    """Of this process; a forked child has another one, and none of llama.cpp's threads."""
    return os.getpid()
