"""`ParallelExecutor`: a function on many items at once, by telic's executor."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any

from telic.errors import EvaluationError
from telic.runtime.executor import bounded_map
from telic.runtime.settings import settings

_log = logging.getLogger("telic")


class ParallelExecutor:
    """Run a function on every item, in threads that see the caller's settings; results in order.

    Args:
        num_threads: how many at a time; `settings.num_threads` by default.
        max_errors: failures at which to stop; `settings.max_errors` by default.
        disable_progress_bar: accepted for compatibility; nothing is shown.
        provide_traceback: log tracebacks of failures.
        compare_results: accepted for compatibility.
        timeout: accepted for compatibility; deadlines are the LM's.
        straggler_limit: accepted for compatibility.

    Attributes:
        error_count: failures so far.
        failed_indices: places of the items that failed.
        exceptions_map: place to exception.
    """

    def __init__(
        self,
        num_threads: int | None = None,
        max_errors: int | None = None,
        disable_progress_bar: bool = False,
        provide_traceback: bool | None = None,
        compare_results: bool = False,
        timeout: int = 120,
        straggler_limit: int = 3,
    ) -> None:
        self.num_threads = num_threads or settings.num_threads
        self.max_errors = settings.max_errors if max_errors is None else max_errors
        self.disable_progress_bar = disable_progress_bar
        self.provide_traceback = (
            settings.provide_traceback if provide_traceback is None else provide_traceback
        )
        self.compare_results = compare_results
        self.timeout = timeout
        self.straggler_limit = straggler_limit
        self.error_count = 0
        self.error_lock = threading.Lock()
        self.failed_indices: list[int] = []
        self.exceptions_map: dict[int, BaseException] = {}

    def execute(self, function: Callable[[Any], Any], data: Sequence[Any]) -> list[Any]:
        """`function` of each item; `None` where it raised.

        Raises:
            EvaluationError: `max_errors` items failed.
        """
        items = list(data)

        def booked(index: int, item: Any, result: Any, error: BaseException | None) -> None:
            if error is not None:
                with self.error_lock:
                    self.error_count += 1
                    self.failed_indices.append(index)
                    self.exceptions_map[index] = error
                shown = error if self.provide_traceback else None
                _log.error("Item %d failed: %r", index, error, exc_info=shown)

        outcome = bounded_map(
            function,
            items,
            num_threads=self.num_threads,
            on_result=booked,
            stop=lambda _, count: count >= self.max_errors,
        )
        if self.error_count >= self.max_errors:
            first = outcome.failures[0].error
            raise EvaluationError(
                f"Stopped after {self.error_count} failures (max_errors={self.max_errors}). "
                f"The first: {first!r}"
            ) from first
        return outcome.results
