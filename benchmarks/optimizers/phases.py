"""What a side does when it is told to, in a process of its own; it and its parent speak JSON lines.

The first line in is the job: `task`, `optimizer` (see `settings`), `seed`, `threads`, `rows` (`train`, `dev`
and `test`), `url` of the model, `max_tokens`, and the model that proposes: `proposing`, with its parameters.
A line goes out when everything is ready, and one after each phase; after each, the side waits for a line, so
that what was asked of the server can be counted in between.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, TextIO

from benchmarks.optimizers import programs
from benchmarks.optimizers.tasks import TASKS


class Lines:
    """The parent's lines, and where answers to it go; what a library prints goes elsewhere."""

    def __init__(self) -> None:
        self._answers: TextIO = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)

    def read(self) -> Any:
        """The next line."""
        return json.loads(sys.stdin.readline())

    def say(self, found: Mapping[str, Any]) -> None:
        """Tell the parent, and wait until it wants more."""
        print(json.dumps(found), file=self._answers, flush=True)
        self.read()


def models(lib: Any, job: Mapping[str, Any]) -> tuple[Any, Any]:
    """The model that the program is compiled for, and the one that proposes."""
    served = {"api_base": job["url"], "api_key": "none", "temperature": 0.0, "max_tokens": job["max_tokens"]}
    return lib.LM("openai/served", **served), lib.LM(**job["proposing"])


def work(
    lib: Any, job: Mapping[str, Any], lines: Lines, proposing: Any, judge: Callable[[Any, Any], Any]
) -> None:
    """Compile, and evaluate what was compiled.

    Args:
        lib: the library.
        job: see above.
        lines: to the parent.
        proposing: the model that proposes.
        judge: of a program and examples, gives `scores` (each from 0 to 1), `unread` and `errors`.
    """
    task = TASKS[job["task"]]
    train, dev, test = (
        programs.examples(lib, task, job["rows"][split]) for split in ("train", "dev", "test")
    )
    program = programs.program(lib, task)
    search = programs.optimizer(lib, task, job, proposing)
    made: list[Any] = []

    def compiling() -> dict[str, Any]:
        made.append(search.compile(program, trainset=train, valset=dev))
        return {"proposals": len(proposing.history)}

    lines.say({"phase": "ready"})
    lines.say({"phase": "compile", **_timed(compiling)})
    lines.say({"phase": "test", **_timed(lambda: judge(made[0], test))})


def _timed(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    began, cpu = time.perf_counter(), time.process_time()
    found = work()
    return {**found, "seconds": time.perf_counter() - began, "cpu_seconds": time.process_time() - cpu}
