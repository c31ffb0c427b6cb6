"""telic's side: the program as anyone would write it, everything left at its default."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import telic
from benchmarks.snips_intents import task


class Intent(telic.Signature):
    __doc__ = task.INSTRUCTIONS

    text: str = telic.InputField()
    intent: Literal[task.LABELS] = telic.OutputField()  # type: ignore[valid-type]


def run(seed: int, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """Evaluate, search, evaluate again, with a record of its own so that nothing is known beforehand.

    Args:
        seed: of the rows and of the search.
        say: told each phase in a line.

    Returns:
        The phases: score and dev score in percent, unreadable answers, calls as the engine counts them,
        seconds, CPU seconds.
    """
    splits = {
        name: [telic.Example(row).with_inputs("text") for row in found]
        for name, found in task.rows(seed).items()
    }
    lm = telic.LM(task.MODEL)
    clock = Clock(lm, say)
    program = telic.Predict(Intent)
    evaluate = telic.Evaluate(devset=splits["test"], metric=task.right, num_threads=task.THREADS)
    search = telic.BootstrapFewShotWithRandomSearch(
        metric=task.right, num_candidate_programs=4, num_threads=task.THREADS, seed=seed
    )
    with tempfile.TemporaryDirectory() as folder, telic.context(lm=lm, store=Path(folder) / "store.db"):
        clock.time("zero-shot on test", lambda: _scored(evaluate(program)))
        compiled: list[Any] = []

        def compiling() -> dict[str, Any]:
            compiled.append(search.compile(program, trainset=splits["train"], valset=splits["dev"]))
            best = compiled[0].report.to_json()["candidates"][0]
            return {"score": best["score"], "interval": best["interval"], "chosen": best["label"]}

        clock.time("search", compiling)
        clock.time("compiled on test", lambda: _scored(evaluate(compiled[0])))
    lm.engine.close()  # so that the next side finds the memory free, and the next count starts at 0
    return clock.phases


def _scored(result: Any) -> dict[str, Any]:
    return {"score": result.score, "interval": list(result.interval), "unread": len(result.failures)}


class Clock:
    """Times phases and counts the engine's answers in each."""

    def __init__(self, lm: Any, say: Callable[[str], None]) -> None:
        self.phases: list[dict[str, Any]] = []
        self._lm = lm
        self._say = say

    def time(self, name: str, work: Callable[[], dict[str, Any]]) -> None:
        """Do a phase."""
        began, cpu, before = time.perf_counter(), time.process_time(), self._answers()
        found = work()
        spent = {
            "calls": self._answers() - before,
            "seconds": time.perf_counter() - began,
            "cpu_seconds": time.process_time() - cpu,
        }
        self.phases.append({"phase": name, **found, **spent})
        self._say(task.said(self.phases[-1]))

    def _answers(self) -> int:
        counters = self._lm.engine.counters
        return counters.answers if counters is not None else 0
