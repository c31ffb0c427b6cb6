"""A scripted server that speaks OpenAI's protocol, on this machine, with faults on demand.

    with LocalServer(reply="Paris", latency=0.02) as server:
        lm = telic.LM("openai/test", api_base=server.url)

As a program (`python -m telic.testing.server --latency-ms 20`) it is a bare responder in a process of its
own, for benchmarks: it prints its URL and answers every request alike.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from telic._json import stable_hash
from telic.lm import permission
from telic.testing.faults import Faults, Kind
from telic.testing.replies import Replies, Script, body_for
from telic.testing.stream import Split, stream_answer, words

if TYPE_CHECKING:
    from types import TracebackType

    from aiohttp import web

    from telic.testing.finetuning import Finetuning

NO_FAULTS = Faults()


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it came.

    Attributes:
        path: below the host, e.g. `/v1/chat/completions`.
        body: its JSON.
        headers: lower-case names.
        fault: what was done to it instead of answering.
    """

    path: str
    body: dict[str, Any]
    headers: dict[str, str] = field(repr=False)
    fault: Kind | None = None


class LocalServer:
    """The server; it runs in a thread of its own from `start` (or `with`) to `stop`.

    Args:
        reply: how to answer, see `Replies`. A function runs in the server's loop and must not block.
        latency: seconds before each answer.
        split: cuts texts into the pieces they are streamed in; words by default.
        pace: seconds between the events of a stream.
        faults: what goes wrong.
        models: what `/v1/models` lists; a request for another one gets 404. By default every model is served.
        api_key: the key that requests must carry; by default none.
        usage: tell token counts.
        most_choices: most choices in one answer, whatever `n` asks for.
        finetuning: also has files and finetuning jobs; models that jobs made are served too.
        port: to listen on; 0 takes a free one.

    Attributes:
        requests: every request, in order of arrival.
        answered: complete answers that were fully sent, by hash of the request's body.
        dropped: requests that the client gave up.
    """

    def __init__(
        self,
        reply: Replies = "ok",
        *,
        latency: float = 0.0,
        split: Split = words,
        pace: float = 0.0,
        faults: Faults = NO_FAULTS,
        models: Sequence[str] | None = None,
        api_key: str | None = None,
        usage: bool = True,
        most_choices: int | None = None,
        finetuning: Finetuning | None = None,
        port: int = 0,
    ) -> None:
        self.requests: list[Received] = []
        self.answered: Counter[str] = Counter()
        self.dropped = 0
        self.latency = latency
        self.split = split
        self.pace = pace
        self.faults = faults
        self.models = models
        self.api_key = api_key
        self.usage = usage
        self.most_choices = most_choices
        self.finetuning = finetuning
        self.port = port
        self._script = Script(reply)
        self._seen: Counter[str] = Counter()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._failure: BaseException | None = None

    @property
    def url(self) -> str:
        """Base URL, as `api_base` takes it."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def count(self) -> int:
        """How many requests came."""
        return len(self.requests)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """The bodies of all requests, in order of arrival."""
        return [request.body for request in self.requests]

    def start(self) -> LocalServer:
        """Listen; returns when requests are accepted."""
        ready = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(ready,), name="telic-local-server", daemon=True
        )
        self._thread.start()
        ready.wait()
        if self._failure is not None:
            raise self._failure
        permission.admit(self.url)
        return self

    def stop(self) -> None:
        """Stop listening and drop what is under way."""
        if self._thread is None or self._loop is None or self._stop is None:
            return
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._thread = None
        permission.dismiss(self.url)

    def __enter__(self) -> LocalServer:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self, ready: threading.Event) -> None:
        try:
            asyncio.run(self._serve(ready))
        except OSError as error:  # the port is taken
            self._failure = error
            ready.set()

    async def _serve(self, ready: threading.Event) -> None:
        from aiohttp import web

        app = web.Application(client_max_size=64 * 2**20)
        for prefix in ("/v1", ""):
            app.router.add_post(f"{prefix}/chat/completions", self._complete)
            app.router.add_post(f"{prefix}/completions", self._complete)
            app.router.add_get(f"{prefix}/models", self._list_models)
            for path in ("/files", "/fine_tuning/{rest:.*}") if self.finetuning else ():
                app.router.add_route("*", prefix + path, self._finetune)
        # Cancelled when the client goes, so that a dropped request can be counted.
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self.port, backlog=1024)
        await site.start()
        self.port = runner.addresses[0][1]
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        ready.set()
        await self._stop.wait()
        await runner.cleanup()

    async def _list_models(self, request: web.Request) -> web.Response:
        from aiohttp import web

        rows = [{"id": name, "object": "model"} for name in self.models or ()]
        return web.json_response({"object": "list", "data": rows})

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        body = json.loads(await request.read())
        name = stable_hash(body)
        fault = self.faults.of(len(self.requests), name, self._seen[name])
        self._seen[name] += 1
        headers = {key.lower(): value for key, value in request.headers.items()}
        self.requests.append(Received(request.path, body, headers, fault))
        try:
            if self.latency:
                await asyncio.sleep(self.latency)
            refusal = self._refusal(body, headers)
            if refusal is not None:
                return refusal
            in_stream = fault in ("truncate", "malformed", "error") and bool(body.get("stream"))
            if fault is not None and not in_stream:
                return await self._fail(request, fault, body)
            return await self._answer(request, body, name, fault)
        except asyncio.CancelledError:
            self.dropped += 1
            raise

    async def _finetune(self, request: web.Request) -> web.StreamResponse:
        from aiohttp import web

        assert self.finetuning is not None
        content = await request.read()
        name = stable_hash([request.method, request.path_qs, len(content)])
        fault = self.faults.of(len(self.requests), name, self._seen[name])
        self._seen[name] += 1
        headers = {key.lower(): value for key, value in request.headers.items()}
        self.requests.append(Received(request.path, {"method": request.method}, headers, fault))
        refusal = self._refusal({}, headers, of_model=False)
        if refusal is not None:
            return refusal
        if fault is not None:
            return await self._fail(request, fault, {})
        status, body = self.finetuning.answer(request, content)
        begins = request.method == "POST" and request.path.endswith("/fine_tuning/jobs")
        if begins and self.finetuning.lose_answers > 0:
            self.finetuning.lose_answers -= 1
            _reset(request)
        return web.json_response(body, status=status)

    def _refusal(
        self, body: dict[str, Any], headers: dict[str, str], *, of_model: bool = True
    ) -> web.Response | None:
        if self.api_key is not None and self.api_key not in (
            headers.get("authorization", "").removeprefix("Bearer "),
            headers.get("api-key"),
        ):
            return _error(401, "Incorrect API key provided.", "invalid_api_key")
        model = body.get("model")
        if of_model and self.models is not None and model not in self.models:
            return _error(404, f"The model `{model}` does not exist.", "model_not_found")
        return None

    async def _answer(
        self, request: web.Request, body: dict[str, Any], name: str, broken: Any = None
    ) -> web.StreamResponse:
        from aiohttp import web

        try:
            reply = self._script.reply_to(body)
        except LookupError as error:
            return _error(400, f"The script of the local server has no reply: {error}", "no_reply")
        chat = request.path.endswith("/chat/completions")
        answer = body_for(reply, body, chat=chat, most=self.most_choices, usage=self.usage)
        if body.get("stream"):
            counted = bool((body.get("stream_options") or {}).get("include_usage"))
            response = await stream_answer(
                request, answer, chat=chat, split=self.split, pace=self.pace, usage=counted, broken=broken
            )
            if broken == "truncate":
                await asyncio.sleep(0.01)
                _reset(request)
            if broken is not None:
                return response
        else:
            response = web.Response(body=json.dumps(answer).encode(), content_type="application/json")
            await response.prepare(request)
        # Counted before the last bytes go, so that whoever has the answer finds it counted.
        self.answered[name] += 1
        try:
            await response.write_eof()
        except ConnectionError:
            self.answered[name] -= 1
        return response

    async def _fail(self, request: web.Request, fault: Kind, body: dict[str, Any]) -> web.StreamResponse:
        from aiohttp import web

        if isinstance(fault, int):
            headers = {"x-request-id": f"local-{len(self.requests)}"}
            if fault in (429, 503) and self.faults.retry_after is not None:
                headers["Retry-After"] = str(self.faults.retry_after)
            return _error(fault, f"Injected failure {fault}.", f"injected_{fault}", headers)
        if fault == "stall":
            await asyncio.Event().wait()
        if fault == "malformed":
            return web.Response(
                text='{"id": "local", "choices": [{"message": <', content_type="application/json"
            )
        if fault == "error":
            return web.json_response({"error": {"message": "Injected failure.", "code": 503}})
        if fault == "truncate":
            await _send_half(request)
        _reset(request)
        return web.Response()


def _error(status: int, message: str, code: str, headers: dict[str, str] | None = None) -> web.Response:
    from aiohttp import web

    body = {"error": {"message": message, "type": "local_server", "param": None, "code": code}}
    return web.json_response(body, status=status, headers=headers)


async def _send_half(request: web.Request) -> None:
    from aiohttp import web

    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "400"})
    await response.prepare(request)
    await response.write(b'{"id": "local", "choices": [{"message": {"role": "assistant", "content": "half of')
    await asyncio.sleep(0.01)


def _reset(request: web.Request) -> None:
    """Close so that the client sees a reset connection, not an orderly end."""
    transport = request.transport
    if transport is None:
        return
    listener = transport.get_extra_info("socket")
    if listener is not None:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def _main() -> None:
    import runpy

    runpy.run_module("telic.testing.responder", run_name="__main__")


if __name__ == "__main__":
    _main()
