"""A bare HTTP/1.1 responder for benchmarks: one answer for all, far faster than what is measured against it.

It reads no JSON. `GET /count` tells how many requests were answered.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import signal

from telic.testing.replies import body_for

_LENGTH = re.compile(rb"(?i)content-length: *(\d+)")


class Responder(asyncio.Protocol):
    """One connection. Requests on it are answered in order, as clients without pipelining send them."""

    answered = 0
    chat: bytes
    text: bytes
    latency: float
    loop: asyncio.AbstractEventLoop

    def __init__(self) -> None:
        self._buffer = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each complete request after the latency."""
        self._buffer = buffer = self._buffer + data if self._buffer else data
        while (end := buffer.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(buffer, 0, end)
            total = end + 4 + (int(length[1]) if length else 0)
            if len(buffer) < total:
                break
            self._reply(buffer[: buffer.find(b"\r\n")])
            self._buffer = buffer = buffer[total:]

    def _reply(self, line: bytes) -> None:
        if line.startswith(b"GET /count"):
            self._transport.write(framed(str(Responder.answered).encode()))
            return
        answer = self.chat if b"/chat/" in line else self.text
        if self.latency:
            self.loop.call_later(self.latency, self._send, answer)
        else:
            self._send(answer)

    def _send(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            Responder.answered += 1
            self._transport.write(answer)


def framed(body: bytes) -> bytes:
    """A complete answer with its head."""
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
        len(body),
        body,
    )


async def serve(host: str, port: int, reply: str, latency: float) -> None:
    """Answer until SIGTERM or SIGINT; prints the base URL when ready."""
    loop = asyncio.get_running_loop()
    asked = {"model": "local", "messages": [{"role": "user", "content": "word " * 100}]}
    Responder.loop, Responder.latency = loop, latency
    Responder.chat, Responder.text = (
        framed(json.dumps(body_for(reply, asked, chat=chat, most=1, usage=True)).encode())
        for chat in (True, False)
    )
    server = await loop.create_server(Responder, host, port, backlog=4096)
    print(f"http://{host}:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()
    server.close()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m telic.testing.server", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--latency-ms", type=float, default=0.0, help="before each answer")
    parser.add_argument("--reply", default="ok", help="text of every answer")
    given = parser.parse_args()
    asyncio.run(serve(given.host, given.port, given.reply, given.latency_ms / 1000))


if __name__ == "__main__":
    main()
