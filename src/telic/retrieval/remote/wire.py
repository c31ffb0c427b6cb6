"""One search over HTTP, as ColBERT servers answer it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from time import monotonic
from typing import Any

import aiohttp

from telic._json import decoded, encoded
from telic.errors import (
    LMAuthError,
    LMConfigurationError,
    LMError,
    LMInvalidRequestError,
    LMRateLimitError,
    LMServerError,
    LMTimeoutError,
    LMTransportError,
)
from telic.lm.http import pool
from telic.lm.http.failures import Asked, Complaint, complaint_in, complaint_of
from telic.lm.http.limiter import limiter_for
from telic.lm.http.persist import Persistence
from telic.lm.http.retry import retry_after

_LONG = 2_000
_CONNECT_WITHIN = 10.0
"""Seconds to wait for a connection; servers that are up accept at once."""


class SearchWire:
    """Asks one server, over the connections that all of telic shares, again after failures that pass.

    Args:
        url: what is asked, whole.
        post: send the query as JSON, and not in the address.
        timeout: seconds one try may take.
        num_retries: tries after a passing failure.
        deadline: seconds that all tries together may take, or `None`.
    """

    def __init__(
        self, url: str, *, post: bool, timeout: float, num_retries: int, deadline: float | None
    ) -> None:
        self.url = url
        self.shown = public(url)
        self._post = post
        self._timeout = timeout
        asked = Asked("ColBERTv2", "colbertv2", self.shown)
        self._persistence = Persistence(asked, limiter_for(self.shown, None), num_retries, 0.5, deadline)

    async def search(self, query: str, k: int) -> tuple[list[dict[str, Any]], float]:
        """The rows that the server found, and the seconds it took.

        Raises:
            LMError: one of its kinds, after all retries.
        """
        return await self._persistence.ask(lambda left: self._try(query, k, left))

    async def _try(self, query: str, k: int, left: float | None) -> list[dict[str, Any]]:
        seconds = self._timeout if left is None else min(self._timeout, left)
        timeout = aiohttp.ClientTimeout(total=seconds, sock_connect=min(seconds, _CONNECT_WITHIN))
        began = monotonic()
        try:
            async with self._asking(await pool.session(), query, k, timeout) as answer:
                content = await answer.read()
        except (aiohttp.ClientError, OSError) as error:
            raise self._broken(error, monotonic() - began) from error
        if answer.status != 200:
            failure = self._failure(answer.status, answer.headers, complaint_of(content))
            if not self._post and len(query) > _LONG and answer.status in (400, 414, 431):
                failure.message += f"\nThe query has {len(query):,} characters: try post_requests=True."
            raise failure
        return self._rows(content)

    def _asking(
        self, session: aiohttp.ClientSession, query: str, k: int, timeout: aiohttp.ClientTimeout
    ) -> Any:
        if self._post:
            headers = {"Content-Type": "application/json; charset=utf-8"}
            return session.post(
                self.url, data=encoded({"query": query, "k": k}), headers=headers, timeout=timeout
            )
        return session.get(self.url, params={"query": query, "k": str(k)}, timeout=timeout)

    def _rows(self, content: bytes) -> list[dict[str, Any]]:
        try:
            payload = decoded(content)
        except ValueError:
            raise LMTransportError(
                f"The retrieval server at {self.shown} sent an answer that is not JSON; it begins with "
                f"{content[:80]!r}. Is it the address of a ColBERT server's search?"
            ) from None
        if isinstance(payload, Mapping) and isinstance(payload.get("topk"), list):
            return [dict(row) for row in payload["topk"]]
        if isinstance(payload, Mapping) and payload.get("error"):
            said = complaint_in({"message": str(payload.get("message") or payload["error"])})
            raise LMServerError(
                f"The retrieval server at {self.shown} failed: {said.message}", provider="colbertv2"
            )
        raise LMInvalidRequestError(
            f"The retrieval server at {self.shown} sent an answer without 'topk'; it begins with "
            f"{content[:80]!r}. Is it the address of a ColBERT server's search?"
        )

    def _failure(self, status: int, headers: Mapping[str, str], said: Complaint) -> LMError:
        where = f"The retrieval server at {self.shown} answered {status}: {said.message or '(no message)'}"
        if status in (401, 403):
            return LMAuthError(f"{where}\nIt does not let us in.", status=status)
        if status in (404, 405):
            return LMConfigurationError(f"{where}\nCheck the url, and post_requests.", status=status)
        if status == 429 or status >= 500:
            kind = LMRateLimitError if status == 429 else LMServerError
            return kind(where, status=status, retry_after=retry_after(headers, limited=status == 429))
        return LMInvalidRequestError(where, status=status)

    def _broken(self, error: Exception, seconds: float) -> LMError:
        where = f"The retrieval server at {self.shown}"
        if isinstance(error, aiohttp.ClientConnectorError):
            return LMTransportError(f"{where} cannot be reached ({error.os_error}). Is it running?")
        if isinstance(error, aiohttp.InvalidURL):
            return LMConfigurationError(f"{where}: that is no address. Write it as http://host:port/path.")
        if isinstance(error, TimeoutError):
            return LMTimeoutError(f"{where} gave no answer within {seconds:.1f} s.")
        return LMTransportError(f"{where} broke the connection: {type(error).__name__}: {error}")


def public(url: str) -> str:
    """An address without the name and password in it."""
    return re.sub(r"(?<=://)[^/@]*@", "", url)
