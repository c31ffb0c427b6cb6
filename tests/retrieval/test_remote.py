"""The protocol of ColBERT servers, from both sides."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from aiohttp import ClientSession, web

from telic.errors import (
    InputError,
    LMConfigurationError,
    LMInvalidRequestError,
    LMServerError,
    LMTimeoutError,
    LMTransportError,
)
from telic.retrieval.lexical.bm25 import BM25
from telic.retrieval.remote.colbertv2 import ColBERTv2
from telic.retrieval.remote.server import application
from telic.testing import check_retriever

CORPUS = [
    {"id": "ulm", "text": "Ulm lies on the Danube", "land": "BW"},
    {"id": "bonn", "text": "Bonn lies on the Rhine", "land": "NW"},
    {"id": "mainz", "text": "Mainz lies on the Rhine, and the Rhine is wide", "land": "RP"},
]


class Running:
    """An aiohttp application in a thread of its own."""

    def __init__(self, app: web.Application) -> None:
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        app.middlewares.append(self._noted)
        self._app = app
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), daemon=True)

    @web.middleware
    async def _noted(self, request: web.Request, handler: Callable[[web.Request], Any]) -> Any:
        body = await request.json() if request.can_read_body else dict(request.query)
        self.requests.append((request.method, request.path, body))
        return await handler(request)

    async def _main(self) -> None:
        runner = web.AppRunner(self._app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.port = runner.addresses[0][1]
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        self._ready.set()
        await self._over.wait()
        await runner.cleanup()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/search"

    def __enter__(self) -> Running:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *error: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)


@pytest.fixture
def server() -> Iterator[Running]:
    with Running(application(BM25(CORPUS))) as running:
        yield running


@pytest.mark.parametrize("post", [False, True])
def test_rows(server: Running, post: bool) -> None:
    rm = ColBERTv2(server.url, post_requests=post)
    rows = rm("wide Rhine", k=2)
    assert [row.pid for row in rows] == ["mainz", "bonn"]
    first = rows[0]
    assert first.long_text == first["text"] == CORPUS[2]["text"]
    assert first.rank == 1
    assert first.score > rows[1].score
    assert first.prob + rows[1].prob == pytest.approx(1)
    assert rm("wide Rhine", k=2, simplify=True) == [CORPUS[2]["text"], CORPUS[1]["text"]]
    assert server.requests == [
        ("POST" if post else "GET", "/api/search", {"query": "wide Rhine", "k": 2 if post else "2"})
    ]
    with pytest.raises(AttributeError, match="colour"):
        first.colour  # noqa: B018


def test_passages(server: Running) -> None:
    found = ColBERTv2(server.url).search("Rhine", 1)[0]
    assert (found.id, found.metadata["land"], found.metadata["rank"]) == ("mainz", "RP", 1)


def test_url_and_port(server: Running) -> None:
    assert ColBERTv2("http://127.0.0.1", server.port)("Danube")[0].pid == "ulm"
    assert server.requests[0][1] == "/"
    with pytest.raises(InputError, match="http"):
        ColBERTv2("127.0.0.1")


def test_answers_are_recorded(server: Running) -> None:
    ColBERTv2(server.url)("Rhine")
    ColBERTv2(server.url)("Rhine")
    asyncio.run(ColBERTv2(server.url).asearch("Rhine"))
    assert len(server.requests) == 1
    ColBERTv2(server.url, cache=False)("Rhine")
    assert len(server.requests) == 2


def test_many_at_once_are_one_request(server: Running) -> None:
    rm = ColBERTv2(server.url)

    async def main() -> None:
        found = await asyncio.gather(*(rm.asearch("Rhine") for _ in range(20)))
        assert all(row == found[0] for row in found)

    asyncio.run(main())
    assert len(server.requests) == 1
    assert len(rm.search(["Danube", "Rhine", "Danube"])) == 3
    assert len(server.requests) == 2


def test_a_filter_is_applied_here(server: Running) -> None:
    assert [p.id for p in ColBERTv2(server.url).search("Rhine", 5, filter={"land": "RP"})] == ["mainz"]
    assert server.requests[0][2]["k"] == "100"


def test_contract() -> None:
    running: list[Running] = []

    def make(corpus: Any) -> ColBERTv2:
        served = Running(application(BM25(corpus)))
        running.append(served.__enter__())
        return ColBERTv2(served.url, post_requests=True, cache=False, k=3)

    try:
        check_retriever(make)
    finally:
        for served in running:
            served.__exit__()


async def test_the_server_answers_badly_put_questions() -> None:
    with_server = Running(application(BM25(CORPUS), most=1))
    await asyncio.to_thread(with_server._thread.start)
    await asyncio.to_thread(with_server._ready.wait, 10)
    base = f"http://127.0.0.1:{with_server.port}"
    try:
        async with ClientSession() as session:
            for params in ({}, {"query": "x", "k": "many"}, {"query": "x", "k": "0"}):
                async with session.get(f"{base}/api/search", params=params) as answer:
                    assert answer.status == 400
                    assert (await answer.json())["error"] is True
            async with session.post(f"{base}/api/search", json=["no object"]) as answer:
                assert answer.status == 400
            asked = {"query": "Rhine", "k": 9, "filter": {"land": "RP"}}
            async with session.post(f"{base}/api/search", json=asked) as answer:
                body = await answer.json()
            assert [row["pid"] for row in body["topk"]] == ["mainz"]
            async with session.get(f"{base}/health") as answer:
                assert await answer.json() == {"status": "ok", "kind": "BM25", "passages": 3}
    finally:
        await asyncio.to_thread(with_server.__exit__)


def answering(*answers: Any) -> Running:
    """A server that gives each answer once, and the last one always."""
    left = list(answers)

    async def answer(request: web.Request) -> web.Response:
        given = left.pop(0) if len(left) > 1 else left[0]
        if given == "stall":
            await asyncio.sleep(5)
        status, text = given if isinstance(given, tuple) else (200, given)
        return web.Response(status=status, text=text)

    app = web.Application()
    app.router.add_get("/api/search", answer)
    return Running(app)


GOOD = '{"query": "q", "topk": [{"text": "found", "pid": 7, "rank": 1, "score": 2.5, "prob": 1.0}]}'


@pytest.mark.parametrize(
    "bad", [(500, "oops"), (503, ""), '{"error": true, "message": "timed out"}', (429, "")]
)
def test_failures_that_pass_are_asked_again(bad: Any) -> None:
    with answering(bad, GOOD) as server:
        assert ColBERTv2(server.url)("q")[0].pid == 7
        assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("bad", "kind", "message"),
    [
        ((500, "oops"), LMServerError, "answered 500: oops"),
        ('{"error": true, "message": "timed out"}', LMServerError, "timed out"),
        ("<html>", LMTransportError, "not JSON"),
        ('{"hits": []}', LMInvalidRequestError, "without 'topk'"),
        ((404, "no"), LMConfigurationError, "Check the url"),
        ((400, '{"error": true, "message": "k is no number"}'), LMInvalidRequestError, "400"),
        ("stall", LMTimeoutError, "gave no answer within 0.2"),
    ],
)
def test_failures_that_stay(bad: Any, kind: type[Exception], message: str) -> None:
    with answering(bad) as server, pytest.raises(kind, match=message):
        ColBERTv2(server.url, num_retries=0, timeout=0.2)("q")


def test_a_password_in_the_address_is_not_shown(server: Running) -> None:
    from telic.store.default import default_store

    rm = ColBERTv2(server.url.replace("://", "://user:secret@"))
    assert rm("Danube")[0].pid == "ulm"
    assert "secret" not in str(list(default_store().scan("calls")))
    with pytest.raises(LMInvalidRequestError) as caught:
        rm("word " * 5_000)
    assert "secret" not in str(caught.value)


def test_a_query_too_long_for_an_address(server: Running) -> None:
    with pytest.raises(LMInvalidRequestError, match="post_requests=True"):
        ColBERTv2(server.url, num_retries=0)("word " * 5_000)
    assert ColBERTv2(server.url, post_requests=True)("Danube " * 5_000)[0].pid == "ulm"


def test_nobody_listens() -> None:
    with answering(GOOD) as server:
        pass
    with pytest.raises(LMTransportError, match="cannot be reached"):
        ColBERTv2(server.url, num_retries=0)("q")
