"""DSPy's side, run by the interpreter that has DSPy: a JSON job comes in, each phase goes out as a JSON line.

The job has `url`, `max_tokens` and the rows `train`, `dev` and `test`, each `{"text", "intent"}`.
"""

import json
import os
import sys
import time
from typing import Literal

import dspy

from benchmarks.snips_intents import task

NEVER = 10_000
"""Errors after which to stop: DSPy counts unreadable answers among them, and nearly all are at first."""


class Intent(dspy.Signature):
    __doc__ = task.INSTRUCTIONS

    text: str = dspy.InputField()
    intent: Literal[task.LABELS] = dspy.OutputField()


def main():
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # What DSPy prints must not mix with the answers.
    job = json.load(sys.stdin)
    splits = {name: [dspy.Example(**row).with_inputs("text") for row in job[name]] for name in task.SIZES}
    options = {"api_base": job["url"], "api_key": "none", "temperature": 0.0, "max_tokens": job["max_tokens"]}
    dspy.configure(lm=dspy.LM("openai/served", **options))
    program = dspy.Predict(Intent)
    evaluate = dspy.Evaluate(
        devset=splits["test"], metric=task.right, num_threads=task.THREADS, max_errors=NEVER
    )
    # One shuffled candidate besides the three that there always are: four in all.
    search = dspy.BootstrapFewShotWithRandomSearch(
        metric=task.right, num_candidate_programs=1, num_threads=task.THREADS, max_errors=NEVER
    )

    def phase(name, work):
        began, cpu = time.perf_counter(), time.process_time()
        made, found = work()
        spent = {"seconds": time.perf_counter() - began, "cpu_seconds": time.process_time() - cpu}
        print(json.dumps({"phase": name, **found, **spent}), file=answers, flush=True)
        return made

    def compiling():
        compiled = search.compile(program, trainset=splits["train"], valset=splits["dev"])
        return compiled, {"score": max(one["score"] for one in compiled.candidate_programs)}

    phase("zero-shot on test", lambda: scored(evaluate(program)))
    compiled = phase("search", compiling)
    phase("compiled on test", lambda: scored(evaluate(compiled)))


def scored(result):
    unread = sum("intent" not in prediction for _, prediction, _ in result.results)
    return result, {"score": result.score, "unread": unread}


if __name__ == "__main__":
    main()
