"""The record of LM calls, read as a cache: a byte-capped memory in front of a store."""

from __future__ import annotations

import threading
from collections import OrderedDict
from time import time
from typing import Any

from telic._json import dumps
from telic.store.base import Store
from telic.store.flight import SingleFlight
from telic.types import Request, Response
from telic.types.slim import slim_request

_OVERHEAD = 900
"""Bytes that an entry takes beside its texts: key, objects, table entry (measured)."""


class ResponseMemory:
    """Responses by key, least recently used out first, never more than `max_bytes` of them (as estimated).

    Args:
        max_bytes: 0 keeps nothing.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.bytes = 0
        self._entries: OrderedDict[str, tuple[Response, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> Response | None:
        """The response, marked as cached, made the most recently used one."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            self._entries.move_to_end(key)
            response, size = entry
            if not response.cached:
                # Only now, since most answers are never asked for again.
                response = _cached(response)
                self._entries[key] = (response, size)
        return response

    def put(self, key: str, response: Response, size: int) -> None:
        """Keep a response whose JSON text has `size` characters."""
        size += _OVERHEAD
        if size > self.max_bytes:
            return
        with self._lock:
            old = self._entries.pop(key, None)
            self._entries[key] = (response, size)
            self.bytes += size - (old[1] if old else 0)
            while self.bytes > self.max_bytes:
                self.bytes -= self._entries.popitem(last=False)[1][1]

    def forget(self, key: str) -> None:
        """Drop one."""
        with self._lock:
            old = self._entries.pop(key, None)
            self.bytes -= old[1] if old else 0

    def clear(self) -> None:
        """Drop all."""
        with self._lock:
            self._entries.clear()
            self.bytes = 0

    def __len__(self) -> int:
        return len(self._entries)


class CallRecord:
    """What an LM sees of the record: `lookup` before a call, `record` after it.

    Args:
        store: where calls are kept; `None` keeps them in memory only.
        memory_bytes: size of the memory in front; 0 for none.
    """

    def __init__(self, store: Store | None, memory_bytes: int = 4_000_000) -> None:
        self.store = store
        self.memory = ResponseMemory(memory_bytes)
        self.flights: SingleFlight[Response] = SingleFlight()

    def lookup(self, key: str) -> Response | None:
        """The recorded answer to the request of this key, marked as cached; `None` where there is none.

        Do not change it: the next caller gets the same object.
        """
        response = self.memory.get(key)
        if response is not None or self.store is None:
            return response
        row = self.store.get("calls", key)
        if row is None:
            return None
        response = Response.from_json(row["response"])
        self.memory.put(key, response, len(dumps(row["response"])))
        return response

    def landed(self, key: str) -> Response | None:
        """`lookup` for whoever just looked in vain: sees what this process recorded since, at a fraction of
        the time.
        """
        return self.memory.get(key) if self.memory.max_bytes else self.lookup(key)

    def record(self, request: Request, response: Response) -> None:
        """Write down an answer; durable on return."""
        if self.store is not None:
            self.store.put("calls", request.key, _row(request, response))
        self._remember(request.key, response)

    async def arecord(self, request: Request, response: Response) -> None:
        """`record`, without blocking the loop."""
        if self.store is not None:
            await self.store.aput("calls", request.key, _row(request, response))
        self._remember(request.key, response)

    def forget(self, key: str) -> None:
        """Remove one call from memory and store."""
        self.memory.forget(key)
        if self.store is not None:
            self.store.delete("calls", [key])

    def _remember(self, key: str, response: Response) -> None:
        if self.memory.max_bytes:
            kept = response if response.raw is None else _cached(response)
            self.memory.put(key, kept, _size(response))


def _cached(response: Response) -> Response:
    return Response(response.choices, response.usage, response.model, response.cost, response.latency, True)


def _size(response: Response) -> int:
    size = 0
    for choice in response.choices:
        if choice.tool_calls or choice.logprobs is not None:
            return len(dumps(response.to_json()))
        size += len(choice.text or "") + len(choice.reasoning or "")
    return size


def _row(request: Request, response: Response) -> dict[str, Any]:
    return {
        "request": slim_request(request).to_json(),
        "response": response.to_json(),
        "time": round(time(), 3),
    }
