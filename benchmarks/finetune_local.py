"""What a small model learns in minutes on this machine: requests of a voice assistant as JSON.

Run: make bench-finetune, or python -m benchmarks.finetune_local [--train 200] [--test 50] [--epochs 4]

The embedded model is asked for intent and slots of requests it has not seen (Snips, Coucke et al., 2018),
before and after a LoRA is trained on a few hundred others. Also shows what the forecast had said of time and
memory, beside what it took.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import telic
from benchmarks import page
from benchmarks.framework.report import machine
from benchmarks.snips_intents.task import LABELS
from telic.finetune.backend import JobStatus, TrainedModel, TrainingSpec
from telic.finetune.data import TrainingExample, TrainingSet
from telic.finetune.job import train
from telic.finetune.local.backend import LocalBackend

SYSTEM = f"Give the intent of the request and its slots as one JSON object. Intents: {', '.join(LABELS)}."


def answer_of(row: Any) -> str:
    """The JSON wanted: the intent, then the slots in the order of their names."""
    slots = {name: row.slots[name][0] for name in sorted(row.slots)}
    return json.dumps({"intent": row.intent, **slots}, ensure_ascii=False)


def examples(split: str, count: int, seed: int) -> list[TrainingExample]:
    """Rows of a split as chats."""
    from telic.datasets import load

    return [
        TrainingExample(
            ({"role": "system", "content": SYSTEM}, {"role": "user", "content": row.text}), answer_of(row)
        )
        for row in load("snips_intent_slots", split, limit=count, seed=seed)  # type: ignore[arg-type]
    ]


def scores(lm: telic.LM, rows: Sequence[TrainingExample]) -> dict[str, float]:
    """Of how many rows the answer is JSON, has the intent, and is right in all; and the F1 of all slots."""
    found: dict[str, float] = {"rows": len(rows), "json": 0, "intent": 0, "all": 0}
    right = told_in_all = 0
    in_all = sum(len(json.loads(row.completion)) - 1 for row in rows)
    for row in rows:
        (text,) = lm(messages=[dict(turn) for turn in row.prompt])
        wanted = json.loads(row.completion)
        try:
            told = json.loads(text)
        except json.JSONDecodeError:
            continue
        if not isinstance(told, dict):
            continue
        found["json"] += 1
        found["intent"] += told.get("intent") == wanted["intent"]
        found["all"] += told == wanted
        slots = {(name, str(value)) for name, value in told.items() if name != "intent"}
        told_in_all += len(slots)
        right += len(slots & {pair for pair in wanted.items() if pair[0] != "intent"})
    found["slots_f1"] = round(2 * right / (told_in_all + in_all), 3)
    return found


def trained(spec: TrainingSpec) -> tuple[TrainedModel, dict[str, Any]]:
    """Train, and tell what was forecast and what it took."""
    backend = LocalBackend()
    backend.check(spec)
    forecast = backend.forecast(spec)
    print(
        f"forecast: {forecast.steps} steps, {forecast.seconds or 0:.0f} s, "
        f"{forecast.memory_bytes / 1e9:.1f} GB; {' '.join(forecast.notes)}"
    )
    began, seen = time.monotonic(), -1

    def show(status: JobStatus) -> None:
        nonlocal seen
        if status.step // 10 > seen:
            seen = status.step // 10
            print(f"step {status.step} of {status.steps}, loss {status.loss}, {status.seconds_left} s left")

    model = train(backend, spec, on_status=show)
    return model, {
        "forecast": {"seconds": forecast.seconds, "memory_bytes": forecast.memory_bytes},
        "seconds": round(time.monotonic() - began, 1),
        "steps": forecast.steps,
    }


def measure(given: argparse.Namespace) -> dict[str, Any]:
    """Before, training, after."""
    rows = {
        split: examples(split, count, given.seed)
        for split, count in (("train", given.train), ("dev", given.dev), ("test", given.test))
    }
    before = scores(telic.LM(given.model, max_tokens=100), rows["test"])
    print("before:", before)
    data, validation = (TrainingSet("chat", tuple(rows[split])) for split in ("train", "dev"))
    options = {"epochs": given.epochs, "seed": given.seed}
    model, took = trained(TrainingSpec(given.model, data, validation, options, given.folder))
    after = scores(telic.LM(model.model, max_tokens=100, **model.kwargs), rows["test"])
    print("after:", after)
    told = {
        name: model.provenance[name] for name in ("validation", "training_loss", "precision", "learning_rate")
    }
    return {"model": given.model, "before": before, "after": after, **took, **told}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, show, and tell whether it got better."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.finetune_local", description=__doc__)
    parser.add_argument("--model", default="local/smollm2-135m")
    for name, default in (("train", 200), ("dev", 20), ("test", 50), ("epochs", 4), ("seed", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--no-record", action="store_true")
    given = parser.parse_args(arguments)
    load = os.getloadavg()[0]
    found = measure(given)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    found["peak_bytes"] = peak
    print(json.dumps(found, indent=1))
    if not given.no_record:
        page.record("finetune_local", {"date": page.today(), "machine": machine(load), **found})
    if found["after"]["slots_f1"] <= found["before"]["slots_f1"]:
        print("the model did not get better", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
