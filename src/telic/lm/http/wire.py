"""One engine's way to its server: where to post, with which headers, under which limit, and how often."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import aiohttp
from yarl import URL

from telic._json import decoded
from telic.errors import LMError, LMTimeoutError, LMTransportError, redact
from telic.lm.http import pool
from telic.lm.http.failures import Asked, Complaint, complaint_in, complaint_of, failure_of
from telic.lm.http.incoming import Incoming
from telic.lm.http.limiter import limiter_for
from telic.lm.http.persist import Persistence

if TYPE_CHECKING:
    from telic.lm.http.address import Address

CONNECT_WITHIN = 30.0
"""Seconds to wait for a connection at most; servers that are up accept at once."""


class Wire:
    """Posts bodies, patiently.

    Attributes:
        holds: what an answer has at its top level.

    Args:
        asked: who is asked, for messages.
        address: where it is.
        paths: of chat requests and of plain completions.
        headers: sent with every request.
        secret: the key that `headers` carry, to keep it out of messages.
        num_retries, backoff, timeout, deadline: as `HttpEngine` takes them.
    """

    holds: ClassVar[str] = "choices"

    def __init__(
        self,
        asked: Asked,
        address: Address,
        paths: tuple[str, str],
        headers: dict[str, str],
        secret: str | None,
        *,
        num_retries: int,
        backoff: float,
        timeout: float,
        deadline: float | None,
    ) -> None:
        self.chat_url = URL(address.url(paths[0]), encoded=True)
        self.text_url = URL(address.url(paths[1]), encoded=True)
        self.asked_again = 0
        self._asked = asked
        self._headers = headers
        self._secret = secret
        self._timeout = timeout
        self._client_timeout = _timeout(timeout)
        self._only_connecting = _timeout(timeout, whole=False)
        self._proxy = None if address.is_local else _proxy_for(self.chat_url)
        limiter = limiter_for(address.endpoint, secret)
        self._persistence = Persistence(asked, limiter, num_retries, backoff, deadline)

    def post(self, url: URL, body: bytes) -> Awaitable[tuple[dict[str, Any], float]]:
        """Post until there is an answer.

        Returns:
            The answer's JSON, which has choices, and the seconds it took (of the try that succeeded).

        Raises:
            LMError: of the last try.
        """
        return self._persistence.ask(lambda left: self._try(url, body, left))

    async def stream(self, url: URL, body: bytes) -> Incoming:
        """Post until an answer begins to arrive; to be given back to `finish`.

        Raises:
            LMError: of the last try.
        """
        incoming, _ = await self._persistence.ask(lambda left: self._open(url, body, left), keep=True)
        return incoming

    def finish(self, incoming: Incoming) -> None:
        """Close a stream, wherever it is."""
        incoming.close()
        self._persistence.release()

    async def _open(self, url: URL, body: bytes, left: float | None) -> Incoming:
        """Post once, and wait for the first payload."""
        try:
            timeout = self._client_timeout if left is None else _timeout(min(self._timeout, left))
            answer = await self._posting(await pool.session(), url, body, timeout)
        except (aiohttp.ClientError, OSError) as error:
            broken = self._broken(error)
        else:
            try:
                if answer.status == 200 and "json" not in answer.content_type:
                    return await Incoming(answer, self._event, self._broken).begin()
                return Incoming(None, self._event, self._broken, await self._content(answer))
            except BaseException:
                answer.close()
                raise
        raise broken

    async def _content(self, answer: aiohttp.ClientResponse) -> dict[str, Any]:
        """The payload of an answer that is no stream, or the failure it reports."""
        try:
            content = await answer.read()
        except (aiohttp.ClientError, OSError) as error:
            broken = self._broken(error)
        else:
            if answer.status == 200:
                return self._payload(content, answer.headers)
            raise self._failure(answer.status, answer.headers, complaint_of(content))
        raise broken

    def _posting(
        self, session: aiohttp.ClientSession, url: URL, body: bytes, timeout: aiohttp.ClientTimeout
    ) -> Any:
        """The request, about to be made: to be awaited, or entered."""
        return session.post(
            url,
            data=body,
            headers=self._headers,
            timeout=timeout,
            allow_redirects=False,
            proxy=self._proxy,
        )

    async def _try(self, url: URL, body: bytes, left: float | None) -> dict[str, Any]:
        """Post once."""
        held = await pool.held()
        try:
            if left is None:
                with held.watch(self._timeout).limit():
                    async with self._posting(held.session, url, body, self._only_connecting) as answer:
                        content = await answer.read()
            else:
                timeout = _timeout(min(self._timeout, left))
                async with self._posting(held.session, url, body, timeout) as answer:
                    content = await answer.read()
        except (aiohttp.ClientError, OSError) as error:
            broken = self._broken(error)
        else:
            if answer.status == 200:
                return self._payload(content, answer.headers)
            raise self._failure(answer.status, answer.headers, complaint_of(content))
        # Raised out here, because some of aiohttp's errors carry the request's headers, key included.
        raise broken

    def _payload(self, content: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
        """Read a body that should be an answer."""
        try:
            payload = decoded(content)
        except ValueError:
            payload = None
        if isinstance(payload, dict):
            if payload.get(self.holds):
                return payload
            if payload.get("error"):
                raise self._reported(payload, headers)
        self.asked_again += 1
        raise self._transport("sent an answer that is not one", f"It begins with {content[:80]!r}.")

    def _event(self, data: bytes) -> dict[str, Any]:
        """Read the data of an event that should be a part of an answer."""
        try:
            payload = decoded(data)
        except ValueError:
            payload = None
        if not isinstance(payload, dict):
            raise self._transport("sent an event that cannot be read", f"It begins with {data[:80]!r}.")
        if payload.get("error"):
            raise self._reported(payload, {})
        return payload

    def _reported(self, payload: dict[str, Any], headers: Mapping[str, str]) -> LMError:
        """The failure in a body that came with 200: some gateways put their provider's there."""
        said = complaint_in(payload)
        code = said.code.partition(" ")[0]
        status = int(code) if code.isdigit() and 400 <= int(code) < 600 else 502
        return self._failure(status, headers, said)

    def _failure(self, status: int, headers: Mapping[str, str], said: Complaint) -> LMError:
        return failure_of(status, headers, replace(said, message=self._clean(said.message)), self._asked)

    def _broken(self, error: Exception) -> LMError:
        """Map what aiohttp raises."""
        if isinstance(error, (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)):
            reason = getattr(error, "os_error", None) or f"no connection within {CONNECT_WITHIN:g} s"
            return self._transport(
                "cannot be reached", f"{reason}. Is the server running, and is api_base right?"
            )
        if isinstance(error, TimeoutError):
            return self._late(f"gave no complete answer within {self._timeout:g} s")
        if isinstance(error, aiohttp.ClientPayloadError):
            self.asked_again += 1
            return self._transport("sent an answer that was cut short", "The connection ended before it did.")
        return self._transport("broke the connection", f"{type(error).__name__}: {error}")

    def _late(self, what: str) -> LMTimeoutError:
        message = f"{self._asked.model} at {self._asked.endpoint} {what}."
        return LMTimeoutError(message, model=self._asked.model, provider=self._asked.provider)

    def _transport(self, what: str, detail: str) -> LMTransportError:
        message = f"{self._asked.model} at {self._asked.endpoint} {what}. {self._clean(detail)}"
        return LMTransportError(message, model=self._asked.model, provider=self._asked.provider)

    def _clean(self, text: str) -> str:
        """Take the key out, whatever it looks like, and whatever else looks like one."""
        text = redact(text)
        return text.replace(self._secret, "***") if self._secret else text


def _timeout(seconds: float, *, whole: bool = True) -> aiohttp.ClientTimeout:
    """Limits of one try; `whole` where no watch is kept over it."""
    return aiohttp.ClientTimeout(total=seconds if whole else None, sock_connect=min(seconds, CONNECT_WITHIN))


def _proxy_for(url: URL) -> str | None:
    """The proxy the environment names for `url`; looked up once, because reading the environment is slow."""
    from urllib.request import getproxies, proxy_bypass

    if url.host is None or proxy_bypass(url.host):
        return None
    return getproxies().get(url.scheme)
