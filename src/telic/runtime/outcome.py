"""What became of a bounded map: results in order, failures counted apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Generic, TypeAlias, TypeVar

from telic.runtime import cancel

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Failure(Generic[T]):
    """One item whose function raised.

    Attributes:
        index: the item's place in the input, from 0.
        item: the item.
        error: what was raised, with its traceback.
    """

    index: int
    item: T
    error: BaseException


@dataclass(slots=True)
class Outcome(Generic[T, R]):
    """Everything that was done, whether or not the map came to its end.

    Attributes:
        results: one place per item that was begun, in input order; `None` where it failed.
        failures: the items that raised, in the order in which they did.
        stopped: `stop` said so before the items were exhausted.
    """

    results: list[R | None] = field(default_factory=list)
    failures: list[Failure[T]] = field(default_factory=list)
    stopped: bool = False

    def values(self) -> list[R]:
        """The results of the items that did not fail, in input order."""
        failed = {failure.index for failure in self.failures}
        return [value for i, value in enumerate(self.results) if i not in failed]  # type: ignore[misc]


OnResult: TypeAlias = Callable[[int, T, R | None, BaseException | None], None]
"""Told of each finished item: index, item, result, error (one of the last two is `None`)."""
Stop: TypeAlias = int | Callable[[Failure[T], int], bool] | None
"""When to stop beginning items: at so many failures, or when `stop(failure, failures_so_far)` is true."""


class Ledger(Generic[T, R]):
    """Hands out items and books what became of them; the part that threads and coroutines share.

    Args:
        items: pulled from one at a time, under a lock, when a worker is free.
        on_result: see `OnResult`; called under a lock, one call at a time.
        stop: see `Stop`.
    """

    def __init__(self, items: Iterator[T], on_result: OnResult[T, R] | None, stop: Stop[T]) -> None:
        self.outcome: Outcome[T, R] = Outcome()
        self.crash: BaseException | None = None
        self.cancellation = cancel.Cancellation(cancel.current.get())
        self.context: Context = copy_context()
        self.context.run(cancel.current.set, self.cancellation)
        self.closed = False
        self._items = items
        self._on_result = on_result
        self._stop = stop
        self._pulling = Lock()
        self._booking = Lock()

    def pull(self) -> tuple[int, T] | None:
        """The next item and its index, or `None` where there is none to begin."""
        with self._pulling:
            if self.closed or self.cancellation.cancelled:
                return None
            try:
                item = next(self._items)
            except StopIteration:
                self.closed = True
                return None
            except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
                self.fail_all(error)
                return None
            results = self.outcome.results
            index = len(results)
            results.append(None)
        return index, item

    def book(self, index: int, item: T, value: R) -> None:
        """The item is done."""
        self.outcome.results[index] = value
        if self._on_result is not None:
            self._report(index, item, value, None)

    def book_failure(self, index: int, item: T, error: BaseException) -> None:
        """The item raised. What is no `Exception` (Ctrl-C, exit) ends the whole map."""
        if not isinstance(error, Exception) and (
            type(error).__name__ != "CancelledError" or self.cancellation.cancelled
        ):
            self.fail_all(error)
            return
        failure = Failure(index, item, error)
        with self._booking:
            self.outcome.failures.append(failure)
            count = len(self.outcome.failures)
            stop = self._stop
            try:
                stops = count >= stop if isinstance(stop, int) else stop is not None and stop(failure, count)
            except Exception as bug:  # noqa: BLE001 - raised again in the caller's thread
                self.fail_all(bug)
                return
            if stops and not self.closed:
                self.outcome.stopped = self.closed = True
        if self._on_result is not None:
            self._report(index, item, None, error)

    def fail_all(self, error: BaseException) -> None:
        """Begin nothing more; `error` goes to the caller."""
        self.closed = True
        if self.crash is None:
            self.crash = error

    def finish(self) -> Outcome[T, R]:
        """The outcome, or raise what ended the map."""
        self.cancellation.close()
        crash, self.crash = self.crash, None
        if crash is None and self.cancellation.cancelled:
            from asyncio import CancelledError

            crash = CancelledError()
        if crash is not None:
            try:
                raise crash
            finally:
                del crash, self
        return self.outcome

    def _report(self, index: int, item: T, value: R | None, error: BaseException | None) -> None:
        assert self._on_result is not None
        with self._booking:
            try:
                self._on_result(index, item, value, error)
            except BaseException as bug:  # noqa: BLE001 - raised again in the caller's thread
                self.fail_all(bug)


def in_context(context: Context, function: Callable[..., Any], *arguments: Any) -> Any:
    """Run in a copy of `context`, so that what is set there stays there."""
    return context.copy().run(function, *arguments)
