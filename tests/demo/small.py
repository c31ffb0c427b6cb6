"""A demo on few examples, as a process of its own that can be killed; prints what was asked of the model."""

from __future__ import annotations

import json
from dataclasses import replace

from telic.cli.demo.cases import MODEL, Case, case
from telic.cli.demo.data import Splits
from telic.cli.demo.run import play


def small(name: str, train: int = 16, dev: int = 8, test: int = 10) -> Case:
    """A demo cut down."""
    chosen = case(name)
    rows = chosen.splits
    entries = []
    for entry in chosen.entries:
        optimizer = entry.optimizer
        if hasattr(optimizer, "num_candidate_programs"):
            optimizer.num_candidate_programs = 1
        entries.append(replace(entry, optimizer=optimizer))
    splits = Splits(rows.train[:train], rows.dev[:dev], rows.test[:test])
    return replace(chosen, entries=tuple(entries), splits=splits)


def main() -> None:
    """Run it on the embedded model."""
    from telic.lm.model import LM

    chosen = small("messages")
    lm = LM(MODEL, temperature=0.0, max_tokens=chosen.max_tokens)
    (finding,) = play(chosen, lm, as_json=True)
    parts = (finding.before, finding.report.spent, finding.after)
    counters = lm.engine.counters  # type: ignore[attr-defined]
    counts = {
        "paid": sum(part.calls for part in parts),
        "recorded": sum(part.cached_calls for part in parts),
        "answered": counters.answers if counters else 0,
        "scores": [finding.before.score, finding.after.score],
    }
    print(f"\nCOUNTS {json.dumps(counts)}")


if __name__ == "__main__":
    main()
