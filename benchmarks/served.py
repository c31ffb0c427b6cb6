"""An embedded model behind OpenAI's HTTP interface, for libraries that reach models only that way.

As a program (`python -m benchmarks.served --model local/smollm2-135m`) it prints its base URL and serves
until it is ended. `GET /spent` tells how many answers were asked for, how many of these were not given (yet),
and the CPU seconds that all took.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from typing import Any

from benchmarks.framework.sides import ROOT

_OURS = ("model", "messages", "prompt", "stream")


class Front:
    """Routes of the server, and the count of what it was asked.

    Args:
        model: what the engine calls it.
        engine: answers; it must run in this process.
    """

    def __init__(self, model: str, engine: Any) -> None:
        self.model = model
        self.engine = engine
        self.calls = 0
        self.answered = 0

    async def chat(self, request: Any) -> Any:
        """`POST /v1/chat/completions`."""
        from aiohttp import web

        from telic.errors import LMError
        from telic.types import Request

        body = await request.json()
        self.calls += 1
        params = {name: value for name, value in body.items() if name not in _OURS and value is not None}
        asked = Request(self.model, self.engine.endpoint, messages=body["messages"], params=params)
        try:
            response = await self.engine.acomplete(asked)
        except LMError as error:
            status = error.status or 500
            return web.json_response({"error": {"message": str(error), "code": status}}, status=status)
        self.answered += 1
        return web.json_response(_answer(response))

    async def spent(self, request: Any) -> Any:
        """`GET /spent`."""
        from aiohttp import web

        unanswered = self.calls - self.answered
        found = {"calls": self.calls, "unanswered": unanswered, "cpu_seconds": time.process_time()}
        return web.json_response(found)


def _answer(response: Any) -> dict[str, Any]:
    choices = [
        {
            "index": index,
            "message": {"role": "assistant", "content": choice.text},
            "finish_reason": choice.finish_reason,
        }
        for index, choice in enumerate(response.choices)
    ]
    return {
        "id": "chatcmpl-0",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": response.model,
        "choices": choices,
        "usage": response.usage.to_json(),
    }


async def serve(front: Front) -> None:
    """Print the base URL, and serve until the process is ended."""
    import asyncio

    from aiohttp import web

    app = web.Application()
    app.router.add_post("/v1/chat/completions", front.chat)
    app.router.add_get("/spent", front.spent)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    print(f"http://127.0.0.1:{port}/v1", flush=True)
    await asyncio.Event().wait()


class ServedModel:
    """The server in a process of its own.

        with ServedModel("local/smollm2-135m") as served:
            client = OpenAI(base_url=served.url)

    Args:
        model: as in `telic.LM(model)`.
        program: a module that serves another model, with its arguments, in place of this one.

    Attributes:
        url: base URL, ending in `/v1`.
    """

    def __init__(self, model: str = "", program: Sequence[str] = ()) -> None:
        module = program or ("benchmarks.served", "--model", model)
        command = [sys.executable, "-m", *module]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        if not self.url:
            raise RuntimeError("the server of the model did not start (its errors are above)")

    def spent(self) -> dict[str, float]:
        """`calls`, of them `unanswered` (refused, or under way), and `cpu_seconds` so far."""
        with urllib.request.urlopen(self.url.removesuffix("/v1") + "/spent", timeout=60) as answer:
            found: dict[str, float] = json.loads(answer.read())
        return found

    def __enter__(self) -> ServedModel:
        return self

    def __exit__(self, *error: object) -> None:
        self._process.terminate()
        self._process.wait(timeout=60)


if __name__ == "__main__":
    import asyncio

    from telic.lm.embedded.engine import EmbeddedEngine

    parser = argparse.ArgumentParser(prog="python -m benchmarks.served", description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--adapter", help="a LoRA on it: a GGUF file, or the folder of a trained model")
    given = parser.parse_args()
    asyncio.run(serve(Front(given.model, EmbeddedEngine(given.model, adapter=given.adapter))))
