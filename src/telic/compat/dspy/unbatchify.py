"""`Unbatchify`: single calls, answered together by a function of batches."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType
from typing import Any

from telic.runtime.attempt import attempt_anything


class Unbatchify:
    """Collect single items for a moment, and give them to `batch_fn` together.

    Args:
        batch_fn: from a list of inputs to the list of outputs.
        max_batch_size: most items at a time.
        max_wait_time: seconds that the first item of a batch waits for others.
    """

    def __init__(
        self,
        batch_fn: Callable[[list[Any]], list[Any]],
        max_batch_size: int = 32,
        max_wait_time: float = 0.1,
    ) -> None:
        self.batch_fn = batch_fn
        self.max_batch_size = max_batch_size
        self.max_wait_time = max_wait_time
        self.input_queue: queue.Queue[tuple[Any, Future[Any]] | None] = queue.Queue()
        self.stop_event = threading.Event()
        self.worker_thread = threading.Thread(target=self._work, name="telic-unbatchify", daemon=True)
        self.worker_thread.start()

    def __call__(self, input_item: Any) -> Any:
        """The output of one item; waits for its batch.

        Raises:
            RuntimeError: it was closed.
        """
        if self.stop_event.is_set():
            raise RuntimeError("This Unbatchify was closed.")
        future: Future[Any] = Future()
        self.input_queue.put((input_item, future))
        return future.result()

    def close(self) -> None:
        """Answer what is waiting, and stop."""
        if not self.stop_event.is_set():
            self.stop_event.set()
            self.input_queue.put(None)
            self.worker_thread.join()

    def __enter__(self) -> Unbatchify:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _work(self) -> None:
        while (first := self.input_queue.get()) is not None:
            batch, last = [first], False
            until = time.monotonic() + self.max_wait_time
            while len(batch) < self.max_batch_size and (left := until - time.monotonic()) > 0:
                try:
                    item = self.input_queue.get(timeout=left)
                except queue.Empty:
                    break
                if item is None:
                    last = True
                    break
                batch.append(item)
            self._answer(batch)
            if last:
                return

    def _answer(self, batch: list[tuple[Any, Future[Any]]]) -> None:
        outputs, error = attempt_anything(lambda: self.batch_fn([item for item, _ in batch]))
        for place, (_, future) in enumerate(batch):
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(outputs[place])
