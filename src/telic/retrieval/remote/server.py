"""A server that speaks the protocol of ColBERT's, for any retriever.

    GET  /api/search?query=…&k=…
    POST /api/search  {"query": …, "k": …, "filter": {…}}
    GET  /health

An answer is `{"query", "topk": [{"text", "pid", "rank", "score", "prob", "metadata"}], "latency"}`, where
`prob` is the softmax of the scores in it and `latency` is in milliseconds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from json import JSONDecodeError
from time import perf_counter
from typing import TYPE_CHECKING, Any

from telic._json import encoded
from telic.errors import InputError
from telic.retrieval.passage import Passage
from telic.retrieval.retriever import Retriever

if TYPE_CHECKING:
    from aiohttp import web

PATHS = ("/api/search", "/search", "/")
_LONGEST_BODY = 2**20
_LONGEST_LINE = 2**16
"""Bytes of a GET's first line; aiohttp's own limit stops a query of some 1,000 words."""


def application(retriever: Retriever, *, k: int = 10, most: int = 1000) -> web.Application:
    """The server as an aiohttp application.

    Args:
        retriever: what is served.
        k: how many passages a request gets that does not say.
        most: passages in one answer at most.
    """
    from aiohttp import web

    handler = _Handler(retriever, k, most)
    app = web.Application(client_max_size=_LONGEST_BODY)
    for path in PATHS:
        app.router.add_get(path, handler.get)
        app.router.add_post(path, handler.post)
    app.router.add_get("/health", handler.health)
    return app


def serve(
    retriever: Retriever,
    *,
    host: str = "127.0.0.1",
    port: int = 8893,
    k: int = 10,
    most: int = 1000,
    started: Callable[[str], Any] | None = None,
) -> None:
    """Serve until interrupted.

    Args:
        retriever: what is served.
        host: the address to listen on; only this machine by default.
        port: 0 takes a free one.
        k: how many passages a request gets that does not say.
        most: passages in one answer at most.
        started: told the URL of the search when requests are accepted.

    Raises:
        InputError: the port cannot be listened on.
    """
    import asyncio

    asyncio.run(_serving(application(retriever, k=k, most=most), host, port, started))


async def _serving(app: web.Application, host: str, port: int, started: Callable[[str], Any] | None) -> None:
    import asyncio
    import signal

    from aiohttp import web

    over, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, over.set)
    runner = web.AppRunner(app, access_log=None, max_line_size=_LONGEST_LINE)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise InputError(f"Port {port} of {host} cannot be listened on: {error.strerror}.") from error
        if started is not None:
            name = f"[{host}]" if ":" in host else host
            started(f"http://{name}:{runner.addresses[0][1]}{PATHS[0]}")
        await over.wait()
    finally:
        await runner.cleanup()


class _Handler:
    def __init__(self, retriever: Retriever, k: int, most: int) -> None:
        self._retriever, self._k, self._most = retriever, k, most

    async def get(self, request: web.Request) -> web.Response:
        return await self._answer(dict(request.query))

    async def post(self, request: web.Request) -> web.Response:
        try:
            body = await request.json()
        except (JSONDecodeError, UnicodeDecodeError):
            body = None
        if not isinstance(body, dict):
            return _error("The body must be a JSON object with 'query'.")
        return await self._answer(body)

    async def health(self, request: web.Request) -> web.Response:
        retriever: Any = self._retriever
        count = len(retriever) if hasattr(retriever, "__len__") else None
        return _json({"status": "ok", "kind": type(retriever).__name__, "passages": count})

    async def _answer(self, asked: dict[str, Any]) -> web.Response:
        query = asked.get("query")
        if not isinstance(query, str):
            return _error("'query' is missing: /api/search?query=…&k=…")
        try:
            k = int(asked.get("k", self._k))
        except (TypeError, ValueError):
            return _error(f"k={asked['k']!r} is no whole number.")
        began = perf_counter()
        try:
            found = await self._retriever.asearch(query, min(k, self._most), filter=asked.get("filter"))
        except InputError as error:
            return _error(str(error))
        latency = round((perf_counter() - began) * 1000, 3)
        return _json({"query": query, "topk": rows(found), "latency": latency})


def rows(found: Sequence[Passage]) -> list[dict[str, Any]]:
    """Passages as the protocol tells them, ranks from 1."""
    highest = max((passage.score for passage in found), default=0.0)
    parts = [math.exp(passage.score - highest) for passage in found]
    return [
        {
            "text": passage.text,
            "pid": passage.id,
            "rank": rank,
            "score": passage.score,
            "prob": part / sum(parts),
            "metadata": dict(passage.metadata),
        }
        for rank, (passage, part) in enumerate(zip(found, parts, strict=True), 1)
    ]


def _json(value: Any, status: int = 200) -> web.Response:
    from aiohttp import web

    return web.Response(body=encoded(value), status=status, content_type="application/json")


def _error(message: str) -> web.Response:
    return _json({"error": True, "message": message}, 400)
