"""One connection pool per event loop, shared by every engine and closed with its loop.

Nobody has to close anything: each pool is held by an async generator that was started on the loop, and
`asyncio.run`, `asyncio.Runner` and notebooks finish the async generators of their loop before they close it.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import socket
import threading
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientSession, DummyCookieJar, TCPConnector

from telic.lm.http.watch import Watch

CONNECTIONS = 1024
"""Most connections of one loop. Above it, requests wait for a connection within their time limit."""


READ_BYTES = 65_536
"""Most bytes taken from a connection at once. For the 256 KiB that asyncio asks for, the C library maps fresh
memory each time, and gives it back: three system calls and several page faults for an answer of 1 kB, a tenth
of what a call takes.
"""


class _Socket(socket.socket):
    """A socket that is read in smaller pieces."""

    def recv(self, size: int, flags: int = 0) -> bytes:
        return super().recv(min(size, READ_BYTES), flags)


def _socket(address: tuple[Any, ...]) -> socket.socket:
    family, kind, protocol, *_ = address
    return _Socket(family, kind, protocol)


@dataclass(frozen=True, slots=True)
class Held:
    """What a loop has: its session, and the watches over the requests, by their limit in seconds."""

    session: ClientSession
    holder: AsyncGenerator[ClientSession, None]
    watches: dict[float, Watch] = field(default_factory=dict)

    def watch(self, seconds: float) -> Watch:
        """Over requests that may take so long."""
        watch = self.watches.get(seconds)
        if watch is None:
            watch = self.watches[seconds] = Watch(seconds)
        return watch


_pools: dict[asyncio.AbstractEventLoop, Held] = {}
_lock = threading.Lock()
_closing: list[asyncio.Future[None]] = []
_left_behind: list[Held] = []


async def session() -> ClientSession:
    """The session of the running loop, opened at first use."""
    return (await held()).session


async def held() -> Held:
    """What the running loop has, opened at first use."""
    loop = asyncio.get_running_loop()
    found = _pools.get(loop)
    if found is not None and not found.session.closed:
        return found
    return await _open(loop)


async def _open(loop: asyncio.AbstractEventLoop) -> Held:
    _drop_closed_loops()
    connector = TCPConnector(
        limit=CONNECTIONS, ttl_dns_cache=300, keepalive_timeout=30, socket_factory=_socket
    )
    opened = ClientSession(connector=connector, cookie_jar=DummyCookieJar(), raise_for_status=False)
    holder = _hold(opened)
    # No other task of this loop can come in between: the generator yields without waiting.
    await anext(holder)
    found = Held(opened, holder)
    with _lock:
        _pools[loop] = found
    return found


async def _hold(opened: ClientSession) -> AsyncGenerator[ClientSession, None]:
    try:
        yield opened
    finally:
        with _lock:
            _pools.pop(asyncio.get_running_loop(), None)
        await opened.close()


def _drop_closed_loops() -> None:
    """Let go of pools whose loop was closed without finishing its async generators."""
    with _lock:
        dead = [loop for loop in _pools if loop.is_closed()]
        gone = [_pools.pop(loop) for loop in dead]
    for held in gone:
        _close_without_loop(held)


def _close_without_loop(held: Held) -> None:
    """Mark the session closed. Its sockets went with its loop, so closing does not wait for anything."""
    for closing in (held.session.close(), held.holder.aclose()):
        try:
            closing.send(None)
        except (StopIteration, RuntimeError):
            continue


@atexit.register
def _close_all() -> None:
    """Close pools of loops that still run in daemon threads: the interpreter ends without warnings."""
    for loop, held in list(_pools.items()):
        if loop.is_running():
            loop.call_soon_threadsafe(_finish, held)
        elif loop.is_closed():
            _close_without_loop(held)


def _after_fork() -> None:
    # The child must not close them: it shares their selector with the parent. They are kept and never used.
    global _lock
    _lock = threading.Lock()
    _left_behind.extend(_pools.values())
    _pools.clear()


os.register_at_fork(after_in_child=_after_fork)


def _finish(held: Held) -> None:
    """Start closing on the loop's own thread; the sockets are closed before the first wait."""
    _closing.append(asyncio.ensure_future(held.holder.aclose()))
