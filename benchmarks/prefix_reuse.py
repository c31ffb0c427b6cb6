"""What it saves that prompts with the same beginning follow each other in the slot that holds it.

Run: make bench-prefix, or python -m benchmarks.prefix_reuse [--examples 60] [--prefix-tokens 1000]

Asks the embedded engine the same questions with prefix reuse on and off, all at once, as an evaluation does.
The two sides take turns in blocks of ten, so that a machine busy with other things disturbs both alike.
Shows seconds (of the wall and of the processor), their ratio, and how many answers are the same.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

import telic
from benchmarks import page
from benchmarks.framework.report import machine
from telic.lm.embedded.engine import EmbeddedEngine
from telic.types import Request, Response

COMMAND = "make bench-prefix"
MODELS = ("smollm2-135m", "gemma-3-270m")
MOST = 1 / 4
"""Time with reuse over time without."""
BLOCK = 10
THINGS = ("parcel", "invoice", "refund", "lamp", "password", "subscription", "charger", "booking")
TROUBLES = ("did not arrive", "is wrong", "was charged twice", "does not work", "came broken", "is missing")


def questions(engine: EmbeddedEngine, count: int, prefix_tokens: int) -> list[Request]:
    """Requests behind one prefix of about `prefix_tokens` tokens."""
    chance = random.Random(7)

    def message() -> str:
        return f"My {chance.choice(THINGS)} {chance.choice(TROUBLES)}, order {chance.randrange(10**6)}."

    prefix = "Say in a few words what the customer wants.\n"
    while engine.count_tokens(Request("local", prompt=prefix)) < prefix_tokens:
        prefix += f"\nMessage: {message()}\nWants: help with order {chance.randrange(10**6)}\n"
    return [
        Request(
            "local",
            prompt=f"{prefix}\nMessage: {message()}\nWants:",
            params={"max_tokens": 12, "stop": ["\n"]},
        )
        for _ in range(count)
    ]


async def asked(engine: EmbeddedEngine, requests: Sequence[Request]) -> list[Response]:
    """All at once."""
    return list(await asyncio.gather(*(engine.acomplete(request) for request in requests)))


def measure(model: str, examples: int, prefix_tokens: int) -> dict[str, Any]:
    """One comparison, as a row."""
    engines = {side: EmbeddedEngine(model, prefix_reuse=side == "on", n_ctx=4096) for side in ("on", "off")}
    requests = questions(engines["on"], examples, prefix_tokens)
    engines["off"].count_tokens(requests[0])  # loads it
    wall, processor = dict.fromkeys(engines, 0.0), dict.fromkeys(engines, 0.0)
    responses: dict[str, list[Response]] = {side: [] for side in engines}
    for start in range(0, examples, BLOCK):
        for side, engine in engines.items():
            began, spent = time.perf_counter(), time.process_time()
            responses[side] += asyncio.run(asked(engine, requests[start : start + BLOCK]))
            wall[side] += time.perf_counter() - began
            processor[side] += time.process_time() - spent
    texts = {side: [response.choices[0].text for response in got] for side, got in responses.items()}
    return {
        "model": model,
        "examples": examples,
        "prompt_tokens": responses["on"][0].usage.prompt_tokens,
        "cached_share": round(
            sum(r.usage.cached_tokens or 0 for r in responses["on"])
            / sum(r.usage.prompt_tokens for r in responses["on"]),
            3,
        ),
        "seconds": {side: round(value, 1) for side, value in wall.items()},
        "processor_seconds": {side: round(value, 1) for side, value in processor.items()},
        "ratio": round(wall["on"] / wall["off"], 3),
        "processor_ratio": round(processor["on"] / processor["off"], 3),
        "same_answers": sum(one == other for one, other in zip(texts["on"], texts["off"], strict=True)),
    }


def main() -> int:
    """Measure, and write the table down unless options were given; 1 if a bound was missed."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--model", default="", help="only this model; saves nothing")
    options.add_argument("--examples", type=int, default=60)
    options.add_argument("--prefix-tokens", type=int, default=1000)
    chosen = options.parse_args()
    load = os.getloadavg()[0]
    found = []
    for model in [chosen.model] if chosen.model else MODELS:
        try:
            found.append(measure(model, chosen.examples, chosen.prefix_tokens))
        except telic.ModelWeightsError as error:
            print(f"{model} is left out: {error}")
    shown = _table(found)
    print(shown)
    if not chosen.model and (chosen.examples, chosen.prefix_tokens) == (60, 1000):
        when = page.today()
        page.record("prefix_reuse", {"date": when, "machine": machine(load), "rows": found})
        page.show("prefix table", f"Measured {when} on {machine(load)} by `{COMMAND}`.\n\n{shown}")
    return 1 if any(row["ratio"] > MOST for row in found) else 0


def _table(found: Sequence[Mapping[str, Any]]) -> str:
    head = ["model", "prompt tokens", "read again", "s with reuse", "s without", "ratio", "same answers"]
    return page.table(
        head,
        [
            [
                row["model"],
                f"{row['prompt_tokens']:,}",
                f"{1 - row['cached_share']:.0%}",
                f"{row['seconds']['on']:.0f}",
                f"{row['seconds']['off']:.0f}",
                f"1/{1 / row['ratio']:.1f}",
                f"{row['same_answers']} of {row['examples']}",
            ]
            for row in found
        ],
    )


if __name__ == "__main__":
    sys.exit(main())
