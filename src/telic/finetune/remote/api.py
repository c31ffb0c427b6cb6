"""OpenAI's finetuning interface over telic's own connections: files up, jobs begun, looked at and stopped.

Each request is patient as those of models are: retries, rate limits, `Retry-After`, time limits, and errors
without a key in them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import aiohttp
from yarl import URL

from telic._json import decoded, encoded
from telic.errors import LMError
from telic.lm.http.engine import HttpEngine
from telic.lm.http.wire import Wire
from telic.runtime import portal

_PAGE = 100
_BOUNDARY = "telic-training-data-7f3a9c1e"
_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class _Call:
    """A request that is not a post of JSON."""

    method: str
    body: bytes | None
    content_type: str


_GET = _Call("GET", None, _JSON)


class _ApiWire(Wire):
    """A wire for any method; an answer is any object with an id or a list."""

    async def call(self, url: URL, call: _Call) -> dict[str, Any]:
        """Ask until there is an answer."""
        answer, _ = await self._persistence.ask(lambda left: self._try(url, call, left))  # type: ignore[arg-type]
        return answer

    def ask_once(self) -> None:
        """From here on, leave failures to the caller."""
        self._persistence._num_retries = 0

    def _posting(
        self, session: aiohttp.ClientSession, url: URL, body: Any, timeout: aiohttp.ClientTimeout
    ) -> Any:
        headers = {**self._headers, "Content-Type": body.content_type}
        return session.request(
            body.method,
            url,
            data=body.body,
            headers=headers,
            timeout=timeout,
            allow_redirects=False,
            proxy=self._proxy,
        )

    def _payload(self, content: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
        try:
            payload = decoded(content)
        except ValueError:
            payload = None
        # A job that failed has an `error` of its own, and is an answer all the same.
        if isinstance(payload, dict) and ("id" in payload or isinstance(payload.get("data"), list)):
            return payload
        return super()._payload(content, headers)


class Api:
    """The interface at one address.

    Args:
        engine: of a model there; has the address, the key and the patience.
    """

    def __init__(self, engine: HttpEngine) -> None:
        self.engine = engine
        self._wires: dict[bool, _ApiWire] = {}

    @property
    def endpoint(self) -> str:
        """Base URL; no secret."""
        return self.engine.endpoint

    @property
    def provider(self) -> str:
        """The part of model names before the slash."""
        return self.engine.provider.name

    @property
    def is_openai(self) -> bool:
        """The provider itself, with its limits."""
        return self.provider == "openai" and self.endpoint == self.engine.provider.base

    def key_is_there(self) -> None:
        """Look for the key, without asking the server.

        Raises:
            LMAuthError: a key is needed and there is none.
        """
        self._connected()

    def upload(self, name: str, content: bytes) -> dict[str, Any]:
        """Send a file of training data; returns its row, with an `id`."""
        head = (
            f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nfine-tune\r\n'
            f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
            "Content-Type: application/jsonl\r\n\r\n"
        )
        body = head.encode() + content + f"\r\n--{_BOUNDARY}--\r\n".encode()
        return self._call("/files", _Call("POST", body, f"multipart/form-data; boundary={_BOUNDARY}"))

    def files(self) -> Iterator[dict[str, Any]]:
        """Files for finetuning, newest first."""
        return self._pages("/files", {"purpose": "fine-tune"})

    def create(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Begin a job. Asked once: whether a failure left a job behind has to be looked up by the caller.

        Raises:
            LMError: of the one try.
        """
        call = _Call("POST", encoded(dict(body)), _JSON)
        return self._call("/fine_tuning/jobs", call, once=True)

    def jobs(self) -> Iterator[dict[str, Any]]:
        """Jobs, newest first."""
        return self._pages("/fine_tuning/jobs", {})

    def job(self, job: str) -> dict[str, Any]:
        """A job's row."""
        return self._call(f"/fine_tuning/jobs/{quote(job, safe='')}")

    def cancel(self, job: str) -> dict[str, Any]:
        """Stop a job; returns its row."""
        call = _Call("POST", b"", _JSON)
        return self._call(f"/fine_tuning/jobs/{quote(job, safe='')}/cancel", call)

    def events(self, job: str, limit: int = 20) -> list[dict[str, Any]]:
        """What a job reported last, newest first."""
        path = f"/fine_tuning/jobs/{quote(job, safe='')}/events?limit={limit}"
        rows: list[dict[str, Any]] = self._call(path).get("data") or []
        return rows

    def _pages(self, path: str, query: dict[str, Any]) -> Iterator[dict[str, Any]]:
        after: str | None = None
        while True:
            asked = {**query, "limit": _PAGE, **({} if after is None else {"after": after})}
            page = self._call(f"{path}?{urlencode(asked)}")
            rows = page.get("data") or []
            yield from rows
            last = rows[-1].get("id") if rows else None
            if not page.get("has_more") or last is None or last == after:
                return
            after = last

    def _call(self, path: str, call: _Call = _GET, *, once: bool = False) -> dict[str, Any]:
        wire = self._connected(once=once)
        url = URL(self.engine.address.url(path), encoded=True)
        return portal.run(wire.call(url, call))

    def _connected(self, *, once: bool = False) -> _ApiWire:
        if once not in self._wires:
            path = "/fine_tuning/jobs"
            wire = self.engine.wire(_ApiWire, (path, path))
            if once:
                wire.ask_once()
            self._wires[once] = wire
        return self._wires[once]


def not_there(error: LMError) -> bool:
    """Whether a server says that it has no such thing."""
    return error.status == 404
