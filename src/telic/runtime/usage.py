"""Usage of a block of code: calls, tokens and cost by model, whatever threads and tasks made the calls."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from telic.runtime import scope as scopes
from telic.types import Request, Response, Usage


class UsageTracker:
    """Counts LM calls. Answers from the record are counted apart; they took no tokens.

    Attributes:
        calls: calls that were paid for.
        cached_calls: calls answered from the record.
        cost: US dollars of the paid calls, `None` where a price is unknown.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._usage: dict[str, Usage] = {}
        self.calls = 0
        self.cached_calls = 0
        self.cost: float | None = 0.0

    def add(self, request: Request, response: Response) -> None:
        """Book one call."""
        with self._lock:
            if response.cached:
                self.cached_calls += 1
                return
            self.calls += 1
            self._usage[request.model] = self._usage.get(request.model, Usage()) + response.usage
            if self.cost is not None:
                self.cost = None if response.cost is None else self.cost + response.cost

    def get_total_tokens(self) -> dict[str, dict[str, Any]]:
        """Tokens by model, by OpenAI's names."""
        with self._lock:
            return {model: usage.to_json() for model, usage in self._usage.items()}


@contextmanager
def track_usage() -> Iterator[UsageTracker]:
    """Count every LM call made in a block, in whatever threads and tasks telic makes it."""
    tracker = UsageTracker()
    with scopes.within(sinks=(*scopes.current().sinks, tracker)):
        yield tracker
