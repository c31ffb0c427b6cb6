"""What LM calls took: tokens by model, calls, money."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from telic.runtime import scope as scopes
from telic.types import Request, Response


class UsageTracker:
    """Adds up the calls of a scope, in all threads and tasks that run in it.

    Answers that came out of the record took nothing, and are only counted.

    Attributes:
        calls: answers paid for.
        cached_calls: answers from the record.
        cost: US dollars; `None` where the price of some call is unknown.
        known_cost: US dollars of the calls whose price is known.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._usage: dict[str, dict[str, Any]] = {}
        self.calls = 0
        self.cached_calls = 0
        self.known_cost = 0.0
        self._unknown = 0

    @property
    def cost(self) -> float | None:
        """See above."""
        return None if self._unknown else self.known_cost

    def add(self, request: Request, response: Response) -> None:
        """Note an answered call."""
        if response.cached:
            with self._lock:
                self.cached_calls += 1
            return
        usage = response.usage.to_json()
        with self._lock:
            self.calls += 1
            if response.cost is None:
                self._unknown += 1
            else:
                self.known_cost += response.cost
            _merge(self._usage.setdefault(request.model, {}), usage)

    def add_usage(self, lm: str, usage_entry: Mapping[str, Any]) -> None:
        """Note the usage of one call by hand, in OpenAI's shape."""
        if usage_entry:
            with self._lock:
                _merge(self._usage.setdefault(lm, {}), usage_entry)

    def get_total_tokens(self) -> dict[str, dict[str, Any]]:
        """Sums by model, in OpenAI's shape."""
        with self._lock:
            return {model: _merge({}, usage) for model, usage in self._usage.items()}


@contextmanager
def track_usage() -> Iterator[UsageTracker]:
    """Add up what the calls of a block take, wherever they are made: `with track_usage() as usage: …`."""
    tracker = UsageTracker()
    with scopes.within(sinks=(*scopes.current().sinks, tracker)):
        yield tracker


def _merge(total: dict[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    """Add numbers, go into dicts, keep the latest of anything else."""
    for name, value in entry.items():
        if isinstance(value, Mapping):
            _merge(total.setdefault(name, {}), value)
        elif isinstance(value, (int, float)) and isinstance(total.get(name, 0), (int, float)):
            total[name] = total.get(name, 0) + value
        elif value is not None:
            total[name] = value
    return total
