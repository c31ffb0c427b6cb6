"""DSPy's side, run by the interpreter that has DSPy; its record, in `DSPY_CACHEDIR`, is empty at first."""

from __future__ import annotations

from typing import Any

import dspy

from benchmarks.optimizers import programs
from benchmarks.optimizers.phases import Lines, models, work
from benchmarks.optimizers.settings import NEVER
from benchmarks.optimizers.tasks import TASKS


class Watched(dspy.Module):  # type: ignore[misc]
    """A program whose errors are noted: to DSPy's evaluation, unreadable answers are like all others."""

    def __init__(self, program: Any) -> None:
        super().__init__()
        self.program = program
        self.unread: list[str] = []
        self.errors: list[str] = []

    def forward(self, **inputs: Any) -> Any:
        """Run the program."""
        try:
            return self.program(**inputs)
        except Exception as error:
            unread = type(error).__name__ == "AdapterParseError"
            (self.unread if unread else self.errors).append(repr(error))
            raise


def main() -> None:
    """One job."""
    lines = Lines()
    job = lines.read()
    lm, proposing = models(dspy, job)
    task = TASKS[job["task"]]
    dspy.configure(lm=lm, max_errors=NEVER)

    def judge(program: Any, rows: list[Any]) -> dict[str, Any]:
        watched = Watched(program)
        evaluate = dspy.Evaluate(devset=rows, metric=programs.metric(task), num_threads=job["threads"])
        scores = [float(score) for _, _, score in evaluate(watched).results]
        return {"scores": scores, "unread": len(watched.unread), "errors": len(watched.errors)}

    work(dspy, job, lines, proposing, judge)


if __name__ == "__main__":
    main()
