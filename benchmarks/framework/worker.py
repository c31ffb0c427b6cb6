"""One side of the comparison in its own process: takes jobs as JSON lines, answers with seconds or MB."""

from __future__ import annotations

import gc
import json
import os
import sys
from importlib import import_module
from typing import Any


def main() -> None:
    """`python -m benchmarks.framework.worker telic|dspy|raw`."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # What a library prints must not mix with the answers.
    side = import_module(f"benchmarks.framework.cases_{sys.argv[1]}")
    made: dict[str, Any] = {}
    for line in sys.stdin:
        job = json.loads(line)
        key = json.dumps([job["case"], job["options"]])
        if key not in made:
            made[key] = getattr(side, job["case"])(**job["options"])
        gc.collect()
        print(json.dumps(made[key](job["n"])), file=answers, flush=True)


if __name__ == "__main__":
    main()
