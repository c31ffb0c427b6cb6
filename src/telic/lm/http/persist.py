"""Asking until there is an answer: in turn, again after failures that pass, within the deadline."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from time import monotonic, perf_counter
from typing import TypeVar

from telic.errors import LMError, LMRateLimitError, LMTimeoutError
from telic.lm.http.failures import Asked
from telic.lm.http.limiter import Limiter
from telic.lm.http.retry import PATIENCE, Retries

R = TypeVar("R")
_log = logging.getLogger("telic.lm")
NOTABLE_PAUSE = 10.0
"""Seconds; a longer pause is logged, or a program that waits would look like one that hangs."""


class Persistence:
    """How one engine asks.

    Args:
        asked: who is asked, for messages.
        limiter: of the endpoint and key.
        num_retries: tries after a passing failure.
        backoff: seconds of the first back-off.
        deadline: seconds that all tries together may take, or `None`.
    """

    def __init__(
        self, asked: Asked, limiter: Limiter, num_retries: int, backoff: float, deadline: float | None
    ) -> None:
        self._asked = asked
        self._limiter = limiter
        self._num_retries = num_retries
        self._backoff = backoff
        self._deadline = deadline

    async def ask(
        self, attempt: Callable[[float | None], Awaitable[R]], *, keep: bool = False
    ) -> tuple[R, float]:
        """Make attempts until one succeeds.

        Args:
            attempt: asks once; told the seconds that are left, if there is a deadline.
            keep: the answer is only beginning, so its place among the requests under way is kept until
                `release`.

        Returns:
            What the attempt gave, and the seconds it took.

        Raises:
            LMError: of the last attempt.
        """
        limiter = self._limiter
        retries: Retries | None = None
        end = None if self._deadline is None else monotonic() + self._deadline
        while True:
            started = limiter.enter_now()
            if started is None:
                started = await self._turn(end, first=retries is not None)
            answered = False
            try:
                begun = perf_counter()
                answer = await attempt(None if end is None else max(0.001, end - monotonic()))
                answered = True
                return answer, perf_counter() - begun
            except LMError as error:
                if error.retry_after is not None:
                    self._slow_down(started, error.retry_after)
                retries = retries or Retries(self._num_retries, self._backoff, end)
                wait = retries.wait(error)
                if error.retry_after is None and isinstance(error, LMRateLimitError):
                    self._slow_down(started, wait)
            finally:
                if not (keep and answered):
                    limiter.leave(answered=answered)
            await asyncio.sleep(wait)

    def release(self) -> None:
        """Give back the place that `ask` kept."""
        self._limiter.leave(answered=True)

    async def _turn(self, end: float | None, *, first: bool) -> float:
        """Wait for the limiter; see `Limiter.enter`."""
        if end is None:
            return await self._limiter.enter(first=first)
        try:
            async with asyncio.timeout(end - monotonic()):
                return await self._limiter.enter(first=first)
        except TimeoutError:
            raise LMTimeoutError(
                f"{self._asked.model}: {self._asked.endpoint} asked to be asked less often, and the deadline "
                "passed before it was this request's turn.",
                model=self._asked.model,
                provider=self._asked.provider,
            ) from None

    def _slow_down(self, started: float, pause: float) -> None:
        """Hold back all requests to the endpoint, if the pause is one that they are patient enough for."""
        if pause <= PATIENCE:
            self._limiter.throttle(started, pause)
            if pause > NOTABLE_PAUSE:
                _log.warning("%s asks to wait %.0f s before the next request.", self._asked.endpoint, pause)
