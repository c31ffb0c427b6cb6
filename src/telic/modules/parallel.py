"""`Parallel`: run pairs of program and example side by side."""

from __future__ import annotations

from typing import Any

from telic.program.batch import run_batch


class Parallel:
    """Run `(program, example)` pairs concurrently, in the settings of the caller.

    Args:
        num_threads: how many at a time; `settings.num_threads` by default.
        max_errors: failures after which to stop; `settings.max_errors` by default.
        access_examples: pass an example's inputs as keywords; otherwise pass the example itself.
        return_failed_examples: also return failed examples and exceptions.
        provide_traceback: log tracebacks of failures.
        disable_progress_bar: show none.
        timeout: accepted for compatibility; deadlines are the LM's.
        straggler_limit: accepted for compatibility.
    """

    def __init__(
        self,
        num_threads: int | None = None,
        max_errors: int | None = None,
        access_examples: bool = True,
        return_failed_examples: bool = False,
        provide_traceback: bool | None = None,
        disable_progress_bar: bool = False,
        timeout: int = 120,
        straggler_limit: int = 3,
    ) -> None:
        self.num_threads = num_threads
        self.max_errors = max_errors
        self.access_examples = access_examples
        self.return_failed_examples = return_failed_examples
        self.provide_traceback = provide_traceback
        self.disable_progress_bar = disable_progress_bar
        self.timeout = timeout
        self.straggler_limit = straggler_limit

    def forward(self, exec_pairs: list[tuple[Any, Any]], num_threads: int | None = None) -> Any:
        """Run the pairs; results in order, `None` where one failed."""
        results, failed, errors = run_batch(
            exec_pairs,
            num_threads=num_threads or self.num_threads,
            max_errors=self.max_errors,
            provide_traceback=self.provide_traceback,
            progress=not self.disable_progress_bar,
            access_examples=self.access_examples,
        )
        return (results, failed, errors) if self.return_failed_examples else results

    def __call__(self, exec_pairs: list[tuple[Any, Any]], num_threads: int | None = None) -> Any:
        """Run the pairs; results in order, `None` where one failed."""
        return self.forward(exec_pairs, num_threads)
