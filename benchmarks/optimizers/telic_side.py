"""telic's side, in a process of its own; its record, in `TELIC_HOME`, is empty at first."""

from __future__ import annotations

from typing import Any

import telic
from benchmarks.optimizers import programs
from benchmarks.optimizers.phases import Lines, models, work
from benchmarks.optimizers.settings import NEVER
from benchmarks.optimizers.tasks import TASKS


def main() -> None:
    """One job."""
    lines = Lines()
    job = lines.read()
    lm, proposing = models(telic, job)
    task = TASKS[job["task"]]

    def judge(program: Any, rows: list[Any]) -> dict[str, Any]:
        evaluate = telic.Evaluate(devset=rows, metric=programs.metric(task), num_threads=job["threads"])
        result = evaluate(program)
        scores = [score or 0.0 for score in result.scores]
        return {"scores": scores, "unread": len(result.failures), "errors": len(result.errors)}

    with telic.context(lm=lm, max_errors=NEVER):
        work(telic, job, lines, proposing, judge)


if __name__ == "__main__":
    main()
