"""One base in memory and the adapters on it: the server is started again when it has to know a new one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from telic.lm.embedded.native import NativeServer
from telic.lm.weights.adapters import Adapter

MOST = 8
"""Adapters held at once; the one unused for longest makes room."""


class Adapted:
    """A native server that any adapter can be asked of. Thread-safe.

    llama.cpp reads adapters only when it starts, and then takes for each request the one it names. So a new
    adapter waits until the running answers are written, and the server starts again with it: its weights
    are still in the system's cache of files, which makes this a matter of a tenth of a second for a small
    model. What the slots had read is lost then.

    Args:
        start: starts a server that knows these adapters.
        forget: told when the slots lost what they held.
    """

    def __init__(
        self, start: Callable[[tuple[Adapter, ...]], NativeServer], forget: Callable[[], None]
    ) -> None:
        self._start = start
        self._forget = forget
        self._known: list[Adapter] = []
        self._recent: list[Adapter] = []
        self._asking = 0
        self._changed = threading.Condition()
        self.native = start(())

    @contextmanager
    def using(self, adapter: Adapter | None) -> Iterator[tuple[NativeServer, dict[str, Any]]]:
        """The server, held as it is meanwhile, and what a request of this adapter says besides.

        Raises:
            ModelWeightsError: llama.cpp cannot load the adapter.
        """
        with self._changed:
            while not self._ready(adapter):
                self._changed.wait()
            self._asking += 1
            native, told = self.native, self._told(adapter)
        try:
            yield native, told
        finally:
            with self._changed:
                self._asking -= 1
                self._changed.notify_all()

    def _ready(self, adapter: Adapter | None) -> bool:
        """Whether the server can be asked now; makes it know the adapter where nobody else is asking."""
        if adapter is None or adapter in self._known:
            return True
        if self._asking:
            return False
        self._restart(adapter)
        return True

    def _restart(self, adapter: Adapter) -> None:
        held, known = self.native, [*self._recent[-MOST + 1 :], adapter]
        self._forget()
        # The new one first: where it cannot be started, the old one stays.
        self.native = self._start(tuple(known))
        self._known = known
        self._recent = list(known)
        held.close()

    def _told(self, adapter: Adapter | None) -> dict[str, Any]:
        if not self._known:
            return {}
        if adapter is not None:
            self._recent.remove(adapter)
            self._recent.append(adapter)
        scales = [{"id": at, "scale": float(one == adapter)} for at, one in enumerate(self._known)]
        return {"lora": scales}
