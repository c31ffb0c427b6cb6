"""Whether to ask again, and when.

The loop is our own: libraries for retrying wrap a function and know only its exception, while here the wait
comes from the server (`Retry-After`), is shared by all requests to the endpoint, and uses up no retry.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from time import monotonic, time

from telic.errors import LMError, LMRateLimitError, LMServerError, LMTransportError, is_retryable_lm_error

LONGEST_TRY = 600.0
"""Seconds that one try may take unless the user says otherwise; long answers do take minutes."""
LONGEST_BACKOFF = 8.0
"""Seconds; the back-off doubles up to here."""
PATIENCE = 600.0
"""Seconds that one request lets itself be put off by `Retry-After` before it gives up."""
MOST_REFUSALS = 64
"""Times that one request lets itself be put off."""


class Retries:
    """The tries of one request.

    A server that says when to come back is obeyed without using up a retry, within `PATIENCE`. Every other
    passing failure uses one up and is followed by a back-off of `backoff * 2**tries` seconds, jittered.

    Args:
        limit: how many retries there are; 0 also means not to wait for `Retry-After`.
        backoff: seconds of the first back-off.
        deadline: no try starts after this time (`time.monotonic`).
    """

    __slots__ = ("_backoff", "_deadline", "_limit", "_patience", "_refusals", "asked", "failed")

    def __init__(self, limit: int, backoff: float, deadline: float | None) -> None:
        self._limit = limit
        self._backoff = backoff
        self._deadline = deadline
        self._patience = PATIENCE
        self._refusals = 0
        self.asked = 0
        self.failed = 0

    def wait(self, error: LMError) -> float:
        """Seconds to wait before the next try.

        Raises:
            LMError: `error` itself, where asking again is of no use or the tries are spent.
        """
        self.asked += 1
        put_off = error.retry_after is not None and isinstance(error, (LMRateLimitError, LMServerError))
        if not is_retryable_lm_error(error) or (not put_off and self.failed >= self._limit):
            raise self._final(error)
        delay = self._put_off(error) if put_off else self._back_off(error)
        if self._deadline is not None and monotonic() + delay >= self._deadline:
            raise self._final(error)
        return delay

    def _put_off(self, error: LMError) -> float:
        asked = error.retry_after or 0.0
        # A server that keeps saying "at once" is asked less and less often all the same.
        floor: float = min(self._backoff * 2**self._refusals / 16, LONGEST_BACKOFF)
        # Never before the time that was asked for, and not all who were refused at once.
        delay = max(asked, floor) + random.random() * min(1.0, max(asked, floor) / 4)
        self._refusals += 1
        self._patience -= delay
        if self._limit == 0 or self._patience < 0 or self._refusals > MOST_REFUSALS:
            raise self._final(error)
        return delay

    def _back_off(self, error: LMError) -> float:
        first = self.failed == 0
        self.failed += 1
        if first and isinstance(error, LMTransportError):
            # Most often an idle connection that the server had closed: ask again at once.
            return self._backoff / 10 * random.uniform(0.5, 1.0)
        longest: float = min(self._backoff * 2 ** (self.failed - 1), LONGEST_BACKOFF)
        return longest * random.uniform(0.5, 1.0)

    def _final(self, error: LMError) -> LMError:
        if self.asked > 1:
            error.message = f"{error.message} (asked {self.asked} times)"
        return error


_SPAN = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s|d)")
_UNIT = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def retry_after(headers: Mapping[str, str], *, limited: bool) -> float | None:
    """Seconds the server asks to wait, from whichever header says so.

    Args:
        headers: of the answer, case-insensitive.
        limited: the answer is a 429, so that `x-ratelimit-reset-*` says when to come back.
    """
    precise = headers.get("retry-after-ms")
    if precise is not None and (number := _number(precise)) is not None:
        return max(0.0, number / 1000)
    plain = headers.get("retry-after")
    if plain is not None and (seconds := _seconds(plain)) is not None:
        return seconds
    if not limited:
        return None
    spans = [_span(headers[name]) for name in headers if name.lower().startswith("x-ratelimit-reset")]
    known = [span for span in spans if span is not None]
    # The window that is full is the one that matters, and which one is not said: the shorter is tried first.
    return min(known) if known else None


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _seconds(text: str) -> float | None:
    """Read `Retry-After`: a number of seconds or an HTTP date."""
    number = _number(text)
    if number is not None:
        return max(0.0, number)
    from email.utils import parsedate_to_datetime

    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time())
    except ValueError:
        return None


def _span(text: str) -> float | None:
    """Read a reset time: `"6m0s"`, `"20ms"`, plain seconds, or a Unix time."""
    number = _number(text)
    if number is not None:
        if number > 1e11:
            number /= 1000
        return max(0.0, number - time()) if number > 1e9 else max(0.0, number)
    parts = _SPAN.findall(text)
    return sum(float(value) * _UNIT[unit] for value, unit in parts) if parts else None
